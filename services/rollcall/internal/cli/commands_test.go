package cli_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// TestCommandsOnARunningHouse asks a running Rollcall everything that an operator can ask.
func TestCommandsOnARunningHouse(t *testing.T) {
	t.Parallel()
	h := open(t, 50*time.Millisecond)
	h.connect(t)
	someone := h.someone(t)
	if out := h.must(t, "tenants", "list"); !strings.Contains(out, "contoso.com") {
		t.Errorf("tenants list:\n%s", out)
	}
	if out := h.must(t, "tenants", "show", "contoso"); !strings.Contains(out, address) || !strings.Contains(out, "\nfreshness  ") ||
		!strings.Contains(out, "\nsnapshot age  ") || strings.Contains(out, "only-the-simulator-knows") {
		t.Errorf("tenants show:\n%s", out)
	}

	h.must(t, "simulate", "add-group")
	h.must(t, "simulate", "add-member", someone)
	h.approve(t, h.awaitHeld(t, "flip", 0, len(h.active(t))-1)) // one member is enough for the group to decide
	h.awaitTruth(t)
	h.awaitLicensed(t, someone, true, "group-member")
	if out := h.must(t, "explain", "--tenant", "contoso", "--user", someone); !strings.Contains(out, "mode          group-members") ||
		!strings.Contains(out, "domain-default") || !strings.Contains(out, "path          ") {
		t.Errorf("explain:\n%s", out)
	}
	for action, code := range map[string]int{"share.initiate": 0, "share.receive": 0, "share.steal": 2} {
		if _, stderr, got := h.run(t, "check", "--tenant", "contoso", "--user", someone, "--action", action); got != code {
			t.Errorf("check %s of a member: %d %s", action, got, stderr)
		}
	}
	h.must(t, "simulate", "remove-member", someone)
	h.awaitLicensed(t, someone, false, "not-a-member")
	for action, code := range map[string]int{"share.initiate": 1, "share.receive": 0} {
		if _, stderr, got := h.run(t, "check", "--tenant", "contoso", "--user", someone, "--action", action); got != code {
			t.Errorf("check %s of another user: %d %s", action, got, stderr)
		}
	}
	if out, _, code := h.run(t, "check", "--tenant", "contoso", "--user", "nobody@contoso.com"); code != 1 || !strings.Contains(out, "has no user") {
		t.Errorf("check nobody: %d %s", code, out)
	}
	h.askForEvents(t, someone)
}

// awaitLicensed waits until explain says so, for that reason.
func (h *house) awaitLicensed(t *testing.T, user string, licensed bool, reason string) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		var answer struct {
			Licensed bool
			Reason   string
		}
		out := h.must(t, "explain", "--tenant", "contoso", "--user", user, "--json")
		if err := json.Unmarshal([]byte(out), &answer); err != nil {
			t.Fatal(err)
		}
		if answer.Licensed == licensed && answer.Reason == reason {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("still %+v", answer)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (h *house) askForEvents(t *testing.T, someone string) {
	t.Helper()
	lines := func(args ...string) (all []map[string]any) {
		for _, line := range strings.Split(strings.TrimSpace(h.must(t, append([]string{"events", "--tenant", "contoso", "-o", "jsonl"}, args...)...)), "\n") {
			var ev map[string]any
			if err := json.Unmarshal([]byte(line), &ev); err != nil {
				t.Fatalf("%v: %s", err, line)
			}
			all = append(all, ev)
		}
		return all
	}
	of := lines("--user", someone)
	if len(of) != 3 || of[0]["type"] != "io.rollcall.license.granted.v1" || of[2]["type"] != "io.rollcall.license.revoked.v1" {
		t.Errorf("events of one user: %v", of)
	}
	if revoked := lines("--user", someone, "--type", "revoked", "--since", "1h"); len(revoked) != 1 {
		t.Errorf("revocations of one user: %v", revoked)
	}
	all := lines()
	if tail := lines("--product", "secure-share", "--from-sequence", "3"); len(tail) != len(all)-2 || tail[0]["sequence"] != "00000000000000000003" {
		t.Errorf("%d events from sequence 3 of %d", len(tail), len(all))
	}
	table := h.must(t, "events", "--tenant", "contoso", "--user", someone)
	if !strings.HasPrefix(table, "TIME") || strings.Count(table, "\n") != 4 {
		t.Errorf("table:\n%s", table)
	}
	_, stderr, code := h.run(t, "events", "--tenant", "contoso", "--product", "secure-share", "--from-sequence", "9999")
	if code != 1 || !strings.Contains(stderr, "ahead") {
		t.Errorf("a sequence that is still to come: %d %s", code, stderr)
	}
}
