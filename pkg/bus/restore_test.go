package bus_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
)

// A stream that was brought back from an older copy counts again what its readers have seen: they would pass over it.
func TestAReaderNoticesAnOlderCopyOfItsStream(t *testing.T) {
	t.Parallel()
	var dir string
	s := bustest.StartServer(t, func(o *server.Options) { dir = o.StoreDir })
	b := s.Bus(bus.Config{})
	publish(t, b, "contoso", 1, 1)
	s.Stop()
	copied := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	s.Resume()
	publish(t, s.Bus(bus.Config{}), "contoso", 2, 3)
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
	s.Stop()
	if err := errors.Join(os.RemoveAll(dir), os.CopyFS(dir, os.DirFS(copied))); err != nil {
		t.Fatal(err)
	}
	s.Resume()
	if err := receive(t, done); !errors.Is(err, bus.ErrStreamReplaced) {
		t.Errorf("ended with %v", err)
	}
}
