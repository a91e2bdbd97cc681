package license_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/license"
)

type bundle struct {
	server *bustest.Server
	bus    *bus.Bus
	client *license.Client
}

func setup(t *testing.T) *bundle {
	t.Helper()
	s := bustest.StartServer(t)
	b := &bundle{server: s, bus: s.Bus(bus.Config{})}
	var err error
	if b.client, err = license.New(s.Connect()); err != nil {
		t.Fatal(err)
	}
	return b
}

// grant publishes the events from..to of a source: odd sequences license user u-<sequence mod 3>, even ones do not.
func (b *bundle) grant(t *testing.T, tenant, product string, from, to uint64) {
	t.Helper()
	for n := from; n <= to; n++ {
		user := fmt.Sprintf("u-%d", n%3)
		kind := event.TypeLicenseGranted
		if n%2 == 0 {
			kind = event.TypeLicenseRevoked
		}
		b.publish(t, kind, event.LicenseSubject(tenant, product, user), user, tenant, product, n,
			event.Entitlement{Tenant: tenant, Product: product, User: user, Licensed: n%2 == 1, Reason: "group-member"})
	}
}

func (b *bundle) publish(t *testing.T, kind, subject, user, tenant, product string, n uint64, data any) {
	t.Helper()
	ev, err := event.New(kind, event.Meta{
		ID: event.LicenseID(tenant, product, n), Source: event.LicenseSource(tenant, product), Subject: user,
		Time: time.Unix(1_700_000_000, 0), Tenant: tenant, Sequence: n, Cause: "because",
	}, data)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.bus.Publish(t.Context(), subject, ev, bus.WithoutDeduplication()); err != nil {
		t.Fatal(err)
	}
}

// expireAll lets everything on LICENSES expire, then keeps what comes for long again.
func (b *bundle) expireAll(t *testing.T) {
	t.Helper()
	b.server.Bus(bus.Config{LicensesMaxAge: 200 * time.Millisecond})
	stream, err := b.bus.JetStream().Stream(t.Context(), bus.Licenses)
	if err != nil {
		t.Fatal(err)
	}
	for info, err := stream.Info(t.Context()); err != nil || info.State.Msgs > 0; info, err = stream.Info(t.Context()) {
		if t.Context().Err() != nil {
			t.Fatal("nothing expires")
		}
	}
	b.server.Bus(bus.Config{LicensesMaxAge: time.Hour})
}

// replay collects the sequences that a replay shows.
func (b *bundle) replay(t *testing.T, o license.Options) ([]uint64, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var got []uint64
	err := b.client.Replay(ctx, o, func(_ context.Context, e license.Event) error {
		got = append(got, e.Sequence)
		return nil
	})
	return got, err
}

// follow runs a reader beside the test; the returned function ends it and gives its error.
func follow(t *testing.T, read func(context.Context, license.Options, license.Handler) error, o license.Options, fn license.Handler) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- read(ctx, o, fn) }()
	return func() error {
		cancel()
		return <-done
	}
}

func receive[T any](t *testing.T, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(20 * time.Second):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}
