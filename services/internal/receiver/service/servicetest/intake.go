// Package servicetest holds a whole receiver to the tables of docs/notifications.md, over HTTP and a real NATS server.
package servicetest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/event/eventtest"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/lease/leasetest"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/channel"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/secret"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/service"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// Intake is a whole service behind a real listener.
type Intake struct {
	T    testing.TB
	NATS *bustest.Server
	Bus  *bus.Bus
	Keys secret.Keys
	URL  string // where the provider pushes to
	Log  fmt.Stringer

	service *service.Service
	metrics *prometheus.Registry
}

// New makes a service, as a provider's package does.
type New func(service.Config, service.Deps) (*service.Service, error)

// Start makes a service that takes pushes at path and knows these tenants, and does not run it yet.
func Start(t testing.TB, make New, path string, tenants ...tenant.Tenant) *Intake {
	t.Helper()
	in := &Intake{T: t, NATS: bustest.StartServer(t), metrics: prometheus.NewRegistry()}
	in.Bus = in.NATS.Bus(bus.Config{})
	kv, err := in.Bus.KeyValue(t.Context(), bus.BucketTenants)
	if err != nil {
		t.Fatal(err)
	}
	registry := tenant.NewRegistry(kv)
	for _, one := range tenants {
		if err := registry.Add(t.Context(), one); err != nil {
			t.Fatal(err)
		}
	}
	keysFile := filepath.Join(t.TempDir(), "intake.keys")
	log := &lockedBuffer{}
	in.Log = log
	in.service, err = make(service.Config{KeysFile: keysFile, CreateKeys: true}, service.Deps{
		Bus: in.Bus, Tenants: registry, Leases: leasetest.Alone{Clock: clock.System()}, Logger: slog.New(slog.NewTextHandler(log, nil)), Clock: clock.System(), Metrics: in.metrics,
	})
	if err != nil {
		t.Fatal(err)
	}
	if in.Keys, err = secret.Load(keysFile); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(in.service.Handler())
	t.Cleanup(server.Close)
	in.URL = server.URL + path
	return in
}

// Run runs the service until the test ends, and returns when it is ready.
func (in *Intake) Run() {
	in.T.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- in.service.Run(ctx) }()
	in.T.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			in.T.Errorf("Run: %v", err)
		}
	})
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for in.service.Ready(in.T.Context()) != nil {
		<-tick.C
	}
}

// Secret is what the provider echoes of a tenant's channel.
func (in *Intake) Secret(provider directory.Provider, tenantID, channel string) string {
	in.T.Helper()
	s, err := in.Keys.Sign(provider, secret.Proof{Tenant: tenantID, Channel: channel})
	if err != nil {
		in.T.Fatal(err)
	}
	return s
}

// Channel stores the record of a tenant's channel, as its keeper would.
func (in *Intake) Channel(tenantID string, r channel.Record) {
	in.T.Helper()
	kv, err := in.Bus.KeyValue(in.T.Context(), bus.BucketChannels)
	if err != nil {
		in.T.Fatal(err)
	}
	body, err := json.Marshal(r)
	if err != nil {
		in.T.Fatal(err)
	}
	if _, err := kv.Put(in.T.Context(), tenantID+"."+r.Name, body); err != nil {
		in.T.Fatal(err)
	}
}

// Do sends a request and returns its status.
func (in *Intake) Do(method, target string, header http.Header, body string) int {
	in.T.Helper()
	status, _ := in.Ask(method, target, header, body)
	return status
}

// Ask sends a request and returns its status and what is answered.
func (in *Intake) Ask(method, target string, header http.Header, body string) (int, string) {
	in.T.Helper()
	r, err := http.NewRequestWithContext(in.T.Context(), method, target, strings.NewReader(body))
	if err != nil {
		in.T.Fatal(err)
	}
	r.Header = header
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		in.T.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		in.T.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// Slow sends a body that does not come to its end.
func (in *Intake) Slow() int {
	in.T.Helper()
	u, err := url.Parse(in.URL)
	if err != nil {
		in.T.Fatal(err)
	}
	conn, err := (&net.Dialer{}).DialContext(in.T.Context(), "tcp", u.Host)
	if err != nil {
		in.T.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{", u.Path); err != nil {
		in.T.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		in.T.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	return answer.StatusCode
}

// Settle waits until NATS is there again.
func (in *Intake) Settle() {
	in.T.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := in.Bus.StreamCreated(in.T.Context(), bus.Notifications); err == nil {
			return
		}
		<-tick.C
	}
}

// Hints returns what is on NOTIFICATIONS, each checked against its schema.
func (in *Intake) Hints() (hints []event.NotificationReceived) {
	in.T.Helper()
	err := in.Bus.Read(in.T.Context(), bus.ReadSpec{Stream: bus.Notifications}, func(m bus.Message) error {
		eventtest.Validate(in.T, m.Event)
		data, err := event.Data[event.NotificationReceived](m.Event)
		hints = append(hints, data)
		return err
	})
	if err != nil {
		in.T.Fatal(err)
	}
	return hints
}
