package verify_test

import (
	"context"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/verify"
)

func TestCopiesAreHeldToTheStream(t *testing.T) {
	t.Parallel()
	truth := stream(nil).says(granted("ada")).says(granted("bob")).says(granted("eve")).says(revoked("bob"))
	good := map[string]verify.Decision{"ada": {true, 1}, "bob": {false, 4}, "eve": {true, 3}}
	with := func(user string, d verify.Decision) map[string]verify.Decision {
		all := maps.Clone(good)
		all[user] = d
		return all
	}
	without := maps.Clone(good)
	delete(without, "eve")
	for name, c := range map[string]struct {
		held  map[string]verify.Decision
		wrong string // user that differs first; "" for none
	}{
		"the same":       {held: good},
		"another answer": {held: with("ada", verify.Decision{Sequence: 1}), wrong: "ada"},
		"an old event":   {held: with("bob", verify.Decision{Sequence: 2}), wrong: "bob"},
		"one too many":   {held: with("mallory", verify.Decision{Licensed: true, Sequence: 5}), wrong: "mallory"},
		"one too few":    {held: without, wrong: "eve"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			held := verify.Copy{Name: "the notebook", Read: func(context.Context) (map[string]verify.Decision, error) { return c.held, nil }}
			report, err := verify.Compare(t.Context(), cfg, verify.Sources{Directory: company(), Stream: truth, Copies: []verify.Copy{held}})
			if err != nil {
				t.Fatal(err)
			}
			says := "the notebook differs from LICENSES for 1 users, first " + c.wrong
			if report.OK() != (c.wrong == "") || c.wrong != "" && !strings.Contains(report.String(), says) {
				t.Errorf("want %q wrong, got: %s", c.wrong, report)
			}
			if c.wrong == "" && !strings.Contains(report.String(), "say the directory, LICENSES, the notebook;") {
				t.Errorf("who agrees is not told: %s", report)
			}
		})
	}
}

// TestBucketIsReadAsTheServerFillsIt publishes decisions for two tenants and reads those of one back from the bucket.
func TestBucketIsReadAsTheServerFillsIt(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	for n, user := range []string{"ada", "bob", "ada"} {
		publish(t, b, "contoso", user, uint64(n+1), n < 2)
	}
	publish(t, b, "initech", "peter", 1, true)
	kv, err := b.KeyValue(t.Context(), bus.BucketEntitlements)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]verify.Decision{"ada": {false, 3}, "bob": {true, 2}}
	limit := time.After(10 * time.Second)
	for {
		got, err := verify.Bucket(kv, cfg).Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if cmp.Equal(want, got) {
			break
		}
		select {
		case <-limit:
			t.Fatalf("(-want +got):\n%s", cmp.Diff(want, got))
		case <-time.After(time.Millisecond): // the server sources the bucket in its own time
		}
	}
	if none, err := verify.Bucket(kv, verify.Config{Tenant: "nobody", Product: cfg.Product}).Read(t.Context()); err != nil || len(none) != 0 {
		t.Errorf("nobody: %v, %v", none, err)
	}
}

func publish(t *testing.T, b *bus.Bus, tenant, user string, sequence uint64, licensed bool) {
	t.Helper()
	ev, err := event.New(event.TypeLicenseGranted, event.Meta{
		ID: event.LicenseID(tenant, cfg.Product, sequence), Source: event.LicenseSource(tenant, cfg.Product), Subject: user,
		Time: time.Now(), Tenant: tenant, Sequence: sequence,
	}, event.Entitlement{Tenant: tenant, Product: cfg.Product, User: user, Licensed: licensed, Since: time.Now(), Reason: "domain-default"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Publish(t.Context(), event.LicenseSubject(tenant, cfg.Product, user), ev); err != nil {
		t.Fatal(err)
	}
}
