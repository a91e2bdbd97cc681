// Package connecting is what pages and API have in common where somebody connects a directory: who may, what cannot be, where an
// admin consents, and in which order the worker and a receiver hear of it. A credential is no part of it: receivers have that.
package connecting

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/command"
	"github.com/rollcall-hq/rollcall/services/internal/connect"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// Receivers are asked to look at directories, and to store tenants; see connect.Client.
type Receivers interface {
	Describe(ctx context.Context, p directory.Provider) (connect.Shown, error)
	Check(ctx context.Context, w connect.Wanted) (connect.Proof, error)
	Add(ctx context.Context, w connect.Wanted) (found connect.Proof, again bool, err error)
}

// Tenants is the registry as it is at the moment: what follows it may come too late for the same request sent again.
type Tenants interface {
	Get(ctx context.Context, id string) (tenant.Tenant, error) // tenant.ErrNotFound
}

// Commands are given to the worker; see command.Client.
type Commands interface {
	Do(ctx context.Context, tenant, key string, data any) (event.Answered, error)
}

// Deps are what a Connector works with; all are needed.
type Deps struct {
	Receivers Receivers
	Tenants   Tenants
	Commands  Commands
	PublicURL string // where browsers come back to, without a slash at its end
	Clock     clock.Clock
	Logger    *slog.Logger
}

// Connector has directories connected. It is safe for concurrent use.
type Connector struct {
	deps  Deps
	looks *access.Limiter
}

// New makes a Connector.
func New(deps Deps) *Connector {
	return &Connector{deps: deps, looks: access.NewLimiter(access.Limit{Rate: 0.5, Burst: 20}, deps.Clock)}
}

// lookPatience is how long a look at a directory may take.
const lookPatience = 22 * time.Second

// May reports whether somebody may connect a directory under a name: an operator, and an admin for whom the name is meant and who
// has proved to be of that very directory. That there is consent proves nothing of the admin: a directory may have given it long
// ago, to somebody else.
func May(who access.Principal, w connect.Wanted) bool {
	return who.Connects() && who.Commands(w.Tenant) && AtHome(who, w)
}

// AtHome reports whether somebody is an operator, or proved to be of the directory.
func AtHome(who access.Principal, w connect.Wanted) bool {
	switch {
	case who.Role == access.Operator:
		return true
	case w.Provider == directory.Entra:
		return who.Home.Directory != "" && who.Home.Directory == w.DirectoryID
	case w.Provider == directory.GoogleWorkspace:
		return who.Home.Domain != "" && who.Home.Domain == directory.Domain(w.Reader())
	}
	return false
}

// Allow counts one look at a directory. Of one too many wait is when the next is allowed.
func (c *Connector) Allow(who access.Principal) (wait time.Duration, ok bool) {
	return c.looks.Allow(who.ID)
}

// Free says what keeps a name from being that of a directory: connect.ErrExists, connect.ErrAnother, or nothing.
func (c *Connector) Free(ctx context.Context, w connect.Wanted) error {
	t, err := c.deps.Tenants.Get(ctx, w.Tenant)
	if errors.Is(err, tenant.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return free(t, w)
}

func free(t tenant.Tenant, w connect.Wanted) error {
	switch {
	case !t.Disconnected:
		return connect.ErrExists
	case t.Provider != w.Provider || t.DirectoryID != w.DirectoryID:
		return connect.ErrAnother
	}
	return nil
}

// Check has a receiver look at the directory, and changes nothing. Errors are those of connect.Client.
func (c *Connector) Check(ctx context.Context, w connect.Wanted) (connect.Proof, error) {
	ctx, cancel := context.WithTimeout(ctx, lookPatience)
	defer cancel()
	return c.deps.Receivers.Check(ctx, w)
}

// Connect has the tenant stored, once everything is proved. The same once more, under the same key, finds it done, and nothing is
// looked at. Errors are those of connect.Client, connect.ErrAnother, command.ErrKeyUsed and what the worker has against it.
func (c *Connector) Connect(ctx context.Context, who access.Principal, w connect.Wanted, key string) (found connect.Proof, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookPatience)
	defer cancel()
	w.Key, w.By = key, who.ID
	found, err = c.connect(ctx, w)
	outcome := "connected"
	if err != nil {
		outcome = err.Error()
	}
	c.deps.Logger.InfoContext(ctx, "command", "tenant", w.Tenant, "by", who.ID, "role", string(who.Role),
		"command", "connect", "provider", string(w.Provider), "key", key, "outcome", outcome)
	return found, err
}

// connect tells the worker first of a tenant that was disconnected, so that the complete read which storing it sets off finds it
// waiting.
func (c *Connector) connect(ctx context.Context, w connect.Wanted) (found connect.Proof, err error) {
	t, err := c.deps.Tenants.Get(ctx, w.Tenant)
	switch {
	case errors.Is(err, tenant.ErrNotFound):
	case err != nil:
		return found, err
	case w.Under(t):
		return found, sameAs(w, t)
	default:
		if err := free(t, w); err != nil {
			return found, err
		}
		if found, err = c.deps.Receivers.Check(ctx, w); err != nil {
			return found, err
		}
		if !found.Complete {
			return found, connect.ErrNotProved
		}
		_, err = c.deps.Commands.Do(ctx, t.ID, w.Key, event.ConnectRequested{By: w.By})
		refused, ok := errors.AsType[*command.Refused](err)
		if err != nil && (!ok || refused.Answer.Code != event.CodeNotDisconnected) { // an earlier try may have come so far
			return found, err
		}
	}
	found, _, err = c.deps.Receivers.Add(ctx, w)
	if errors.Is(err, connect.ErrExists) { // perhaps by the same request, sent at the same time
		if t, known := c.deps.Tenants.Get(ctx, w.Tenant); known == nil && w.Under(t) {
			err = sameAs(w, t)
		}
	}
	return found, err
}

func sameAs(w connect.Wanted, t tenant.Tenant) error {
	if w.Request() != t.Connected {
		return command.ErrKeyUsed
	}
	return nil
}
