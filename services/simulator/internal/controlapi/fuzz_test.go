package controlapi

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/googlepush"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/push"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/traffic"
)

func newServer(t testing.TB) http.Handler {
	t.Helper()
	s, err := store.Open(store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tenant := range []store.Tenant{
		{ID: "contoso", DirectoryID: "t", Domains: []string{"contoso.com"}},
		{ID: "initech", DirectoryID: "C03az79cb", Provider: directory.GoogleWorkspace, Domains: []string{"initech.com"}},
	} {
		if err := s.PutTenant(tenant); err != nil {
			t.Fatal(err)
		}
	}
	return serve(s)
}

func serve(s *store.Store) http.Handler {
	settings := &atomic.Pointer[control.Settings]{}
	settings.Store(&control.Settings{})
	return New(Config{
		Store: s, Push: push.New(push.Config{Store: s, Clock: clock.System(), Logger: slog.New(slog.DiscardHandler)}),
		GooglePush: googlepush.New(googlepush.Config{Store: s, Clock: clock.System(), Logger: slog.New(slog.DiscardHandler)}),
		Meter:      traffic.NewMeter(), Faults: traffic.NewFaults(clock.System()), Settings: settings,
	}).Handler()
}

func send(h http.Handler, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:1"
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// FuzzBodies holds that no body is answered with 500, or is taken when it is not one JSON value.
func FuzzBodies(f *testing.F) {
	paths := []string{
		"POST /control/tenants/contoso/users", "POST /control/tenants/contoso/groups", "POST /control/tenants/contoso/users/a@contoso.com/rename",
		"POST /control/tenants/contoso/users/a@contoso.com/aliases", "POST /control/tenants/contoso/groups/g@contoso.com/members",
		"PUT /control/tenants/fabrikam", "PUT /control/settings", "PUT /control/push", "POST /control/faults",
		"PUT /control/tenants/contoso/permissions", "POST /control/tenants/initech/groups/g@initech.com/members/new",
		"PUT /control/tenants/initech/groups/g@initech.com/members/a@initech.com/role", "PUT /control/tenants/initech/admins",
		"PUT /control/tenants/initech/scopes", "PUT /control/tenants/globex", "POST /control/tenants/initech/groups/g@initech.com/members?via=api",
		"PUT /control/plan",
	}
	for i, body := range []string{
		`{"address":"b@contoso.com","aliases":["c@contoso.com"]}`, `{"kind":"distribution","address":"list@contoso.com"}`,
		`{"address":"z@contoso.com"}`, `"alias@contoso.com"`, `["a@contoso.com"]`,
		`{"id":"fabrikam","domains":["fabrikam.com"],"app":{"client_id":"x"}}`, `{"page_size":10}`, `{"mode":"hold"}`, `{"status":429,"count":1}`, `[]`,
		`{"member":"all@adatum.com","kind":"group","role":"OWNER"}`, `"OWNER"`, `[{"address":"b@initech.com","privileges":["GROUPS_RETRIEVE"]}]`, `["a"]`,
		`{"provider":"google-workspace","domains":["globex.com"],"app":{"service_account":"a@b.c"}}`, `["customer","zoe@fabrikam.com"]`,
		`{"seed":1,"tenant":"contoso","rates":{"cut":0.5,"stale-read":0.5},"from":"2026-11-26T09:00:00Z"}`,
	} {
		f.Add(uint8(i), body)
		f.Add(uint8(i), body+body)
		f.Add(uint8(i), body[:len(body)/2])
	}
	f.Fuzz(func(t *testing.T, which uint8, body string) {
		h := newServer(t)
		send(h, "POST", "/control/tenants/contoso/users", `{"address":"a@contoso.com"}`)
		send(h, "POST", "/control/tenants/contoso/groups", `{"address":"g@contoso.com"}`)
		send(h, "POST", "/control/tenants/initech/users", `{"address":"a@initech.com"}`)
		send(h, "POST", "/control/tenants/initech/groups", `{"address":"g@initech.com"}`)
		send(h, "POST", "/control/tenants/initech/groups/g@initech.com/members", `["a@initech.com"]`)
		method, path, _ := strings.Cut(paths[int(which)%len(paths)], " ")
		if w := send(h, method, path, body); w.Code >= 500 {
			t.Fatalf("%s %s %q: %d %s", method, path, body, w.Code, w.Body)
		}
	})
}

func TestBodiesAreReadStrictly(t *testing.T) {
	t.Parallel()
	h := newServer(t)
	for _, body := range []string{`{"address":"a@contoso.com","admin":true}`, `{"address":"a@contoso.com"} {}`, `{"address":"a@fabrikam.com"}`, ``, `[]`} {
		if w := send(h, "POST", "/control/tenants/contoso/users", body); w.Code != http.StatusBadRequest {
			t.Errorf("%q: %d", body, w.Code)
		}
	}
	for path, want := range map[string]int{"/control/tenants/nobody/users": 404, "/control/tenants/contoso/users/x": 404} {
		if w := send(h, "GET", path, ""); w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
}

func TestOnlyThisMachineControls(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodGet, "/control/tenants", nil)
	r.RemoteAddr = "192.0.2.7:1"
	w := httptest.NewRecorder()
	newServer(t).ServeHTTP(w, r)
	if w.Code != http.StatusForbidden {
		t.Errorf("%d, want 403", w.Code)
	}
}

func TestAmbiguousAddress(t *testing.T) {
	t.Parallel()
	h := newServer(t)
	const first, second = `{"address":"g@contoso.com"}`, `{"address":"g@contoso.com","allow_taken":true}`
	if w := send(h, "POST", "/control/tenants/contoso/groups", first); w.Code != http.StatusOK {
		t.Fatal(w.Body)
	}
	if w := send(h, "POST", "/control/tenants/contoso/groups", first); w.Code != http.StatusConflict {
		t.Errorf("taken: %d", w.Code)
	}
	if w := send(h, "POST", "/control/tenants/contoso/groups", second); w.Code != http.StatusOK {
		t.Errorf("taken, but allowed: %d", w.Code)
	}
	if w := send(h, "GET", "/control/tenants/contoso/groups/g@contoso.com", ""); w.Code != http.StatusBadRequest {
		t.Errorf("ambiguous: %d", w.Code)
	}
}
