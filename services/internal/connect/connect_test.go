package connect_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/connect"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

func TestMain(m *testing.M) { bustest.VerifyNoLeaks(m) }

const (
	northwindID = "9f4a1c2e-5d1b-4c55-9d53-0f3f6f0a9a11"
	otherID     = "11111111-5d1b-4c55-9d53-0f3f6f0a9a11"
)

func northwind() connect.Wanted {
	return connect.Wanted{Tenant: "northwind", Provider: directory.Entra, DirectoryID: northwindID, ConnectedBy: "admin@northwind.com"}
}

func application() connect.Application {
	return connect.Application{
		Credential: tenant.Credential{Kind: tenant.ClientSecret, ClientID: "app", File: "/etc/rollcall/secret"},
		Endpoints:  tenant.Endpoints{API: "https://graph.example.com/v1.0", Authority: "https://login.example.com"},
		Shown:      connect.Shown{ClientID: "app", Scopes: []string{"https://graph.example.com/.default"}, Authority: "https://login.example.com"},
	}
}

// house is a receiver that answers, and whoever asks it.
type house struct {
	t        *testing.T
	bus      *bus.Bus
	registry *tenant.Registry
	client   *connect.Client
	log      bytes.Buffer
	logged   sync.Mutex

	mu    sync.Mutex
	found func(tenant.Tenant) ([]receiver.Finding, error) // what a look at a directory comes to
	seen  []tenant.Tenant
}

func (h *house) Write(p []byte) (int, error) {
	h.logged.Lock()
	defer h.logged.Unlock()
	return h.log.Write(p)
}

func (h *house) said() string {
	h.logged.Lock()
	defer h.logged.Unlock()
	return h.log.String()
}

var good = []receiver.Finding{
	{Check: "sign-in", State: receiver.Passed},
	{Check: "directory", State: receiver.Passed},
	{Check: "push", State: receiver.Unknown},
	{Check: "dynamic-groups", State: receiver.Blind, Action: "Do without."},
}

func open(t *testing.T, a connect.Application) *house {
	t.Helper()
	h := &house{t: t, bus: bustest.New(t)}
	h.is(good, nil)
	kv, err := h.bus.KeyValue(t.Context(), bus.BucketTenants)
	if err != nil {
		t.Fatal(err)
	}
	h.registry, h.client = tenant.NewRegistry(kv), connect.NewClient(h.bus)
	s := &connect.Server{
		Provider: directory.Entra, Application: a, Registry: h.registry, Bus: h.bus, Logger: slog.New(slog.NewTextHandler(h, nil)), Clock: clock.System(),
		Verify: func(_ context.Context, one tenant.Tenant) ([]receiver.Finding, error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.seen = append(h.seen, one)
			return h.found(one)
		},
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	h.until(func() bool { return !errors.Is(h.listening(), connect.ErrNoReceiver) })
	return h
}

// until waits until something holds.
func (h *house) until(holds func() bool) {
	h.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); !holds(); <-tick.C {
		if time.Now().After(deadline) {
			h.t.Fatal("it does not come to hold")
		}
	}
}

func (h *house) listening() error {
	_, err := h.client.Describe(h.t.Context(), directory.Entra)
	return err
}

// is has every look come to this.
func (h *house) is(findings []receiver.Finding, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.found = func(tenant.Tenant) ([]receiver.Finding, error) { return findings, err }
}

func (h *house) add(w connect.Wanted) (connect.Proof, bool, error) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 10*time.Second)
	defer cancel()
	return h.client.Add(ctx, w)
}

func TestADirectoryIsProvedThenStored(t *testing.T) {
	t.Parallel()
	h := open(t, application())
	shown, err := h.client.Describe(t.Context(), directory.Entra)
	if diff := cmp.Diff(application().Shown, shown); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	found, err := h.client.Check(t.Context(), northwind())
	if diff := cmp.Diff(connect.Proof{Findings: good, Complete: true}, found); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	if all, err := h.registry.List(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("a look has stored %v, %v", all, err)
	}
	if found, again, err := h.add(northwind()); err != nil || again || !found.Complete {
		t.Fatalf("%+v %t %v", found, again, err)
	}
	stored, err := h.registry.Get(t.Context(), "northwind")
	want := tenant.Tenant{
		ID: "northwind", Provider: directory.Entra, DirectoryID: northwindID, Domain: "northwind.com", Products: []tenant.Product{tenant.SecureShare()},
		Credential: application().Credential, Endpoints: application().Endpoints, CreatedAt: stored.CreatedAt,
	}
	if diff := cmp.Diff(want, stored); err != nil || diff != "" || stored.CreatedAt.IsZero() {
		t.Errorf("%v %s", err, diff)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.seen) != 2 || h.seen[1].DirectoryID != northwindID || h.seen[1].Credential != application().Credential {
		t.Errorf("looked at %+v", h.seen)
	}
}

func TestWhatIsNotProvedIsNotStored(t *testing.T) {
	t.Parallel()
	h := open(t, application())
	of := func(state receiver.FindingState, action string) []receiver.Finding {
		return []receiver.Finding{{Check: "directory", State: receiver.Passed}, {Check: "read-users", State: state, Action: action}}
	}
	for name, c := range map[string]struct {
		found []receiver.Finding
		err   error
		want  error
	}{
		"something failed":                   {of(receiver.Failed, "Grant it."), nil, connect.ErrNotProved},
		"something is to be tried again":     {of(receiver.Unknown, "Try again."), nil, connect.ErrNotProved},
		"whose directory it is is not known": {[]receiver.Finding{{Check: "directory", State: receiver.Unknown}}, nil, connect.ErrNotProved},
		"nothing was found out":              {nil, nil, connect.ErrNotProved},
		"it could not be looked at":          {nil, errors.New("no network"), connect.ErrFailed},
	} {
		h.is(c.found, c.err)
		if _, _, err := h.add(northwind()); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	h.mu.Lock()
	h.found = func(tenant.Tenant) ([]receiver.Finding, error) { panic("odd") }
	h.mu.Unlock()
	if _, _, err := h.add(northwind()); !errors.Is(err, connect.ErrFailed) {
		t.Errorf("a look that panics: %v", err)
	}
	h.is(good, nil)
	if all, err := h.registry.List(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("stored %v, %v", all, err)
	}
	if err := h.listening(); err != nil {
		t.Errorf("it listens no more: %v", err)
	}
}

// What is asked for is checked where it is done, too: whoever may ask is not to name a file, a server or another kind of directory.
func TestWhatIsAskedForIsChecked(t *testing.T) {
	t.Parallel()
	h := open(t, application())
	for name, change := range map[string]func(*connect.Wanted){
		"no name":             func(w *connect.Wanted) { w.Tenant = "" },
		"a name with a dot":   func(w *connect.Wanted) { w.Tenant = "directory.entra" },
		"no GUID":             func(w *connect.Wanted) { w.DirectoryID = "northwind.com" },
		"a path":              func(w *connect.Wanted) { w.DirectoryID = "../" + northwindID },
		"no address":          func(w *connect.Wanted) { w.ConnectedBy = "northwind.com" },
		"an address and more": func(w *connect.Wanted) { w.ConnectedBy = "Admin <admin@northwind.com>" },
		"an admin to act as":  func(w *connect.Wanted) { w.Subject = "admin@northwind.com" },
		"a product of theirs": func(w *connect.Wanted) { w.Products = []string{"secure-share", "all"} },
	} {
		w := northwind()
		change(&w)
		if _, _, err := h.add(w); !errors.Is(err, connect.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
		if len(w.Faults()) != 1 || strings.Contains(w.Faults()[0].Want, w.DirectoryID) && w.DirectoryID != "" && w.DirectoryID != northwindID {
			t.Errorf("%s: %v", name, w.Faults())
		}
	}
	other := northwind()
	other.Provider, other.DirectoryID = directory.GoogleWorkspace, "C03az79cb"
	if _, _, err := h.add(other); !errors.Is(err, connect.ErrNoReceiver) {
		t.Errorf("another provider: %v", err)
	}
	for _, change := range []func(*connect.Wanted){
		func(w *connect.Wanted) { w.Key = "a key" }, func(w *connect.Wanted) { w.By = "admin@northwind.com" },
	} {
		w := northwind()
		change(&w)
		if _, _, err := h.add(w); !errors.Is(err, connect.ErrInvalid) {
			t.Errorf("key %q, by %q: %v", w.Key, w.By, err)
		}
	}
	conn := h.bus.JetStream().Conn()
	for name, body := range map[string]string{
		"no JSON": "{", "no verb": "{}", "another verb": `{"verb":"rename"}`, "of no tenant": `{"verb":"erase"}`,
		"another provider": `{"verb":"add","wanted":{"tenant":"x","provider":"google-workspace","directory_id":"C03az79cb","connected_by":"a@b.com"}}`,
	} {
		m, err := conn.RequestWithContext(t.Context(), connect.Subject(directory.Entra), []byte(body))
		if err != nil || !strings.Contains(string(m.Data), `"code":"invalid"`) {
			t.Errorf("%s: %s %v", name, m.Data, err)
		}
	}
	if strings.Contains(h.said(), "admin@northwind.com") {
		t.Errorf("the log tells who: %s", h.said())
	}
}

// An answer goes to an inbox: elsewhere it would be something that the receiver may write, such as the record of a tenant.
func TestAnswersGoToInboxesAlone(t *testing.T) {
	t.Parallel()
	h := open(t, application())
	if err := h.registry.Add(t.Context(), stored(northwind(), false)); err != nil {
		t.Fatal(err)
	}
	conn := h.bus.JetStream().Conn()
	for _, reply := range []string{"$KV.tenants.northwind", "license.northwind.p.user.u", ""} {
		if err := conn.PublishMsg(&nats.Msg{Subject: connect.Subject(directory.Entra), Reply: reply, Data: []byte(`{"verb":"describe"}`)}); err != nil {
			t.Fatal(err)
		}
	}
	h.until(func() bool { return strings.Count(h.said(), "names no inbox") == 3 })
	if _, err := h.registry.Get(t.Context(), "northwind"); err != nil {
		t.Errorf("the record is spoiled: %v", err)
	}
}

func stored(w connect.Wanted, disconnected bool) tenant.Tenant {
	return tenant.Tenant{
		ID: w.Tenant, Provider: w.Provider, DirectoryID: w.DirectoryID, Domain: "old.northwind.com", Products: []tenant.Product{tenant.Drive()},
		Credential: tenant.Credential{Kind: tenant.ClientSecret, ClientID: "old", Env: "OLD"}, Disconnected: disconnected, CreatedAt: time.Unix(0, 0).UTC(),
	}
}

func TestWhatIsThereAlready(t *testing.T) {
	t.Parallel()
	h := open(t, application())
	if err := h.registry.Add(t.Context(), stored(northwind(), false)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.add(northwind()); !errors.Is(err, connect.ErrExists) {
		t.Errorf("the same: %v", err)
	}
	rival := northwind()
	rival.Tenant = "rival"
	if _, _, err := h.add(rival); !errors.Is(err, connect.ErrTaken) || strings.Contains(err.Error(), "northwind") {
		t.Errorf("the directory of another: %v", err)
	}
	// Disconnected, it keeps its directory, and is connected again: with the products that it had, unless others are chosen.
	if _, err := h.registry.Change(t.Context(), "northwind", func(t *tenant.Tenant) error { t.Disconnected = true; return nil }); err != nil {
		t.Fatal(err)
	}
	elsewhere := northwind()
	elsewhere.DirectoryID = otherID
	if _, _, err := h.add(elsewhere); !errors.Is(err, connect.ErrExists) {
		t.Errorf("another directory under the name: %v", err)
	}
	_, again, err := h.add(northwind())
	one, _ := h.registry.Get(t.Context(), "northwind")
	if err != nil || !again || one.Disconnected || one.Domain != "northwind.com" || one.Credential != application().Credential ||
		one.Products[0].ID != "drive" || !one.CreatedAt.Equal(time.Unix(0, 0)) {
		t.Errorf("again %t, %v: %+v", again, err, one)
	}
	if _, err := h.registry.Change(t.Context(), "northwind", func(t *tenant.Tenant) error { t.Disconnected = true; return nil }); err != nil {
		t.Fatal(err)
	}
	named := northwind()
	named.Products = []string{"email"}
	if _, again, err := h.add(named); err != nil || !again {
		t.Errorf("again %t, %v", again, err)
	}
	if one, _ := h.registry.Get(t.Context(), "northwind"); len(one.Products) != 1 || one.Products[0].ID != "email" {
		t.Errorf("products %+v", one.Products)
	}
}

func TestWithoutAnApplicationNothingIsConnected(t *testing.T) {
	t.Parallel()
	h := open(t, connect.Application{})
	if err := h.listening(); !errors.Is(err, connect.ErrNoApplication) {
		t.Error(err)
	}
	if _, _, err := h.add(northwind()); !errors.Is(err, connect.ErrNoApplication) {
		t.Error(err)
	}
	if len(h.seen) != 0 {
		t.Error("a directory was looked at")
	}
}

func TestInWhoseNameItIsRead(t *testing.T) {
	t.Parallel()
	w := connect.Wanted{Tenant: "initech", Provider: directory.GoogleWorkspace, DirectoryID: "C03az79cb", ConnectedBy: "boss@initech.com"}
	if w.Reader() != "boss@initech.com" || len(w.Faults()) != 0 {
		t.Errorf("%q %v", w.Reader(), w.Faults())
	}
	w.Subject = "reader@initech.com"
	if w.Reader() != "reader@initech.com" || len(w.Faults()) != 0 {
		t.Errorf("%q %v", w.Reader(), w.Faults())
	}
	if northwind().Reader() != "" {
		t.Error("Entra is read in nobody's name")
	}
}
