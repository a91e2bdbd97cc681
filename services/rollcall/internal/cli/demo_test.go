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
)

// forge tells the world that a licensed user of a tenant has no license, in an event that only its content gives away.
func forge(tenant string) func(ctx context.Context, natsURL string) error {
	return func(ctx context.Context, natsURL string) error { return forgeLast(ctx, natsURL, tenant) }
}

func forgeLast(ctx context.Context, natsURL, tenant string) error {
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
	user := *last.Entitlement
	user.Licensed = !user.Licensed
	ev, err := event.New(event.TypeLicenseRevoked, event.Meta{
		ID:     event.LicenseID(last.Tenant, last.Product, last.Sequence+1),
		Source: event.LicenseSource(last.Tenant, last.Product), Subject: user.User, Time: time.Now(), Tenant: last.Tenant,
		Sequence: last.Sequence + 1,
	}, user)
	if err != nil {
		return err
	}
	b, err := bus.New(nc, bus.Config{})
	if err != nil {
		return err
	}
	_, err = b.Publish(ctx, event.LicenseSubject(last.Tenant, last.Product, user.User), ev)
	return err
}

func TestDemoExitsWithTheTruth(t *testing.T) {
	t.Parallel()
	for name, forged := range map[string]string{ // in which tenant
		"as it is":          "",
		"forged in contoso": "contoso",
		"forged in initech": "initech",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			a := &app{getenv: func(string) string { return "" }, stdout: &stdout, stderr: &stderr}
			code := 0
			if forged != "" {
				a.tamper, code = forge(forged), 1
			}
			err := a.execute(t.Context(), []string{
				"demo", "--once", "--json", "--users", "60", "--data", t.TempDir(),
				"--http-addr", "127.0.0.1:0", "--nats-addr", "127.0.0.1:0", "--log-level", "warn",
			})
			if got := ExitCode(err); got != code {
				t.Fatalf("exit code %d, want %d: %v\n%s", got, code, err, &stderr)
			}
			var result demo.Result
			d := json.NewDecoder(&stdout)
			d.DisallowUnknownFields()
			if err := d.Decode(&result); err != nil || d.More() {
				t.Fatalf("stdout is not one JSON object: %v", err)
			}
			if result.Verified != (forged == "") || len(result.Tenants) != 2 {
				t.Errorf("verified %v in %d tenants", result.Verified, len(result.Tenants))
			}
			for _, one := range result.Tenants {
				if one.Verified != (forged != one.Tenant) || len(one.Steps) < 9 {
					t.Errorf("%s is verified %v after %d steps", one.Tenant, one.Verified, len(one.Steps))
				}
			}
			if says := forged + ": 1 users differ"; errors.Is(err, demo.ErrUntrue) != (forged != "") || forged != "" && !strings.Contains(stderr.String(), says) {
				t.Errorf("error %v\n%s", err, &stderr)
			}
			if !strings.Contains(stderr.String(), "The group is deleted.") {
				t.Errorf("the story is not told on stderr:\n%s", &stderr)
			}
		})
	}
}
