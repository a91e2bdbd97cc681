package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/license"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/demo"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/verify"
)

// forgery writes an event behind the last one of a tenant's record that only its content gives away.
type forgery func(last license.Event) (eventType, subject string, data any)

// noLicense tells the world that a licensed user has no license.
func noLicense(last license.Event) (eventType, subject string, data any) {
	user := *last.Entitlement
	user.Licensed = !user.Licensed
	return event.TypeLicenseRevoked, event.LicenseSubject(last.Tenant, last.Product, user.User), user
}

// somethingHeld tells the world that a change waits, which would do nothing.
func somethingHeld(last license.Event) (eventType, subject string, data any) {
	return event.TypeHeldOpened, event.HeldSubject(last.Tenant, last.Product), event.HeldOpened{
		Tenant: last.Tenant, Product: last.Product, Held: "freeze-1", Kind: event.HeldFreeze, Revision: 1, Expires: time.Now().UTC(),
	}
}

func (f forgery) in(tenant string) func(ctx context.Context, natsURL string) error {
	return func(ctx context.Context, natsURL string) error {
		nc, err := nats.Connect(natsURL)
		if err != nil {
			return err
		}
		defer nc.Close()
		client, err := license.New(nc)
		if err != nil {
			return err
		}
		var last license.Event
		if err := client.Replay(ctx, license.Options{Tenant: tenant}, func(_ context.Context, e license.Event) error {
			last = e
			return nil
		}); err != nil {
			return err
		}
		eventType, subject, data := f(last)
		ev, err := event.New(eventType, event.Meta{
			ID:     event.LicenseID(last.Tenant, last.Product, last.Sequence+1),
			Source: event.LicenseSource(last.Tenant, last.Product), Time: time.Now(), Tenant: last.Tenant, Sequence: last.Sequence + 1,
		}, data)
		if err != nil {
			return err
		}
		if eventType == event.TypeLicenseRevoked {
			ev.SetSubject(last.User)
		}
		b, err := bus.New(nc, bus.Config{})
		if err != nil {
			return err
		}
		_, err = b.Publish(ctx, subject, ev)
		return err
	}
}

func TestDemoExitsWithTheTruth(t *testing.T) {
	t.Parallel()
	for name, is := range map[string]struct {
		forged forgery
		tenant string // in which it is forged
		err    error
		says   string
		state  verify.State
	}{
		"as it is":          {},
		"forged in contoso": {noLicense, "contoso", demo.ErrUntrue, "contoso: 1 users differ", verify.Untrue},
		"forged in initech": {noLicense, "initech", demo.ErrUntrue, "initech: 1 users differ", verify.Untrue},
		"held in contoso":   {somethingHeld, "contoso", demo.ErrHeld, "contoso: held: freeze-1 of 0 grants", verify.Parked},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			a := &app{getenv: func(string) string { return "" }, stdout: &stdout, stderr: &stderr}
			code := 0
			if is.forged != nil {
				a.tamper, code = is.forged.in(is.tenant), 1
			}
			err := a.execute(t.Context(), []string{
				"demo", "--once", "--json", "--users", "60", "--data", t.TempDir(),
				"--http-addr", "127.0.0.1:0", "--nats-addr", "127.0.0.1:0", "--log-level", "warn",
			})
			if got := ExitCode(err); got != code || !errors.Is(err, is.err) || !strings.Contains(stderr.String(), is.says) {
				t.Fatalf("exit code %d, want %d: %v\n%s", got, code, err, &stderr)
			}
			var result demo.Result
			d := json.NewDecoder(&stdout)
			d.DisallowUnknownFields()
			if err := d.Decode(&result); err != nil || d.More() {
				t.Fatalf("stdout is not one JSON object: %v", err)
			}
			if result.Verified != (is.err == nil) || len(result.Tenants) != 2 {
				t.Errorf("verified %v in %d tenants", result.Verified, len(result.Tenants))
			}
			for _, one := range result.Tenants {
				want := verify.True
				if one.Tenant == is.tenant {
					want = is.state
				}
				if one.Verified != (want == verify.True) || one.Verification.State != want || len(one.Steps) < 9 {
					t.Errorf("%s is verified %v as %s after %d steps", one.Tenant, one.Verified, one.Verification.State, len(one.Steps))
				}
			}
			if !strings.Contains(stderr.String(), "The group is deleted.") {
				t.Errorf("the story is not told on stderr:\n%s", &stderr)
			}
		})
	}
}
