package license_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/license"
)

// The present state of one tenant is its record, folded.
func ExampleClient_Replay() {
	nc, stop := record()
	defer stop()
	client, err := license.New(nc)
	if err != nil {
		fmt.Println(err)
		return
	}
	var state license.Fold
	err = client.Replay(context.Background(), license.Options{Tenant: "contoso"}, func(_ context.Context, e license.Event) error {
		fmt.Println(e.Sequence, e.User, e.Entitlement.Licensed, e.Entitlement.Reason)
		state.Apply(e)
		return nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("alice is licensed:", state.Licensed(license.Key{Tenant: "contoso", Product: "secure-share", User: "alice"}))
	// Output:
	// 1 alice true domain-default
	// 2 bob true domain-default
	// 3 alice false not-a-member
	// alice is licensed: false
}

// A service that keeps its own position asks for the first event that it has not had. What it can no longer have is an
// error, so it knows that it must begin anew.
func ExampleClient_Replay_position() {
	nc, stop := record()
	defer stop()
	client, err := license.New(nc)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, next := range []uint64{3, 9} {
		from := license.Options{Tenant: "contoso", Product: "secure-share", FromSequence: next}
		err := client.Replay(context.Background(), from, func(_ context.Context, e license.Event) error {
			fmt.Println(e.ID, e.Type)
			return nil
		})
		switch {
		case errors.Is(err, license.ErrExpired), errors.Is(err, license.ErrGap), errors.Is(err, license.ErrAhead):
			fmt.Println("begin anew:", err)
		case err != nil:
			fmt.Println(err)
		}
	}
	// Output:
	// contoso.secure-share.3 io.rollcall.license.revoked.v1
	// begin anew: the position is ahead of the license events: asked for sequence 9, the last is 3
}

// With a durable name the server keeps the position: a service that was away gets what it missed. An event is done when
// the handler returns nil.
func ExampleClient_Subscribe() {
	nc, stop := record()
	defer stop()
	client, err := license.New(nc)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	billing := license.Options{Tenant: "contoso", Durable: "billing", FromStreamSequence: 1}
	err = client.Subscribe(ctx, billing, func(_ context.Context, e license.Event) error {
		fmt.Println(e.User, e.Entitlement.Licensed)
		if e.Sequence == 3 {
			cancel() // the service ends
		}
		return nil
	})
	fmt.Println("ended:", err)
	// Output:
	// alice true
	// bob true
	// alice false
	// ended: <nil>
}

// A service that asks at every request keeps a replica: it answers from memory, and a page that is open can wait for a change.
func ExampleClient_Replica() {
	nc, stop := record()
	defer stop()
	client, err := license.New(nc)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	replica, err := client.Replica(ctx, license.Options{Tenant: "contoso"})
	if err != nil {
		fmt.Println(err)
		return
	}
	ended := make(chan error)
	go func() { ended <- replica.Run(ctx) }()
	alice := license.Key{Tenant: "contoso", Product: "secure-share", User: "alice"}
	state, _, changed := replica.Watch(alice)
	for state.Sequence < 3 {
		<-changed
		state, _, changed = replica.Watch(alice)
	}
	fmt.Println("alice:", state.Licensed, state.Reason)
	cancel()
	fmt.Println("ended:", <-ended)
	// Output:
	// alice: false not-a-member
	// ended: <nil>
}

// record starts a NATS server with three license events on it.
func record() (nc *nats.Conn, stop func()) {
	dir, err := os.MkdirTemp("", "rollcall-example")
	check(err)
	s, err := server.NewServer(&server.Options{DontListen: true, JetStream: true, StoreDir: dir, NoSigs: true, NoLog: true})
	check(err)
	s.Start()
	nc, err = nats.Connect("", nats.InProcessServer(s))
	check(err)
	ctx := context.Background()
	b, err := bus.New(nc, bus.Config{NotificationsMaxBytes: 1 << 20})
	check(err)
	check(b.EnsureTopology(ctx))
	for i, e := range []struct {
		eventType string
		data      event.Entitlement
	}{
		{event.TypeLicenseGranted, event.Entitlement{User: "alice", Licensed: true, Reason: "domain-default"}},
		{event.TypeLicenseGranted, event.Entitlement{User: "bob", Licensed: true, Reason: "domain-default"}},
		{event.TypeLicenseRevoked, event.Entitlement{User: "alice", Licensed: false, Reason: "not-a-member"}},
	} {
		sequence := uint64(i) + 1
		e.data.Tenant, e.data.Product = "contoso", "secure-share"
		ev, err := event.New(e.eventType, event.Meta{
			ID: event.LicenseID("contoso", "secure-share", sequence), Source: event.LicenseSource("contoso", "secure-share"),
			Subject: e.data.User, Time: time.Now(), Tenant: "contoso", Sequence: sequence,
		}, e.data)
		check(err)
		_, err = b.Publish(ctx, event.LicenseSubject("contoso", "secure-share", e.data.User), ev)
		check(err)
	}
	return nc, func() {
		nc.Close()
		s.Shutdown()
		s.WaitForShutdown()
		check(os.RemoveAll(dir))
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
