package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

func (h *house) bus(t *testing.T) *bus.Bus {
	t.Helper()
	nc, err := nats.Connect(h.natsURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	b, err := bus.New(nc, bus.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// connect connects the simulated directory as an operator does, and waits until it is read.
func (h *house) connect(t *testing.T, others ...string) {
	t.Helper()
	h.must(t, h.adding(t, others...)...)
	h.awaitTruth(t)
}

// adding is the command line that connects the simulated directory.
func (h *house) adding(t *testing.T, others ...string) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "contoso.secret")
	if err := os.WriteFile(file, []byte("only-the-simulator-knows"), 0o600); err != nil {
		t.Fatal(err)
	}
	return append([]string{
		"tenants", "add", "contoso", "--directory-id", h.directory, "--connected-by", "admin@contoso.com", "--client-id", appID,
		"--secret-file", file, "--api", h.simulator.URL() + "/v1.0", "--authority", h.simulator.URL(), "--ca-file", h.simulator.CAFile(),
	}, others...)
}

// licensed asks check, and returns its answer.
func (h *house) licensed(t *testing.T, user string) bool {
	t.Helper()
	_, stderr, code := h.run(t, "check", "--tenant", "contoso", "--user", user)
	if code > 1 {
		t.Fatalf("check: %s", stderr)
	}
	return code == 0
}

// deltas is how often the simulator was asked what has changed.
func (h *house) deltas(t *testing.T) (n int) {
	t.Helper()
	counters, err := h.client.Counters(t.Context(), "contoso")
	if err != nil {
		t.Fatal(err)
	}
	for route, c := range counters {
		if strings.Contains(route, "delta") {
			n += c.Requests
		}
	}
	return n
}

func TestRefreshAloneBringsAChange(t *testing.T) {
	t.Parallel()
	h := open(t, 0)
	h.connect(t)
	asked := h.deltas(t)
	if _, err := h.client.AddUser(t.Context(), "contoso", control.NewUser{Address: "new@contoso.com"}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.client.Suspend(t.Context(), "contoso", h.someone(t)); err != nil {
		t.Fatal(err)
	}
	if h.licensed(t, "new@contoso.com") {
		t.Fatal("licensed before anybody has looked")
	}
	var result struct {
		Done                    bool
		Snapshot, ID            string
		Users, Granted, Revoked int
	}
	out := h.must(t, "refresh", "--tenant", "contoso", "--key", "ticket-1", "--json")
	if err := json.Unmarshal([]byte(out), &result); err != nil {
		t.Fatal(err)
	}
	if !result.Done || result.Users != users+1 || result.Granted != 1 || result.Revoked != 1 || result.Snapshot != result.ID {
		t.Errorf("refreshed: %s", out)
	}
	if !h.licensed(t, "new@contoso.com") {
		t.Error("not licensed after the refresh")
	}
	if h.deltas(t) == asked {
		t.Error("the refresh has asked for nothing")
	}
	h.awaitTruth(t)

	asked = h.deltas(t)
	if again := h.must(t, "refresh", "--tenant", "contoso", "--key", "ticket-1", "--json"); again != out || h.deltas(t) != asked {
		t.Errorf("the same key again: %s", again)
	}
	if _, stderr, code := h.run(t, "refresh", "--tenant", "fabrikam"); code != 1 || !strings.Contains(stderr, "no such tenant") {
		t.Errorf("an unknown tenant: %d %s", code, stderr)
	}
}

func TestPollingAloneBringsAChange(t *testing.T) {
	t.Parallel()
	h := open(t, 100*time.Millisecond)
	h.connect(t)
	if _, err := h.client.AddUser(t.Context(), "contoso", control.NewUser{Address: "new@contoso.com"}); err != nil {
		t.Fatal(err)
	}
	h.awaitTruth(t)
	if !h.licensed(t, "new@contoso.com") {
		t.Error("not licensed")
	}
}

// someone is an active user of the simulated directory.
func (h *house) someone(t *testing.T) string {
	t.Helper()
	all, err := h.client.Users(t.Context(), "contoso")
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range all {
		if u.Status == "active" && !u.Guest && u.Address != "new@contoso.com" {
			return u.Address
		}
	}
	t.Fatal("nobody is active")
	return ""
}
