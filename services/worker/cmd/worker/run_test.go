package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

func environment(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func TestRunsAlone(t *testing.T) {
	t.Parallel()
	server := bustest.StartServer(t)
	b := server.Bus(bus.Config{})
	connectTenant(t, b)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	var logs bytes.Buffer
	go func() {
		done <- run(ctx, environment(map[string]string{
			"ROLLCALL_NATS_URL": server.URL(), "ROLLCALL_NATS_PARTITIONS": "4", "ROLLCALL_HTTP_ADDR": "127.0.0.1:0",
			"ROLLCALL_LEDGER_URL": "sqlite:" + filepath.Join(t.TempDir(), "ledger.db"),
		}), &logs)
	}()
	read, stop := context.WithTimeout(ctx, 20*time.Second)
	defer stop()
	granted := errors.New("granted")
	err := b.Read(read, bus.ReadSpec{Stream: bus.Licenses, Follow: true}, func(m bus.Message) error {
		if m.Event.Type() == event.TypeLicenseGranted {
			return granted
		}
		return nil
	})
	cancel()
	if ended := <-done; ended != nil || !errors.Is(err, granted) {
		t.Fatalf("run: %v, read: %v; logs:\n%s", ended, err, &logs)
	}
}

// connectTenant registers a tenant and publishes its first full read.
func connectTenant(t *testing.T, b *bus.Bus) {
	t.Helper()
	kv, err := b.KeyValue(t.Context(), bus.BucketTenants)
	if err != nil {
		t.Fatal(err)
	}
	err = tenant.NewRegistry(kv).Add(t.Context(), tenant.Tenant{
		ID: "contoso", Provider: directory.Entra, DirectoryID: "dir", Domain: "contoso.com",
		Products:   []tenant.Product{tenant.SecureShare()},
		Credential: tenant.Credential{Kind: tenant.ClientSecret, ClientID: "app", Env: "SECRET"},
	})
	if err != nil {
		t.Fatal(err)
	}
	stamp := event.Stamp{Epoch: 1, Counter: 1}
	for _, p := range []struct {
		what, eventType string
		data            any
	}{
		{"page", event.TypeDirectoryObserved, event.DirectoryObserved{
			Stamp: stamp, Snapshot: "s", Observations: []event.Observation{{User: &event.User{ID: "ann", Status: "active"}}},
		}},
		{"snapshot", event.TypeSnapshotEnded, event.SnapshotEnded{
			Snapshot: "s", Began: stamp, Users: true, Groups: true, Members: []string{}, Pages: 1,
		}},
	} {
		ev, err := event.New(p.eventType, event.Meta{
			ID: "in." + p.what, Source: event.DirectorySource("contoso"), Time: time.Now(), Tenant: "contoso",
		}, p.data)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Publish(t.Context(), event.DirectorySubject("contoso", p.what), ev); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRunSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	for want, values := range map[string]map[string]string{
		"ROLLCALL_NATS_URL": {},
		"connect to NATS":   {"ROLLCALL_NATS_URL": "nats://127.0.0.1:1"},
		"log.level":         {"ROLLCALL_NATS_URL": "nats://127.0.0.1:1", "ROLLCALL_LOG_LEVEL": "loud"},
	} {
		var stderr bytes.Buffer
		err := run(t.Context(), environment(values), io.Discard)
		if code := exit(err, &stderr); code != 1 || !strings.Contains(stderr.String(), want) {
			t.Errorf("exit %d, %q; want one that speaks of %q", code, stderr.String(), want)
		}
	}
	if exit(nil, io.Discard) != 0 {
		t.Error("a good end is 0")
	}
}
