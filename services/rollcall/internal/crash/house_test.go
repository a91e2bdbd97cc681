package crash

import (
	"context"
	"maps"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/license"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/held"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/verify"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// home is a simulator that lives, and a rollcall that dies and comes back over one data folder at the same addresses.
type home struct {
	programs               string
	env                    []string
	http                   string
	simulator, simulatorCA string
	nc                     *nats.Conn // outlives every rollcall
	client                 *control.Client
	published              atomic.Int64  // license events that a subscriber has heard, over all lives
	news                   chan struct{} // has a token when one was heard
}

const (
	appID     = "5a1f0c3e-7a7e-4d0b-9a55-0c6a7f3f6d10"
	appSecret = "only-the-simulator-knows"
)

func open(t *testing.T) *home {
	t.Helper()
	h := &home{programs: build(t), http: freeAddress(t)}
	natsAddress := freeAddress(t)
	cert, key := certificate(t)
	h.env = []string{
		"ROLLCALL_DATA=" + filepath.Join(t.TempDir(), "rollcall"), "ROLLCALL_NATS_LISTEN=" + natsAddress,
		"ROLLCALL_HTTP_ADDR=" + h.http, "ROLLCALL_HTTP_TLS_CERT_FILE=" + cert, "ROLLCALL_HTTP_TLS_KEY_FILE=" + key,
		"ROLLCALL_INTAKE_PUBLIC_URL=https://" + h.http,
		"ROLLCALL_LOG_FORMAT=text", "ROLLCALL_SYNC_POLL_INTERVAL=2s", "ROLLCALL_SYNC_VANISH=200ms", "ROLLCALL_WORKER_SETTLE=200ms", "ROLLCALL_WORKER_DOUBT=200ms",
		"APP_SECRET=" + appSecret,
	}
	h.openSimulator(t, cert)
	h.openSubscriber(t, "nats://"+natsAddress)
	return h
}

func (h *home) openSimulator(t *testing.T, trust string) {
	t.Helper()
	address, folder := freeAddress(t), t.TempDir()
	p := start(t, nil, filepath.Join(h.programs, "simulator"), "-addr", address, "-data", folder, "-trust", trust)
	p.awaitOK(t, "https://"+address+"/healthz")
	h.simulator, h.simulatorCA = "https://"+address, filepath.Join(folder, "ca.pem")
	client, err := control.NewWithCA(h.simulator, h.simulatorCA)
	if err != nil {
		t.Fatal(err)
	}
	h.client = client
}

// openSubscriber listens as any NATS client can, through all of rollcall's deaths.
func (h *home) openSubscriber(t *testing.T, url string) {
	t.Helper()
	nc, err := nats.Connect(url, nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	h.news = make(chan struct{}, 1)
	heard := func(*nats.Msg) {
		h.published.Add(1)
		select {
		case h.news <- struct{}{}:
		default:
		}
	}
	if _, err := nc.Subscribe("license.>", heard); err != nil {
		t.Fatal(err)
	}
	h.nc = nc
}

// approveAll has somebody approve whatever is held, through all of rollcall's deaths.
func (h *home) approveAll(t *testing.T) *held.Approver {
	t.Helper()
	approver := &held.Approver{Tenant: simulated, Product: product, NATS: h.nc}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- approver.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("who approves ended with %v", err)
		}
	})
	return approver
}

// serve starts rollcall.
func (h *home) serve(t *testing.T) *process {
	t.Helper()
	return start(t, h.env, filepath.Join(h.programs, "rollcall"), "serve")
}

// await waits until the news of LICENSES make something so.
func (h *home) await(t *testing.T, p *process, what string, so func() bool) {
	t.Helper()
	limit := time.After(patience)
	for !so() {
		select {
		case <-h.news:
		case <-time.After(10 * time.Millisecond): // others hear of the news, too, and in their own time
		case <-p.Exited():
			t.Fatalf("rollcall ended by itself:\n%s", p.Said)
		case <-limit:
			t.Fatalf("no %s within %s; rollcall said:\n%s", what, patience, p.Said)
		}
	}
}

// connect makes the directory with a provisioning group of half the users, connects it, and kills the first rollcall when it
// has read it.
func (h *home) connect(t *testing.T) {
	t.Helper()
	made, err := h.client.PutTenant(t.Context(), control.Tenant{
		ID: simulated, Domains: []string{domain}, App: control.App{ClientID: appID, Secret: appSecret},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.client.Generate(t.Context(), simulated, control.Generate{Users: users, Seed: 7}); err != nil {
		t.Fatal(err)
	}
	h.makeGroup(t)
	p := h.serve(t)
	p.awaitOK(t, "https://"+h.http+"/readyz")
	run(t, h.env, filepath.Join(h.programs, "rollcall"), "tenants", "add", simulated,
		"--directory-id", made.DirectoryID, "--connected-by", "admin@"+domain, "--client-id", appID, "--secret-env", "APP_SECRET",
		"--api", h.simulator+"/v1.0", "--authority", h.simulator, "--ca-file", h.simulatorCA)
	h.verify(t)
	p.Kill()
}

// makeGroup makes the group that is in force from the first read on. So many leave it in the story that it is held.
func (h *home) makeGroup(t *testing.T) {
	t.Helper()
	all, err := h.client.Users(t.Context(), simulated)
	if err != nil {
		t.Fatal(err)
	}
	var members []string
	for _, u := range all[:users/2] {
		members = append(members, u.ID)
	}
	if _, err := h.client.AddGroup(t.Context(), simulated, newGroup(domain)); err != nil {
		t.Fatal(err)
	}
	if _, err := h.client.AddMembers(t.Context(), simulated, group, members...); err != nil {
		t.Fatal(err)
	}
}

// verify waits until what is published is what the directory says, and fails the test if it does not come to that.
func (h *home) verify(t *testing.T) {
	t.Helper()
	client, err := license.New(h.nc)
	if err != nil {
		t.Fatal(err)
	}
	report, err := verify.Await(t.Context(), verify.Config{
		Tenant: simulated, Product: product, Group: group, Simulated: simulated,
	}, verify.Sources{Directory: h.client, Stream: client}, patience)
	if err != nil {
		t.Fatalf("compare: %v", err)
	}
	if !report.OK() {
		t.Fatalf("untrue: %s", report)
	}
	t.Logf("true: %s", report)
	h.verifyEntitlements(t, client)
}

// verifyEntitlements waits until the bucket that the server fills holds the last event of each user on LICENSES.
func (h *home) verifyEntitlements(t *testing.T, client *license.Client) {
	t.Helper()
	want := map[string]string{}
	err := client.Replay(t.Context(), license.Options{Tenant: simulated, Product: product}, func(_ context.Context, e license.Event) error {
		if e.Entitlement != nil {
			want[simulated+"."+product+"."+e.User] = e.ID
		}
		return nil
	})
	if err != nil {
		t.Fatalf("replay: %v", err)
	}
	js, err := jetstream.New(h.nc)
	if err != nil {
		t.Fatal(err)
	}
	bucket, err := js.KeyValue(t.Context(), bus.BucketEntitlements)
	if err != nil {
		t.Fatal(err)
	}
	watcher, err := bucket.WatchAll(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = watcher.Stop() }()
	limit := time.After(patience)
	got := map[string]string{}
	for !maps.Equal(got, want) {
		select {
		case entry := <-watcher.Updates():
			if entry == nil {
				continue // what was there when the watch began
			}
			ev, err := event.Decode(entry.Value())
			if err != nil {
				t.Fatalf("entitlement %s: %v", entry.Key(), err)
			}
			got[entry.Key()] = ev.ID()
		case <-limit:
			t.Fatalf("the bucket of entitlements holds %d entries that are not those of LICENSES, which has %d users", len(got), len(want))
		}
	}
}
