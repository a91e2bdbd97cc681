package cli_test

import (
	"net"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/config"
	"github.com/rollcall-hq/rollcall/services/internal/natsserver"
	"github.com/rollcall-hq/rollcall/services/internal/supervise"
)

// TestRolesApartInAnyOrder runs the roles as processes of their own on a NATS server that starts last.
func TestRolesApartInAnyOrder(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	sim := newSimulator(t)
	receiver, worker := settings(t, 50*time.Millisecond), settings(t, 0)
	receiver.Roles, worker.Roles = []string{config.RoleGraphReceiver}, []string{config.RoleWorker}
	receiver.NATS.URL, worker.NATS.URL = "nats://"+address, "nats://"+address

	natsStore := t.TempDir()
	began := make(chan *natsserver.Server, 1)
	time.AfterFunc(300*time.Millisecond, func() { // by then the first process has found nobody
		s, err := natsserver.Start(natsserver.Config{StoreDir: natsStore, Listen: address}, natsserver.Deps{})
		if err != nil {
			t.Error(err)
		}
		began <- s
	})
	t.Cleanup(func() { (<-began).Shutdown() }) // the last of all
	first := start(t, worker, nil)
	start(t, receiver, nil, supervise.Worker{Name: "simulator", Run: sim.Run})

	h := &house{data: worker.Data, natsURL: first.NATSURL(), simulator: sim}
	h.simulate(t)
	h.connect(t)
	if someone := h.someone(t); !h.licensed(t, someone) {
		t.Errorf("%s is not licensed", someone)
	}
	if len(first.Moved()) != 0 {
		t.Errorf("moved: %v", first.Moved())
	}
}
