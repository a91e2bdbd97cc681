package endtoend

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/workspacetest"
)

// trial is something that keeps a directory from being followed, and how it is mended.
type trial struct {
	class, check string
	says         string // in the action
	spoil, mend  func(*company) error
}

func permit(permissions ...string) func(*company) error {
	return func(c *company) error { return c.house.control.SetPermissions(context.Background(), c.id, permissions) }
}

func delegate(scopes ...string) func(*company) error {
	return func(c *company) error { return c.house.control.SetScopes(context.Background(), c.id, scopes) }
}

func secret(value string) func(*company) error {
	return func(c *company) error { return os.WriteFile(c.proof.File, []byte(value), 0o600) }
}

// keyFile is what is in that of a service account, or might be.
type keyFile struct{ known, strange []byte }

// replace puts a key in it that the customer does not know; the token that was had with the other one is not accepted any more.
func (k *keyFile) replace(c *company) (err error) {
	if k.known, err = os.ReadFile(c.proof.File); err != nil {
		return err
	}
	if err := os.WriteFile(c.proof.File, k.strange, 0o600); err != nil {
		return err
	}
	return c.house.control.AddFault(context.Background(), control.Fault{Tenant: c.id, Status: http.StatusUnauthorized})
}

func (k *keyFile) restore(c *company) error {
	return errors.Join(os.WriteFile(c.proof.File, k.known, 0o600), c.house.control.ClearFaults(context.Background()))
}

// quota sets how many subscriptions the application may have; 0: as many as Graph allows.
func (c *company) quota(n int) error {
	settings, err := c.house.control.Settings(context.Background())
	if err != nil {
		return err
	}
	settings.SubscriptionQuota = n
	return c.house.control.PutSettings(context.Background(), settings)
}

// oneSubscription ends one of two, of which the other one tells, when there may be no more than one.
func oneSubscription(c *company) error {
	held, err := c.house.control.Subscriptions(context.Background(), c.id)
	if err != nil || len(held) != 2 {
		return fmt.Errorf("%d subscriptions: %w", len(held), err)
	}
	return errors.Join(c.quota(1), c.house.control.DropSubscription(context.Background(), c.id, held[0].ID),
		c.house.control.SendLifecycle(context.Background(), c.id, held[1].ID, "missed"))
}

// An admin revokes the consent, and a secret expires: both are told with what to do about them, and that they are over. Nobody
// loses a license meanwhile, and what changed is known then.
func TestConnectionDegradesAndRecovers(t *testing.T) {
	t.Parallel()
	keys := keyFile{strange: workspacetest.Stranger(t)}
	for kind, trials := range map[directory.Provider]map[string]trial{
		directory.Entra: {
			"consent": {"consent", "consent", "Grant admin consent", permit(), permit(control.DefaultPermissions()...)},
			"one permission": {
				"consent", "read-groups", "API permissions", permit("User.Read.All"), permit(control.DefaultPermissions()...),
			},
			"secret": {"sign-in", "sign-in", "Make a client secret", secret("it has expired"), secret(appSecret)},
			"quota":  {"quota", "", "End push channels", oneSubscription, func(c *company) error { return c.quota(0) }},
		},
		directory.GoogleWorkspace: {
			"delegation": {"consent", "delegation", "Manage Domain Wide Delegation", delegate(), delegate(control.DefaultScopes()...)},
			"key":        {"sign-in", "sign-in", "Make a new key", keys.replace, keys.restore},
		},
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			h := open(t, plan{poll: 100 * time.Millisecond, degraded: 500 * time.Millisecond})
			var c *company
			if kind == directory.GoogleWorkspace {
				c = h.foundWorkspace(t, "initech")
			} else {
				c = h.found(t, "contoso")
			}
			users := c.hire(t, 3)
			c.connect(t)
			for name, trial := range trials {
				c.undergo(t, name, trial, users)
			}
		})
	}
}

func (c *company) undergo(t *testing.T, name string, trial trial, users []string) {
	t.Helper()
	mark := c.licenses.mark()
	done(t, trial.spoil(c))
	said := c.licenses.await(t, mark, name+": word that the connection is degraded", told.ofConnection).connection(t)
	if said.Class != trial.class || said.Check != trial.check || !strings.Contains(said.Action, trial.says) || said.Detail == "" {
		t.Errorf("%s: told %+v", name, said)
	}
	must(t)(c.house.control.Suspend(t.Context(), c.id, users[0]))
	done(t, trial.mend(c))
	c.licenses.await(t, mark, name+": word that it has recovered", func(e told) bool { return e.Type == event.TypeConnectionRecovered })
	c.verify(t)
	must(t)(c.house.control.Unsuspend(t.Context(), c.id, users[0]))
	c.verify(t)
	var words []string
	for _, e := range first(c.licenses.since(mark)) {
		if e.ofConnection() {
			words = append(words, e.Type[len("io.rollcall.connection."):len(e.Type)-len(".v1")])
		}
	}
	if got := strings.Join(words, " "); got != "degraded recovered" {
		t.Errorf("%s: told %s", name, got)
	}
}

func first[T, U any](value T, _ U) T { return value }

func done(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func (e told) ofConnection() bool {
	return e.Type == event.TypeConnectionDegraded || e.Type == event.TypeConnectionRecovered
}

// connection is what an event says of a connection.
func (e told) connection(tb testing.TB) event.Degraded {
	tb.Helper()
	ev, err := event.Decode(e.Raw)
	done(tb, err)
	data, err := event.Data[event.Degraded](ev)
	done(tb, err)
	return data
}

// What was never read is degraded too, and is read once it may be.
func TestDirectoryThatCannotBeReadFromTheBeginning(t *testing.T) {
	t.Parallel()
	h := open(t, plan{poll: 100 * time.Millisecond, degraded: 500 * time.Millisecond})
	c := h.found(t, "contoso")
	c.hire(t, 3)
	done(t, permit()(c))
	c.join(t)
	said := c.licenses.await(t, 0, "word that the connection is degraded", told.ofConnection).connection(t)
	if said.Class != event.ClassConsent || said.Check != "consent" {
		t.Errorf("told %+v", said)
	}
	done(t, permit(control.DefaultPermissions()...)(c))
	c.licenses.await(t, 1, "word that it has recovered", told.ofConnection)
	c.verify(t)
}
