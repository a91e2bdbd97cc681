package bus_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
)

// A server that comes back with an older copy of its stream gives new messages the sequences of lost ones: whoever keeps
// a position would take them for known.
func TestConsumeNoticesAStreamThatLostItsEnd(t *testing.T) {
	t.Parallel()
	var store string
	s := bustest.StartServer(t, func(o *server.Options) { store = o.StoreDir })
	b := s.Bus(bus.Config{})
	publish(t, b, "contoso", 1, 2)
	older := filepath.Join(t.TempDir(), "older")
	s.Stop()
	if err := os.CopyFS(older, os.DirFS(store)); err != nil {
		t.Fatal(err)
	}
	s.Resume()
	publish(t, b, "contoso", 3, 5)
	c := contoso(b)
	c.HasPosition = true
	arrived := make(chan int, 100)
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		ended <- b.Consume(ctx, c, func(_ context.Context, m bus.Message) error {
			arrived <- said(t, m)
			return nil
		})
	}()
	for range 5 {
		receive(t, arrived)
	}
	s.Stop()
	if err := errors.Join(os.RemoveAll(store), os.CopyFS(store, os.DirFS(older))); err != nil {
		t.Fatal(err)
	}
	s.Resume()
	if err := receive(t, ended); !errors.Is(err, bus.ErrPositionAhead) {
		t.Errorf("ended with %v", err)
	}
}
