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

// copied is a server's store that can be brought back as it was.
type copied struct {
	t     *testing.T
	s     *bustest.Server
	store string
	older string
}

func newCopied(t *testing.T) *copied {
	t.Helper()
	c := &copied{t: t, older: filepath.Join(t.TempDir(), "older")}
	c.s = bustest.StartServer(t, func(o *server.Options) { c.store = o.StoreDir })
	return c
}

// keep copies the store as it is now.
func (c *copied) keep() {
	c.t.Helper()
	c.s.Stop()
	if err := os.CopyFS(c.older, os.DirFS(c.store)); err != nil {
		c.t.Fatal(err)
	}
	c.s.Resume()
}

// bringBack puts the copy in the store's place.
func (c *copied) bringBack() {
	c.t.Helper()
	c.s.Stop()
	if err := errors.Join(os.RemoveAll(c.store), os.CopyFS(c.store, os.DirFS(c.older))); err != nil {
		c.t.Fatal(err)
	}
	c.s.Resume()
}

// A stream that was brought back from an older copy counts again what its readers have seen: they would pass over it.
func TestAReaderNoticesAnOlderCopyOfItsStream(t *testing.T) {
	t.Parallel()
	store := newCopied(t)
	b := store.s.Bus(bus.Config{})
	publish(t, b, "contoso", 1, 1)
	store.keep()
	publish(t, store.s.Bus(bus.Config{}), "contoso", 2, 3)
	got, done := make(chan int, 10), make(chan error, 1)
	go func() {
		done <- b.Read(t.Context(), bus.ReadSpec{Stream: bus.LedgerIn, Follow: true}, func(m bus.Message) error {
			got <- said(t, m)
			return nil
		})
	}()
	for want := 1; want <= 3; want++ {
		if n := receive(t, got); n != want {
			t.Errorf("read %d, want %d", n, want)
		}
	}
	store.bringBack()
	if err := receive(t, done); !errors.Is(err, bus.ErrStreamReplaced) {
		t.Errorf("ended with %v", err)
	}
}

// A server that comes back with an older copy of its stream gives new messages the sequences of lost ones: whoever keeps
// a position would take them for known.
func TestConsumeNoticesAStreamThatLostItsEnd(t *testing.T) {
	t.Parallel()
	store := newCopied(t)
	b := store.s.Bus(bus.Config{})
	publish(t, b, "contoso", 1, 2)
	store.keep()
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
	store.bringBack()
	if err := receive(t, ended); !errors.Is(err, bus.ErrPositionAhead) {
		t.Errorf("ended with %v", err)
	}
}
