package connecting

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/control-center/tokens"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/connect"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// program is one that may command everything.
type program struct {
	house *house
	token string
}

// told is what the API has answered.
type told struct {
	status   int
	Code     string                    `json:"code"`
	Consent  string                    `json:"consent"`
	Findings []struct{ Detail string } `json:"findings"`
	body     string
}

func (h *house) program() *program {
	h.t.Helper()
	store, err := tokens.Open(h.t.Context(), h.nats.Bus("operator", bus.Config{Partitions: 2}), clock.System())
	if err != nil {
		h.t.Fatal(err)
	}
	token, _, err := store.Make(h.t.Context(), tokens.Wanted{Name: "automation", Role: "operator", By: "test", Expires: time.Now().Add(time.Hour)})
	if err != nil {
		h.t.Fatal(err)
	}
	return &program{h, token}
}

func (p *program) connect(wanted map[string]any) (a told) {
	t := p.house.t
	t.Helper()
	body, err := json.Marshal(wanted)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.house.url+"/api/v1/tenants", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+p.token)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", "once")
	r.Close = true
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	a.status, a.body = res.StatusCode, string(text)
	if err := json.Unmarshal(text, &a); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return a
}

// TestDirectoriesAreConnectedByTheAPI, of both providers, each role with its own rights at NATS; and no log tells an address.
func TestDirectoriesAreConnectedByTheAPI(t *testing.T) {
	t.Parallel()
	h := open(t)
	p := h.program()
	northwind := map[string]any{"id": "northwind", "provider": "entra", "directory_id": h.northwind().DirectoryID, "connected_by": "admin@northwind.com"}
	initech := map[string]any{
		"id": "initech", "provider": "google-workspace", "directory_id": h.initech().DirectoryID, "connected_by": "owner@initech.com", "subject": "admin@initech.com",
		"products": []string{"drive"},
	}
	asks := connect.NewClient(h.nats.Bus("control-center", bus.Config{Partitions: 2}))
	for _, provider := range []directory.Provider{directory.Entra, directory.GoogleWorkspace} {
		for { // until the receiver listens
			if _, err := asks.Describe(t.Context(), provider); err == nil {
				break
			}
		}
	}
	if a := p.connect(northwind); a.status != http.StatusConflict || a.Code != "not-consented" || !strings.HasPrefix(a.Consent, h.sim.URL()+"/") || strings.Contains(a.body, "@") {
		t.Errorf("before consent: %+v", a)
	}
	a := p.connect(initech)
	if a.status != http.StatusConflict || a.Code != "not-proved" || a.Consent != "" || strings.Contains(a.body, "@") || !strings.Contains(a.body, control.ScopeReports+" is not delegated") {
		t.Errorf("before delegation: %+v", a)
	}
	wrong := map[string]any{"id": "initech", "provider": "google-workspace", "directory_id": "C0wrong000", "connected_by": "admin@initech.com"}
	if err := h.control.SetScopes(t.Context(), "initech", control.DefaultScopes()); err != nil {
		t.Fatal(err)
	}
	if a := p.connect(wrong); a.status != http.StatusConflict || a.Code != "not-proved" || len(a.Findings) == 0 {
		t.Errorf("another directory: %+v", a)
	}
	for range 2 {
		if a := p.connect(initech); a.status != http.StatusCreated || strings.Contains(a.body, h.account.App().ServiceAccount) {
			t.Errorf("%+v", a)
		}
	}
	stored := h.connected("initech")
	if stored == nil || stored.Domain != "initech.com" || stored.Credential.Subject != "admin@initech.com" || len(stored.Products) != 1 || stored.Products[0].ID != "drive" {
		t.Errorf("stored: %+v", stored)
	}
	if !h.log.line("command=connect", "tenant=initech", "by=token:", "outcome=connected", "key=once") || !h.log.line(`msg="a directory is connected"`, "tenant=initech", "by=token:") {
		t.Errorf("the log does not tell who:\n%s", h.log)
	}
	if said := h.log.String(); strings.Contains(said, "admin@") || strings.Contains(said, "owner@") || strings.Contains(said, secret) || strings.Contains(said, p.token) || strings.Contains(said, "ermissions ") {
		t.Errorf("the log tells too much, or NATS has refused something:\n%s", said)
	}
}
