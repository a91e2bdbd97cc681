// Package signin is where people sign in and out: the page for it, the issuers that the access file names, and for a machine of
// one's own a login that asks for no proof.
package signin

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/accessfile"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/issuer"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/session"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
)

// Config says where people sign in.
type Config struct {
	PublicURL   string // without a slash at its end
	Development bool   // let anybody on this machine sign in as anybody
}

// Deps are the parts that SignIn works with; all are needed.
type Deps struct {
	Sessions *session.Manager
	Access   *accessfile.Live
	Issuers  *issuer.Finder
	Logger   *slog.Logger
	Clock    clock.Clock
}

// SignIn signs people in and out, and knows them again.
type SignIn struct {
	cfg  Config
	deps Deps
}

var _ access.Sessions = (*SignIn)(nil)

// New makes a SignIn.
func New(cfg Config, deps Deps) *SignIn {
	return &SignIn{cfg: cfg, deps: deps}
}

// Mount puts the routes on a mux. None needs a proof; the guard counts them.
func (s *SignIn) Mount(mux *http.ServeMux, guard *access.Guard) {
	for pattern, handle := range map[string]http.HandlerFunc{
		"GET /sign-in":                   s.page,
		"GET /sign-in/{issuer}":          s.start,
		"GET /sign-in/{issuer}/callback": s.callback,
		"POST /sign-in/development":      s.development,
		"POST /sign-out":                 s.signOut,
	} {
		mux.Handle(pattern, guard.Anybody(handle))
	}
}

// Who returns who sends a request, as the access file has it now: see access.Sessions.
func (s *SignIn) Who(r *http.Request) (access.Principal, error) {
	who, ok, err := s.deps.Sessions.Read(r)
	if err != nil {
		s.deps.Logger.ErrorContext(r.Context(), "a session cannot be read", "error", err)
		return access.Principal{}, fmt.Errorf("%w: %w", access.ErrUnavailable, err)
	}
	if !ok {
		return access.Principal{}, access.ErrRefused
	}
	p, ok := s.principal(r.Context(), who)
	if !ok {
		s.deps.Logger.WarnContext(r.Context(), "refused", "principal", idOf(who), "why", "not let in any more")
		return access.Principal{}, access.ErrRefused
	}
	return p, nil
}

// principal is what somebody may do who has signed in.
func (s *SignIn) principal(ctx context.Context, who session.Identity) (access.Principal, bool) {
	if who.Issuer == developer {
		return developerPrincipal(who), s.cfg.Development
	}
	return s.deps.Access.Now(ctx).Person(who)
}

// idOf is the id of a principal, also of one who is not let in any more.
func idOf(who session.Identity) string {
	if who.Issuer == developer {
		return developer + ":" + string(who.Role)
	}
	return accessfile.Subject(who.Issuer, who.Subject)
}

// begin signs somebody in who has proved an identity, and sends the browser on.
func (s *SignIn) begin(w http.ResponseWriter, r *http.Request, who session.Identity, p access.Principal, next string) {
	if err := s.deps.Sessions.Begin(w, r, who); err != nil {
		s.unavailable(w, r, err)
		return
	}
	s.deps.Logger.InfoContext(r.Context(), "signed in", "principal", p.ID, "role", string(p.Role), "issuer", who.Issuer)
	access.SendOn(w, r, next)
}
