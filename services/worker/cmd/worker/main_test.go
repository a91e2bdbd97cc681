package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
	"github.com/rollcall-hq/rollcall/services/internal/process/processtest"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

func TestMain(m *testing.M) { processtest.Main(m, main) }

func TestRunsAlone(t *testing.T) {
	t.Parallel()
	runsAlone(t)
}

// The role that owns a database and signs in with a password is all that a worker needs of Postgres.
func TestRunsAloneOnPostgres(t *testing.T) {
	t.Parallel()
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	runsAlone(t, "ROLLCALL_LEDGER_URL="+ledgertest.Guarded(t, "s3cret"), "ROLLCALL_LEDGER_PASSWORD_FILE="+password)
}

func runsAlone(t *testing.T, settings ...string) {
	t.Helper()
	server := bustest.StartServer(t)
	b := server.Bus(bus.Config{})
	connectTenant(t, b)
	worker := processtest.Start(t, append(settings,
		"ROLLCALL_NATS_URL="+server.URL(), "ROLLCALL_NATS_PARTITIONS=4", "ROLLCALL_ROLES=graph-receiver",
		"ROLLCALL_WORKER_DOUBT=0s")...)
	await(t, b, event.TypeLicenseGranted)
	if _, metrics := worker.Do(http.MethodGet, "/metrics"); !strings.Contains(metrics, `rollcall_bus_settled_total{outcome="acked",stream="LEDGER_IN",type="io.rollcall.directory.observed.v1"} 1`) {
		t.Errorf("not in the metrics: what became of the messages\n%s", metrics)
	}
	hold(t, b)
	if _, metrics := worker.Do(http.MethodGet, "/metrics"); !strings.Contains(metrics, `rollcall_held_age_seconds{kind="freeze",product="secure-share",tenant="contoso"} `) {
		t.Errorf("not in the metrics: how long the held change waits\n%s", metrics)
	}
	if status, _ := worker.Do(http.MethodPost, "/graph/notifications"); status != http.StatusNotFound {
		t.Errorf("a worker answers pushes with %d", status)
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
	publish(t, b, event.DirectorySubject("contoso", "page"), "in.page", event.TypeDirectoryObserved, event.DirectoryObserved{
		Stamp: stamp, Snapshot: "s", Observations: []event.Observation{{User: &event.User{ID: "ann", Status: "active"}}},
	})
	publish(t, b, event.DirectorySubject("contoso", "snapshot"), "in.snapshot", event.TypeSnapshotEnded, event.SnapshotEnded{
		Snapshot: "s", Began: stamp, Users: true, Groups: true, Members: []string{}, Pages: 1,
	})
}

// hold freezes the tenant, has it lose its user, and waits until that is held.
func hold(t *testing.T, b *bus.Bus) {
	t.Helper()
	frozen := true
	publish(t, b, event.CommandSubject("contoso", event.VerbSettings), event.CommandID("contoso", event.VerbSettings, "1"),
		event.TypeSettingsRequested, event.SettingsRequested{Frozen: &frozen, By: "ada"})
	publish(t, b, event.DirectorySubject("contoso", "page"), "in.later", event.TypeDirectoryObserved, event.DirectoryObserved{
		Stamp: event.Stamp{Epoch: 1, Counter: 2}, Observations: []event.Observation{{User: &event.User{ID: "ann", Status: "suspended"}}},
	})
	await(t, b, event.TypeHeldOpened)
}

// await waits until LICENSES has an event of that type.
func await(t *testing.T, b *bus.Bus, eventType string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	told := errors.New("told")
	err := b.Read(ctx, bus.ReadSpec{Stream: bus.Licenses, Follow: true}, func(m bus.Message) error {
		if m.Event.Type() == eventType {
			return told
		}
		return nil
	})
	if !errors.Is(err, told) {
		t.Fatalf("no %s: %v", eventType, err)
	}
}

func publish(t *testing.T, b *bus.Bus, subject, id, eventType string, data any) {
	t.Helper()
	ev, err := event.New(eventType, event.Meta{
		ID: id, Source: event.DirectorySource("contoso"), Time: time.Now(), Tenant: "contoso",
	}, data)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Publish(t.Context(), subject, ev); err != nil {
		t.Fatal(err)
	}
}
