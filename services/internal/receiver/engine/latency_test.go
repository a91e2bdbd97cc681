package engine_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/lease/leasetest"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/engine"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/receivertest"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/secret"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// one is a registry of one tenant that never changes.
type one struct{ tenant tenant.Tenant }

func (o one) Watch(ctx context.Context, onChange func(tenant.Change)) error {
	onChange(tenant.Change{ID: o.tenant.ID, Tenant: &o.tenant, Initial: true})
	onChange(tenant.Change{InitialDone: true})
	<-ctx.Done()
	return nil
}

// BenchmarkPushToPage is the time from a push to its page on LEDGER_IN, with fsync and a provider that answers at once.
func BenchmarkPushToPage(b *testing.B) {
	events := bustest.StartServer(b, bustest.SyncAlways()).Bus(bus.Config{})
	dir := &receivertest.Directory{}
	keys := secret.Generate()
	e := engine.New(engine.Config{}, engine.Deps{
		Provider: &receivertest.Provider{Directories: map[string]*receivertest.Directory{"contoso": dir}}, Keys: keys, Bus: events,
		Tenants: one{tenant.Tenant{ID: "contoso", Provider: directory.Entra, DirectoryID: "d-contoso", Domain: "contoso.com"}},
		Leases:  leasetest.Alone{Clock: clock.System()},
		Logger:  slog.New(slog.DiscardHandler), Clock: clock.System(), Metrics: prometheus.NewRegistry(),
	})
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 2)
	told := make(chan string, 16)
	go func() { done <- e.Run(ctx) }()
	go func() {
		done <- events.Read(ctx, bus.ReadSpec{Stream: bus.LedgerIn, Follow: true}, func(m bus.Message) error {
			told <- m.Event.Type()
			return nil
		})
	}()
	await(b, told, event.TypeSnapshotEnded)
	s, err := keys.Sign(directory.Entra, secret.Proof{Tenant: "contoso", Channel: "c1"})
	if err != nil {
		b.Fatal(err)
	}
	push := receivertest.Body(receivertest.Item{Directory: "d-contoso", Subscription: "s1", Secret: s, Resource: "user", ID: "u1"})
	for b.Loop() {
		dir.PutUser(user("u1"))
		w := httptest.NewRecorder()
		if e.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(push))); w.Code != http.StatusAccepted {
			b.Fatalf("answer %d", w.Code)
		}
		await(b, told, event.TypeDirectoryObserved)
	}
	b.StopTimer()
	cancel()
	<-done
	<-done
}

func await(b *testing.B, told <-chan string, eventType string) {
	b.Helper()
	deadline := time.After(patience)
	for {
		select {
		case got := <-told:
			if got == eventType {
				return
			}
		case <-deadline:
			b.Fatalf("no %s", eventType)
		}
	}
}
