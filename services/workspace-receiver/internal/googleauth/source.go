// Package googleauth gets access tokens for a customer's Google Workspace: as the customer's admin, through a service
// account that has domain-wide delegation. Either nobody has a key (who we are on our own platform may sign as the
// service account), or a key file has it. Files are read when a token is fetched, so that one that was replaced counts
// from the next token on, and no error tells what is in them or what the authority wrote.
//
// It shapes what google.golang.org/api/impersonate and golang.org/x/oauth2/google do, which sign, exchange and speak to
// the authority.
package googleauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"time"

	"golang.org/x/oauth2"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/remote"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// Config says who asks for what.
type Config struct {
	Credential tenant.Credential
	Scopes     []string
	// Authority, e.g. https://127.0.0.1:8443, takes the requests to Google's three hosts that have a part in a token:
	// oauth2, iamcredentials and sts.googleapis.com, with their paths. The libraries know no other way to a simulator.
	// Empty: they go to Google. Requests to other hosts, such as a cloud's metadata server, stay as they are either way.
	Authority string
	Timeout   time.Duration // of one token with all its requests; 30 s when 0
}

// Deps are what a Source works with.
type Deps struct {
	Transport http.RoundTripper           // to the authority; see Route for the names of its requests
	LookupEnv func(string) (string, bool) // os.LookupEnv when nil
	Clock     clock.Clock                 // clock.System() when nil
}

// Source gets tokens, and keeps each until shortly before it expires. It is an oauth2.TokenSource and may be used by
// several goroutines.
type Source struct {
	cfg   Config
	deps  Deps
	fetch func(ctx context.Context, client *http.Client) (*oauth2.Token, error) // a new token, by the kind of credential
	http  http.RoundTripper

	turn chan struct{} // holds one element while nobody has the fields below
	held held
}

// New returns a source that has read and sent nothing yet. An error means that the configuration is of no use.
func New(cfg Config, deps Deps) (*Source, error) {
	if deps.Transport == nil {
		return nil, errors.New("google credential: want a transport")
	}
	if len(cfg.Scopes) == 0 {
		return nil, errors.New("google credential: want scopes")
	}
	if deps.Clock == nil {
		deps.Clock = clock.System()
	}
	if deps.LookupEnv == nil {
		deps.LookupEnv = os.LookupEnv
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 30 * time.Second
	}
	cfg.Scopes = slices.Clone(cfg.Scopes)
	s := &Source{cfg: cfg, deps: deps, turn: make(chan struct{}, 1)}
	s.turn <- struct{}{}
	switch cfg.Credential.Kind {
	case tenant.GoogleImpersonation:
		s.fetch = s.impersonated
	case tenant.GoogleKeyFile:
		s.fetch = s.keyed
	default:
		return nil, fmt.Errorf("google credential: unknown kind %q", cfg.Credential.Kind)
	}
	var err error
	if s.http, err = transport(cfg.Authority, deps.Transport); err != nil {
		return nil, fmt.Errorf("google credential: %w", err)
	}
	return s, nil
}

// Token implements oauth2.TokenSource.
func (s *Source) Token() (*oauth2.Token, error) { return s.Get(context.Background()) }

// Get returns a token that is good for a while. Errors of the authority, and answers of it that cannot be used, are an
// *Error.
func (s *Source) Get(ctx context.Context) (*oauth2.Token, error) {
	select {
	case <-s.turn:
		defer func() { s.turn <- struct{}{} }()
	case <-ctx.Done():
		return nil, fmt.Errorf("get a token: %w", context.Cause(ctx))
	}
	now := s.deps.Clock.Now()
	if s.held.fresh(now) {
		return s.held.token, nil
	}
	token, err := s.ask(ctx)
	if err == nil {
		s.held = hold(token, s.deps.Clock.Now())
		return s.held.token, nil
	}
	if s.held.good(now) {
		s.held.again = now.Add(pause)
		return s.held.token, nil
	}
	return nil, err
}

// Refused tells that an API refused a token (401 or 403). The next one will be a new one.
func (s *Source) Refused() {
	<-s.turn
	defer func() { s.turn <- struct{}{} }()
	if s.deps.Clock.Now().Sub(s.held.since) >= refusedAgain {
		s.held = held{}
	}
}

// ask fetches one token. Nobody's sign-in library shows the answer that it was given, so the record does.
func (s *Source) ask(caller context.Context) (*oauth2.Token, error) {
	ctx, cancel := context.WithTimeout(caller, s.cfg.Timeout)
	defer cancel()
	ctx, seen := remote.WithRecord(ctx)
	client := &http.Client{
		Transport:     bound{ctx, s.http},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	token, err := s.fetch(context.WithValue(ctx, oauth2.HTTPClient, client), client)
	switch {
	case err != nil:
		return nil, explain(caller, seen, err)
	case token.AccessToken == "" || token.Expiry.IsZero():
		return nil, &Error{Status: seen.Status, Code: unreadable, Step: step(seen.URL)}
	}
	return token, nil
}
