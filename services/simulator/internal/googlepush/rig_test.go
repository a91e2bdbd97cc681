package googlepush_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/googleerror"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/googlepush"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	customer = "C03az79cb"
	client   = "104000000000000000001"
	api      = "admin/directory"
	resource = googlepush.UsersPath + "?customer=my_customer"
)

var start = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// push is one request as it came.
type push struct {
	header http.Header
	body   []byte
}

// rig is a hub with a store, a clock that stands still, and an address that pushes come to.
type rig struct {
	t      *testing.T
	clock  *clock.Fake
	store  *store.Store
	hub    *googlepush.Hub
	url    string
	pushes chan push
	status chan int // answers to give first; then 202
}

func newRig(t *testing.T, dir string) *rig {
	t.Helper()
	r := &rig{t: t, clock: clock.NewFake(start), pushes: make(chan push, 1000), status: make(chan int, 100)}
	var err error
	if r.store, err = store.Open(store.Config{Dir: dir, Now: r.clock.Now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.store.Close() })
	if _, known := r.store.Tenant(customer); !known {
		err = r.store.PutTenant(store.Tenant{
			ID: "initech", DirectoryID: customer, Provider: directory.GoogleWorkspace, Domains: []string{"initech.com"},
			App: store.App{ClientID: client},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(http.HandlerFunc(r.receive))
	t.Cleanup(server.Close)
	r.url = server.URL
	transport := &http.Transport{}
	r.hub = googlepush.New(googlepush.Config{
		Store: r.store, Client: &http.Client{Transport: transport}, Clock: r.clock, Logger: slog.New(slog.DiscardHandler),
		RetryBase: time.Second, AllowLoopbackHTTP: true,
	})
	r.store.Watch(r.hub.Notice)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.hub.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done; transport.CloseIdleConnections() })
	return r
}

func (r *rig) receive(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	status := http.StatusAccepted
	select {
	case status = <-r.status:
	default:
	}
	w.WriteHeader(status)
	r.pushes <- push{req.Header, body}
}

func (r *rig) owner() googlepush.Owner {
	return googlepush.Owner{Tenant: customer, Client: client, Subject: "100000000000000000001"}
}

// asked is a request body.
func (r *rig) asked(id string) googlepush.Channel {
	return googlepush.Channel{ID: id, Type: "web_hook", Address: r.url, Token: "token of " + id}
}

// watch makes a channel and takes its sync message.
func (r *rig) watch(id, resource string) googlepush.Channel {
	r.t.Helper()
	c, err := r.hub.Watch(r.t.Context(), r.owner(), resource, r.asked(id))
	if err != nil {
		r.t.Fatal(err)
	}
	if p := r.next(); p.header.Get("X-Goog-Resource-State") != "sync" || p.header.Get("X-Goog-Message-Number") != "1" || len(p.body) != 0 {
		r.t.Fatalf("the first message: %v %q", p.header, p.body)
	}
	return c
}

func (r *rig) next() push {
	r.t.Helper()
	select {
	case p := <-r.pushes:
		return p
	case <-time.After(20 * time.Second):
		r.t.Fatal("no push came")
		return push{}
	}
}

// none holds that nothing has come: every push of a change is sent before those of a later one to the same channel.
func (r *rig) none() {
	r.t.Helper()
	select {
	case p := <-r.pushes:
		r.t.Fatalf("a push came: %v %s", p.header, p.body)
	default:
	}
}

func (r *rig) addUser(name string) string {
	r.t.Helper()
	id := fmt.Sprintf("1%020s", name)
	if _, err := r.store.AddUsers(customer, []*store.User{{ID: id, UPN: name + "@initech.com", Name: name}}); err != nil {
		r.t.Fatal(err)
	}
	return id
}

func (r *rig) suspend(id string, suspended bool) {
	r.t.Helper()
	if _, err := r.store.EditUser(customer, id, func(u *store.User) { u.Disabled = suspended }); err != nil {
		r.t.Fatal(err)
	}
}

func number(t *testing.T, p push) int {
	t.Helper()
	n, err := strconv.Atoi(p.header.Get("X-Goog-Message-Number"))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func reason(err error) string {
	var e *googleerror.Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ""
}
