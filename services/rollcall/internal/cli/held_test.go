package cli_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// heldChange is what tests look at of a held change.
type heldChange struct {
	Product, Held, Kind, State    string
	Revision, Grants, Revocations int
	GroupName                     string `json:"group_name"`
	By                            string
	Users                         []heldUser
}

// heldUser is one user on its list.
type heldUser struct {
	User, Name, Reason string
	Addresses          []string
	Licensed           bool
	Would              bool   `json:"would_be_licensed"`
	WouldReason        string `json:"would_be_reason"`
}

// ask runs a command that prints JSON.
func ask[T any](t *testing.T, h *house, args ...string) (answer T) {
	t.Helper()
	out := h.must(t, append(args, "-o", "json")...)
	if err := json.Unmarshal([]byte(out), &answer); err != nil {
		t.Fatalf("rollcall %v: %v:\n%s", args, err, out)
	}
	return answer
}

// eventually asks again and again until what is asked for is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for !so() {
		select {
		case <-deadline:
			t.Fatalf("it is not so that %s", what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// awaitHeld waits until a held change of that kind is open with so many grants and revocations.
func (h *house) awaitHeld(t *testing.T, kind string, grants, revocations int) (found heldChange) {
	t.Helper()
	eventually(t, fmt.Sprintf("%s is held with %d grants and %d revocations", kind, grants, revocations), func() bool {
		for _, one := range ask[[]heldChange](t, h, "held", "list", "--tenant", "contoso") {
			if found = one; one.Kind == kind && one.State == "open" && one.Grants == grants && one.Revocations == revocations {
				return true
			}
		}
		return false
	})
	return found
}

// approve approves a held change as it is, and waits until it is carried out.
func (h *house) approve(t *testing.T, one heldChange) {
	t.Helper()
	h.must(t, "held", "approve", one.Held, "--tenant", "contoso", "--revision", fmt.Sprint(one.Revision), "--by", "ada", "--wait")
}

// waits reports whether the metrics tell of a held change of that kind.
func (h *house) waits(t *testing.T, kind string) bool {
	t.Helper()
	res, err := http.Get(h.httpURL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(body), fmt.Sprintf("rollcall_held_age_seconds{kind=%q,product=\"secure-share\",tenant=\"contoso\"} ", kind))
}

// active are the addresses of the simulated directory's own active users.
func (h *house) active(t *testing.T) (addresses []string) {
	t.Helper()
	all, err := h.client.Users(t.Context(), "contoso")
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range all {
		if u.Status == "active" && !u.Guest {
			addresses = append(addresses, u.Address)
		}
	}
	return addresses
}

// flip has the operator's group decide about the first n active users, who are returned.
func (h *house) flip(t *testing.T, n int) (members []string) {
	t.Helper()
	all := h.active(t)
	h.must(t, "simulate", "add-group")
	for _, user := range all[:n] {
		h.must(t, "simulate", "add-member", user)
	}
	h.approve(t, h.awaitHeld(t, "flip", 0, len(all)-n))
	return all[:n]
}

func TestAFlipIsHeldUntilSomebodyApproves(t *testing.T) {
	t.Parallel()
	h := open(t, 50*time.Millisecond)
	h.connect(t)
	all := h.active(t)
	ann, bob, cid := all[0], all[1], all[2]
	h.must(t, "simulate", "add-group")
	h.must(t, "simulate", "add-member", ann)
	flip := h.awaitHeld(t, "flip", 0, len(all)-1)
	if !h.waits(t, "flip") {
		t.Error("the metrics do not tell of it")
	}

	for _, args := range [][]string{{"tenants", "list"}, {"tenants", "show", "contoso"}, {"explain", "--tenant", "contoso", "--user", bob}, {"check", "--tenant", "contoso", "--user", bob}} {
		if out := h.must(t, args...); !strings.Contains(out, "HELD") {
			t.Errorf("%v does not say that something is held:\n%s", args, out)
		}
	}
	if out := h.must(t, "explain", "--tenant", "contoso", "--user", bob); !strings.Contains(out, "With "+flip.Held+" the user would lose the license (not-a-member)") {
		t.Errorf("explain:\n%s", out)
	}
	h.looksAt(t, flip, bob)

	h.must(t, "simulate", "add-member", bob)
	h.awaitHeld(t, "flip", 0, len(all)-2)
	_, stderr, code := h.run(t, "held", "approve", flip.Held, "--tenant", "contoso", "--revision", fmt.Sprint(flip.Revision))
	if code != 1 || !strings.Contains(stderr, "off the list: ") || !strings.Contains(stderr, bob) || !strings.Contains(stderr, "refused: its list has changed") {
		t.Errorf("an old revision: %d %s", code, stderr)
	}
	if !h.licensed(t, cid) {
		t.Error("a license went before anybody approved")
	}
	flip = h.awaitHeld(t, "flip", 0, len(all)-2)
	out := h.must(t, "held", "approve", flip.Held, "--tenant", "contoso", "--revision", fmt.Sprint(flip.Revision), "--by", "ada", "--wait")
	if !strings.Contains(out, "is approved at revision") {
		t.Errorf("approve:\n%s", out)
	}
	h.awaitTruth(t)
	if h.waits(t, "flip") {
		t.Error("the metrics tell of it for ever")
	}
	if h.licensed(t, cid) || !h.licensed(t, ann) {
		t.Error("the flip did not take effect")
	}
	if _, stderr, code := h.run(t, "held", "reject", flip.Held, "--tenant", "contoso"); code != 1 || !strings.Contains(stderr, "refused: it is not open any more") {
		t.Errorf("reject what was approved: %d %s", code, stderr)
	}
	closed := ask[[]heldChange](t, h, "held", "list", "--all")
	if len(closed) != 1 || closed[0].State != "applied" || closed[0].By != "ada" || len(ask[[]heldChange](t, h, "held", "list")) != 0 {
		t.Errorf("held changes: %+v", closed)
	}
	if out := h.must(t, "held", "show", flip.Held, "--tenant", "contoso"); !strings.Contains(out, "approved") || !strings.Contains(out, "by ada") {
		t.Errorf("show what was approved:\n%s", out)
	}
}

// looksAt shows a flip in every format.
func (h *house) looksAt(t *testing.T, flip heldChange, user string) {
	t.Helper()
	shown := ask[heldChange](t, h, "held", "show", flip.Held, "--tenant", "contoso", "--product", "secure-share")
	if len(shown.Users) != flip.Revocations || shown.Revision != flip.Revision || shown.GroupName == "" {
		t.Errorf("shown: %+v", shown)
	}
	i := slices.IndexFunc(shown.Users, func(u heldUser) bool {
		return slices.Contains(u.Addresses, user)
	})
	if i < 0 || shown.Users[i].Name == "" || !shown.Users[i].Licensed || shown.Users[i].Would || shown.Users[i].WouldReason != "not-a-member" || shown.Users[i].Reason != "domain-default" {
		t.Errorf("%s is not on the list as it should be: %d", user, i)
	}
	out := h.must(t, "held", "show", flip.Held, "--tenant", "contoso")
	for _, part := range []string{"would put in force   group-members of ", "in force now         all-users", "REVOKE", user, "expires"} {
		if !strings.Contains(out, part) {
			t.Errorf("held show lacks %q:\n%s", part, out)
		}
	}
	if csv := h.must(t, "held", "show", flip.Held, "--tenant", "contoso", "-o", "csv"); strings.Count(csv, "\n") != flip.Revocations+1 || !strings.HasPrefix(csv, "user,name,address,") {
		t.Errorf("csv:\n%s", csv)
	}
	if lines := h.must(t, "held", "show", flip.Held, "--tenant", "contoso", "-o", "jsonl", "--limit", "3"); strings.Count(lines, "\n") != 3 {
		t.Errorf("three lines:\n%s", lines)
	}
	for _, wrong := range [][]string{{"flip-99999", "--tenant", "contoso"}, {flip.Held, "--tenant", "fabrikam"}, {flip.Held, "--tenant", "contoso", "--product", "drive"}} {
		if _, stderr, code := h.run(t, append([]string{"held", "show"}, wrong...)...); code != 1 || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v: %d %s", wrong, code, stderr)
		}
	}
}

func TestARejectedBulkIsExplained(t *testing.T) {
	t.Parallel()
	h := open(t, 50*time.Millisecond)
	h.connect(t)
	members := h.flip(t, 10)
	if _, err := h.client.RemoveMembers(t.Context(), "contoso", address, members[:6]...); err != nil {
		t.Fatal(err)
	}
	parked := h.awaitHeld(t, "revocations", 0, 6)
	one := members[0]
	if out := h.must(t, "explain", "--tenant", "contoso", "--user", one); !strings.Contains(out, "a revocation is parked in "+parked.Held+", though the user is not a member") {
		t.Errorf("explain:\n%s", out)
	}
	h.must(t, "held", "reject", parked.Held, "--tenant", "contoso", "--by", "grace")
	if out := h.must(t, "explain", "--tenant", "contoso", "--user", one); !strings.Contains(out, "was rejected with "+parked.Held) || !strings.Contains(out, "by grace") {
		t.Errorf("explain what was rejected:\n%s", out)
	}
	if !h.licensed(t, one) {
		t.Error("the license does not stand")
	}
}
