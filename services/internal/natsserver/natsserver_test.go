package natsserver_test

import (
	"net"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-hq/rollcall/services/internal/natsserver"
)

func start(t *testing.T, cfg natsserver.Config) *natsserver.Server {
	t.Helper()
	s, err := natsserver.Start(cfg, natsserver.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Shutdown)
	return s
}

func TestMessagesOutliveTheServer(t *testing.T) {
	t.Parallel()
	cfg := natsserver.Config{StoreDir: t.TempDir(), Listen: "127.0.0.1:0", SyncAlways: true}
	first, err := natsserver.Start(cfg, natsserver.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	nc, err := nats.Connect(first.URL()) // as any client on the machine
	if err != nil {
		t.Fatal(err)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}, MaxBytes: 1 << 42}); err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), "s", []byte("kept")); err != nil {
		t.Fatal(err)
	}
	nc.Close()
	first.Shutdown()

	nc, err = start(t, cfg).Connect() // within the process
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if js, err = jetstream.New(nc); err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(t.Context(), "S")
	if err != nil {
		t.Fatal(err)
	}
	if msg, err := stream.GetMsg(t.Context(), 1); err != nil || string(msg.Data) != "kept" {
		t.Fatalf("message %v, %v", msg, err)
	}
}

func TestATakenPortIsReplacedWhenAsked(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	cfg := natsserver.Config{StoreDir: t.TempDir(), Listen: taken.Addr().String()}
	if _, err := natsserver.Start(cfg, natsserver.Deps{}); err == nil {
		t.Fatal("started on a taken port")
	}
	cfg.ReplaceTakenPort = true
	s := start(t, cfg)
	if !s.Moved() || strings.HasSuffix(s.URL(), taken.Addr().String()) || strings.HasSuffix(s.URL(), ":0") {
		t.Errorf("moved %v, URL %s", s.Moved(), s.URL())
	}
}
