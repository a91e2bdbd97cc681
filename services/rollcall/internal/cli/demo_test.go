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

// forge tells the world that a licensed user has no license, in an event that only its content gives away.
func forge(ctx context.Context, natsURL string) error {
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
	if err := client.Replay(ctx, license.Options{}, func(_ context.Context, e license.Event) error {
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
	for name, c := range map[string]struct {
		tamper func(context.Context, string) error
		code   int
	}{
		"as it is":            {code: 0},
		"one decision forged": {tamper: forge, code: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			a := &app{getenv: func(string) string { return "" }, stdout: &stdout, stderr: &stderr, tamper: c.tamper}
			err := a.execute(t.Context(), []string{
				"demo", "--once", "--json", "--users", "60", "--data", t.TempDir(),
				"--http-addr", "127.0.0.1:0", "--nats-addr", "127.0.0.1:0", "--log-level", "warn",
			})
			if code := ExitCode(err); code != c.code {
				t.Fatalf("exit code %d, want %d: %v\n%s", code, c.code, err, &stderr)
			}
			var result demo.Result
			d := json.NewDecoder(&stdout)
			d.DisallowUnknownFields()
			if err := d.Decode(&result); err != nil || d.More() {
				t.Fatalf("stdout is not one JSON object: %v", err)
			}
			if result.Verified != (c.code == 0) || len(result.Steps) < 9 {
				t.Errorf("verified %v after %d steps", result.Verified, len(result.Steps))
			}
			if forged := c.tamper != nil; errors.Is(err, demo.ErrUntrue) != forged || strings.Contains(stderr.String(), "1 users differ") != forged {
				t.Errorf("error %v\n%s", err, &stderr)
			}
			if !strings.Contains(stderr.String(), "The group is deleted.") {
				t.Errorf("the story is not told on stderr:\n%s", &stderr)
			}
		})
	}
}
