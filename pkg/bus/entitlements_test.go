package bus_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/event"
)

func TestEntitlementsFollowLicenses(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	kv, err := b.KeyValue(t.Context(), bus.BucketEntitlements)
	if err != nil {
		t.Fatal(err)
	}
	watch, err := kv.WatchAll(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = watch.Stop() }()
	if first := receive(t, watch.Updates()); first != nil {
		t.Fatalf("a fresh bucket holds %s", first.Key())
	}
	for n := uint64(1); n <= 3; n++ {
		publishLicense(t, b, "contoso", "secure-share", "u-1", n)
		entry := receive(t, watch.Updates())
		ev, err := event.Decode(entry.Value())
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := event.Sequence(ev); entry.Key() != "contoso.secure-share.u-1" || got != n || entry.Operation() != jetstream.KeyValuePut {
			t.Errorf("watched %s, sequence %d, %v", entry.Key(), got, entry.Operation())
		}
	}
	entry, err := kv.Get(t.Context(), "contoso.secure-share.u-1")
	if err != nil || !json.Valid(entry.Value()) {
		t.Errorf("get: %v", err)
	}
	if status, err := kv.Status(t.Context()); err != nil || status.Values() != 1 {
		t.Errorf("bucket holds %v values, %v", status.Values(), err)
	}
}

func TestNobodyElseWritesEntitlements(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	publishLicense(t, b, "contoso", "secure-share", "u-1", 1)
	kv, err := b.KeyValue(t.Context(), bus.BucketEntitlements)
	if err != nil {
		t.Fatal(err)
	}
	const key = "contoso.secure-share.u-1"
	if _, err := kv.Put(t.Context(), key, []byte("{}")); !errors.Is(err, jetstream.ErrNoStreamResponse) && !errors.Is(err, nats.ErrNoResponders) {
		t.Errorf("put: %v", err)
	}
	if err := kv.Delete(t.Context(), key); err == nil {
		t.Error("delete was accepted")
	}
	if err := kv.Purge(t.Context(), key); err == nil {
		t.Error("purge was accepted")
	}
	s, err := b.JetStream().Stream(t.Context(), "KV_"+bus.BucketEntitlements)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Purge(t.Context()); err == nil {
		t.Error("purge of the stream was accepted")
	}
	if err := s.DeleteMsg(t.Context(), 1); err == nil {
		t.Error("deleting a message was accepted")
	}
}

// Policy events are of a product, not of a user: they are no entitlement.
func TestEntitlementsHoldUsersOnly(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	ev := note(t, "contoso", "p", 1)
	if _, err := b.Publish(t.Context(), event.PolicySubject("contoso", "secure-share"), ev); err != nil {
		t.Fatal(err)
	}
	publishLicense(t, b, "contoso", "secure-share", "u-1", 2)
	kv, err := b.KeyValue(t.Context(), bus.BucketEntitlements)
	if err != nil {
		t.Fatal(err)
	}
	watch, err := kv.WatchAll(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = watch.Stop() }()
	for {
		entry := receive(t, watch.Updates())
		if entry == nil {
			continue // the marker of what was there when watching began
		}
		if entry.Key() != "contoso.secure-share.u-1" {
			t.Errorf("found %s", entry.Key())
		}
		return
	}
}

func publishLicense(tb testing.TB, b *bus.Bus, tenant, product, user string, sequence uint64) {
	tb.Helper()
	ev, err := event.New(event.TypeLicenseGranted, event.Meta{
		ID: event.LicenseID(tenant, product, sequence), Source: event.LicenseSource(tenant, product), Subject: user,
		Tenant: tenant, Sequence: sequence,
	}, event.Entitlement{Tenant: tenant, Product: product, User: user, Licensed: sequence%2 == 1})
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := b.Publish(tb.Context(), event.LicenseSubject(tenant, product, user), ev); err != nil {
		tb.Fatal(err)
	}
}
