// Package entraid proves the vendor's application to a customer's Entra tenant: with a workload identity, a certificate
// or a client secret, all through azidentity. Secrets are read when they are needed, so that a file that is replaced
// counts from the next request on, and no error tells one.
package entraid

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/remote"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// Config says who is proved to whom.
type Config struct {
	DirectoryID string // the customer's Entra tenant id
	Authority   string // e.g. https://login.microsoftonline.us; empty for the public cloud
	Credential  tenant.Credential
}

// Deps are what a Credential works with.
type Deps struct {
	Transport http.RoundTripper           // to the authority
	LookupEnv func(string) (string, bool) // os.LookupEnv when nil
	Clock     clock.Clock                 // clock.System() when nil
}

// Credential gets access tokens. It is an azcore.TokenCredential and may be used by several goroutines.
type Credential struct {
	cfg  Config
	deps Deps
	read func() (material, error)

	mu      sync.Mutex
	held    material // what inner was built from
	inner   azcore.TokenCredential
	builtAt time.Time
}

// New returns a credential that has read and sent nothing yet.
func New(cfg Config, deps Deps) (*Credential, error) {
	if deps.Transport == nil {
		return nil, errors.New("entra credential: want a transport")
	}
	if deps.Clock == nil {
		deps.Clock = clock.System()
	}
	read, err := source(cfg.Credential, deps.LookupEnv)
	if err != nil {
		return nil, fmt.Errorf("entra credential: %w", err)
	}
	return &Credential{cfg: cfg, deps: deps, read: read}, nil
}

// GetToken returns a token for the scopes asked for, from azidentity's cache while it is good. Errors of the authority
// are an *Error.
func (c *Credential) GetToken(ctx context.Context, opts policy.TokenRequestOptions) (azcore.AccessToken, error) {
	inner, err := c.current()
	if err != nil {
		return azcore.AccessToken{}, fmt.Errorf("entra credential: %w", err)
	}
	ctx, seen := remote.WithRecord(ctx)
	token, err := inner.GetToken(ctx, opts)
	if err != nil {
		return azcore.AccessToken{}, explain(ctx, seen, err)
	}
	return token, nil
}

// current returns azidentity's credential for the secret as it is now.
func (c *Credential) current() (azcore.TokenCredential, error) {
	now, err := c.read()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inner != nil && c.held.equal(now) {
		return c.inner, nil
	}
	inner, err := c.build(now)
	if err != nil {
		return nil, err
	}
	c.inner, c.held, c.builtAt = inner, now, c.deps.Clock.Now()
	return inner, nil
}

// refusedAgain is how long a refused token is kept before it is given up again: roles are in the token, so that consent
// that was just given shows only in a new one, but an API that keeps refusing must not make us ask with each request.
const refusedAgain = time.Minute

// Refused tells that the API refused a token (401 or 403). The next one will be a new one.
func (c *Credential) Refused() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inner != nil && c.deps.Clock.Now().Sub(c.builtAt) >= refusedAgain {
		c.inner = nil
	}
}

// material is a secret as it was read.
type material struct{ data, password []byte }

func (m material) equal(o material) bool {
	return bytes.Equal(m.data, o.data) && bytes.Equal(m.password, o.password)
}
