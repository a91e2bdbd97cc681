package erase_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/erase"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

func TestMain(m *testing.M) { bustest.VerifyNoLeaks(m) }

// bench is a NATS server that holds something of every kind of some tenants.
type bench struct {
	t   *testing.T
	bus *bus.Bus
}

func (b bench) kv(bucket string) jetstream.KeyValue {
	b.t.Helper()
	kv, err := b.bus.KeyValue(b.t.Context(), bucket)
	if err != nil {
		b.t.Fatal(err)
	}
	return kv
}

func (b bench) registry() *tenant.Registry { return tenant.NewRegistry(b.kv(bus.BucketTenants)) }

// fill keeps something of a tenant everywhere.
func (b bench) fill(id string) {
	b.t.Helper()
	err := b.registry().Add(b.t.Context(), tenant.Tenant{
		ID: id, Provider: directory.Entra, DirectoryID: "d-" + id, Domain: id + ".com", Products: []tenant.Product{tenant.SecureShare()},
		Credential: tenant.Credential{Kind: tenant.ClientSecret, ClientID: "app", Env: "SECRET"}, Disconnected: true,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	for bucket, keys := range map[string][]string{
		bus.BucketCursors: {"feeds", "dirty", "lists", "command.news"}, bus.BucketChannels: {"AAAA", "BBBB"},
	} {
		for _, key := range keys {
			if _, err := b.kv(bucket).Put(b.t.Context(), id+"."+key, []byte("{}")); err != nil {
				b.t.Fatal(err)
			}
		}
	}
	for i, subject := range []string{
		event.NotificationSubject(id, directory.Entra), event.DirectorySubject(id, "page"), event.CommandSubject(id, "refresh"),
		event.DeadLetterSubject(bus.LedgerIn, id), event.LicenseSubject(id, "secure-share", "u1"),
	} {
		ev, err := event.New(event.TypeRefreshRequested, event.Meta{
			ID: fmt.Sprintf("%s.%d", id, i), Source: event.CommandSource(id), Time: time.Unix(1, 0), Tenant: id,
		}, event.RefreshRequested{RequestedBy: "test"})
		if err != nil {
			b.t.Fatal(err)
		}
		if _, err := b.bus.Publish(b.t.Context(), subject, ev); err != nil {
			b.t.Fatal(err)
		}
	}
}

// found returns where something of a tenant is kept: subjects and keys with it as a token, and claims with it as value.
func (b bench) found(id string) (places []string) {
	b.t.Helper()
	for _, stream := range []string{bus.Notifications, bus.LedgerIn, bus.DeadLetters, bus.Licenses} {
		s, err := b.bus.JetStream().Stream(b.t.Context(), stream)
		if err != nil {
			b.t.Fatal(err)
		}
		info, err := s.Info(b.t.Context(), jetstream.WithSubjectFilter(">"))
		if err != nil {
			b.t.Fatal(err)
		}
		for subject := range info.State.Subjects {
			if slices.Contains(strings.Split(subject, "."), id) {
				places = append(places, stream+" "+subject)
			}
		}
	}
	for _, bucket := range []string{bus.BucketTenants, bus.BucketCursors, bus.BucketChannels} {
		keys, err := b.kv(bucket).ListKeys(b.t.Context())
		if err != nil {
			b.t.Fatal(err)
		}
		for key := range keys.Keys() {
			entry, err := b.kv(bucket).Get(b.t.Context(), key)
			if err != nil {
				b.t.Fatal(err)
			}
			if slices.Contains(strings.Split(key, "."), id) || string(entry.Value()) == id {
				places = append(places, bucket+" "+key)
			}
		}
	}
	slices.Sort(places)
	return places
}

func TestNothingOfATenantIsLeftAndEverythingOfItsNeighbours(t *testing.T) {
	t.Parallel()
	b := bench{t, bustest.New(t)}
	tenants := []string{"contoso", "contoso-2", "so"}
	before := map[string][]string{}
	for _, id := range tenants {
		b.fill(id)
	}
	for _, id := range tenants {
		if before[id] = b.found(id); len(before[id]) != 5+2+6 {
			t.Fatalf("kept of %s: %q", id, before[id])
		}
	}
	for range 2 { // it may be done again
		if err := erase.Tenant(t.Context(), b.bus, "contoso", erase.Any); err != nil {
			t.Fatal(err)
		}
	}
	if got := b.found("contoso"); !slices.Equal(got, []string{"LICENSES license.contoso.secure-share.user.u1"}) {
		t.Errorf("left of contoso: %q", got)
	}
	for _, id := range tenants[1:] {
		if got := b.found(id); !slices.Equal(got, before[id]) {
			t.Errorf("left of %s: %q, want %q", id, got, before[id])
		}
	}
	b.fill("contoso") // its directory can be connected again
}

func TestConnectedTenantIsNotErased(t *testing.T) {
	t.Parallel()
	b := bench{t, bustest.New(t)}
	b.fill("contoso")
	one, err := b.registry().Get(t.Context(), "contoso")
	if err != nil {
		t.Fatal(err)
	}
	one.Disconnected = false
	if err := b.registry().Put(t.Context(), one); err != nil {
		t.Fatal(err)
	}
	before := b.found("contoso")
	if err := erase.Tenant(t.Context(), b.bus, "contoso", erase.Any); !errors.Is(err, erase.ErrConnected) {
		t.Errorf("%v, want ErrConnected", err)
	}
	for _, id := range []string{"", "*", ">", "contoso.*"} {
		if err := erase.Tenant(t.Context(), b.bus, id, erase.Any); err == nil {
			t.Errorf("%q was erased", id)
		}
	}
	if got := b.found("contoso"); !slices.Equal(got, before) {
		t.Errorf("left of it: %q, want all of %q", got, before)
	}
}

// A claim whose record was lost halfway is erased too.
func TestEraseThatWasBrokenOff(t *testing.T) {
	t.Parallel()
	b := bench{t, bustest.New(t)}
	b.fill("contoso")
	if err := b.kv(bus.BucketTenants).Delete(t.Context(), "contoso"); err != nil {
		t.Fatal(err)
	}
	if err := erase.Tenant(t.Context(), b.bus, "contoso", erase.Any); err != nil {
		t.Fatal(err)
	}
	if got := b.found("contoso"); len(got) != 1 {
		t.Errorf("left of it: %q", got)
	}
}
