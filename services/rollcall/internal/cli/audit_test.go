package cli_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// auditEntry is what tests look at of an audit.
type auditEntry struct {
	Type, Reason, By, User string
	At                     time.Time
	Path                   []struct{ ID, Name string }
	Chain                  []struct{ Event, Type, By string }
}

// TestAnAuditorLooksBack asks who held a seat when and why, and what has changed, after a flip that ada approved.
func TestAnAuditorLooksBack(t *testing.T) {
	t.Parallel()
	h := open(t, 50*time.Millisecond)
	h.connect(t)
	all := h.active(t)
	before := time.Now()
	members := h.flip(t, 2)
	h.awaitTruth(t)
	h.looksBack(t, before, all, members)

	gone := all[5]
	entries := ask[[]auditEntry](t, h, "audit", "--tenant", "contoso", "--user", gone)
	if len(entries) < 3 || entries[0].Type != "io.rollcall.license.granted.v1" {
		t.Fatalf("audit of one user: %+v", entries)
	}
	i := slices.IndexFunc(entries, func(e auditEntry) bool { return e.Type == "io.rollcall.license.revoked.v1" })
	if i < 0 {
		t.Fatalf("no revocation in %+v", entries)
	}
	var chain []string
	for _, l := range entries[i].Chain {
		chain = append(chain, l.Type)
	}
	want := []string{"io.rollcall.policy.changed.v1", "io.rollcall.held.closed.v1", "io.rollcall.command.approve-requested.v1"}
	if !slices.Equal(chain, want) || entries[i].By != "ada" {
		t.Errorf("the revocation goes back to %v by %q", chain, entries[i].By)
	}
	if out := h.must(t, "audit", "--tenant", "contoso", "--product", "secure-share"); !strings.Contains(out, "held.opened") || !strings.Contains(out, "approved by ada") {
		t.Errorf("audit of the product:\n%s", out)
	}
	everything := ask[[]auditEntry](t, h, "audit", "--tenant", "contoso")
	since := ask[[]auditEntry](t, h, "audit", "--tenant", "contoso", "--since", before.Format(time.RFC3339Nano))
	until := ask[[]auditEntry](t, h, "audit", "--tenant", "contoso", "--until", before.Format(time.RFC3339Nano))
	if len(since) == 0 || len(until) != len(all)+1 || len(since)+len(until) != len(everything) {
		t.Errorf("%d since, %d until, %d in all", len(since), len(until), len(everything))
	}
	if out := h.must(t, "audit", "--tenant", "contoso", "-o", "csv"); strings.Count(out, "\n") != len(everything)+1 {
		t.Errorf("%d lines of csv", strings.Count(out, "\n"))
	}
	for _, wrong := range [][]string{{"--tenant", "fabrikam"}, {"--tenant", "contoso", "--product", "drive"}, {"--tenant", "contoso", "--user", "nobody@contoso.com"}} {
		if _, stderr, code := h.run(t, append([]string{"audit"}, wrong...)...); code != 1 || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v: %d %s", wrong, code, stderr)
		}
	}
}

func (h *house) looksBack(t *testing.T, before time.Time, all, members []string) {
	t.Helper()
	type license struct {
		User, Reason string
		Addresses    []string
		Path         []struct{ ID, Name string }
		Since        time.Time `json:"licensed_since"`
	}
	moment := before.Format(time.RFC3339Nano)
	now := ask[[]license](t, h, "licenses", "list", "--tenant", "contoso")
	if len(now) != len(members) || now[0].Reason != "group-member" || len(now[0].Path) != 1 || now[0].Path[0].Name == "" || !now[0].Since.Before(before) {
		t.Errorf("licenses now: %+v", now)
	}
	then := ask[[]license](t, h, "licenses", "list", "--tenant", "contoso", "--at", moment)
	if len(then) != len(all) || then[0].Reason != "domain-default" {
		t.Errorf("%d licenses then, want %d", len(then), len(all))
	}
	if none := ask[[]license](t, h, "licenses", "list", "--tenant", "contoso", "--at", "2020-01-01"); len(none) != 0 {
		t.Errorf("licenses before all: %+v", none)
	}
	out := h.must(t, "licenses", "list", "--tenant", "contoso", "--product", "secure-share", "--at", moment, "-o", "csv")
	if strings.Count(out, "\n") != len(all)+1 || !strings.HasPrefix(out, "user,name,address,licensed_since,reason,path,cause\n") {
		t.Errorf("csv:\n%s", out)
	}
	gone := all[5]
	for at, says := range map[string][]string{
		moment:       {"was licensed for secure-share: domain-default", "in force             all-users", "caused by            policy.changed < directory.snapshot-ended"},
		"2020-01-01": {"nothing had been decided yet"},
		time.Now().Add(time.Second).Format(time.RFC3339Nano): {
			"was not licensed for secure-share: not-a-member", "in force             group-members of ",
			"caused by            policy.changed < held.closed by ada < command.approve-requested by ada",
		},
	} {
		out := h.must(t, "explain", "--tenant", "contoso", "--user", gone, "--at", at)
		for _, part := range says {
			if !strings.Contains(out, part) {
				t.Errorf("at %s: want %q:\n%s", at, part, out)
			}
		}
	}
	at := ask[struct {
		Licensed bool
		Mode     string
		From, To time.Time
	}](t, h, "explain", "--tenant", "contoso", "--user", gone, "--at", moment)
	if !at.Licensed || at.Mode != "all-users" || !at.To.After(at.From) {
		t.Errorf("explain --at: %+v", at)
	}
}

// TestAnAuditNamesWhoAskedForARefresh: what a read brings goes back to whoever asked for it.
func TestAnAuditNamesWhoAskedForARefresh(t *testing.T) {
	t.Parallel()
	h := open(t, 0)
	h.connect(t)
	gone := h.someone(t)
	if _, err := h.client.Suspend(t.Context(), "contoso", gone); err != nil {
		t.Fatal(err)
	}
	h.must(t, "refresh", "--tenant", "contoso", "--by", "grace")
	entries := ask[[]auditEntry](t, h, "audit", "--tenant", "contoso", "--user", gone)
	last := entries[len(entries)-1]
	if last.Reason != "suspended" || last.By != "grace" || last.Chain[len(last.Chain)-1].Type != "io.rollcall.command.refresh-requested.v1" {
		t.Errorf("the suspension: %+v", last)
	}
}

// TestNestedGroupsAreToldByName: a path is a row of names, from the provisioning group down.
func TestNestedGroupsAreToldByName(t *testing.T) {
	t.Parallel()
	h := open(t, 50*time.Millisecond)
	h.connect(t)
	one := h.someone(t)
	h.must(t, "simulate", "add-group", "--kind", "mail-enabled-security")
	if _, err := h.client.AddGroup(t.Context(), "contoso", control.NewGroup{Address: "sales@contoso.com", Name: "Sales", Kind: directory.MailEnabledSecurity}); err != nil {
		t.Fatal(err)
	}
	for group, member := range map[string]string{address: "sales@contoso.com", "sales@contoso.com": one} {
		if _, err := h.client.AddMembers(t.Context(), "contoso", group, member); err != nil {
			t.Fatal(err)
		}
	}
	h.approve(t, h.awaitHeld(t, "flip", 0, len(h.active(t))-1))
	h.awaitLicensed(t, one, true, "group-member")
	for _, args := range [][]string{{"explain", "--user", one}, {"licenses", "list"}, {"audit", "--user", one}} {
		if out := h.must(t, append(args, "--tenant", "contoso")...); !strings.Contains(out, " > Sales)") {
			t.Errorf("%v does not tell the path by names:\n%s", args, out)
		}
	}
}

// TestFreezeAndPause: what is revoked while frozen is parked, what happens while paused is decided afterwards.
func TestFreezeAndPause(t *testing.T) {
	t.Parallel()
	h := open(t, 50*time.Millisecond)
	h.connect(t)
	all := h.active(t)
	ann, bob := all[0], all[1]
	h.must(t, "freeze", "--by", "ada")
	for _, args := range [][]string{{"tenants", "list"}, {"tenants", "show", "contoso"}, {"explain", "--tenant", "contoso", "--user", ann}, {"check", "--tenant", "contoso", "--user", ann}} {
		if out := h.must(t, args...); !strings.Contains(out, "FROZEN") {
			t.Errorf("%v does not say that the tenant is frozen:\n%s", args, out)
		}
	}
	h.must(t, "simulate", "suspend", ann)
	parked := h.awaitHeld(t, "freeze", 0, 1)
	if out := h.must(t, "explain", "--tenant", "contoso", "--user", ann); !strings.Contains(out, "is parked in "+parked.Held+", though the user may not sign in") {
		t.Errorf("explain:\n%s", out)
	}
	if _, stderr, code := h.run(t, "held", "approve", parked.Held, "--tenant", "contoso", "--revision", fmt.Sprint(parked.Revision)); code != 1 || !strings.Contains(stderr, "refused: the tenant is frozen") {
		t.Errorf("approve while frozen: %d %s", code, stderr)
	}
	if out := h.must(t, "held", "show", parked.Held, "--tenant", "contoso"); !strings.Contains(out, "not before the tenant is unfrozen") {
		t.Errorf("held show:\n%s", out)
	}
	if out := h.must(t, "unfreeze", "--tenant", "contoso", "-o", "jsonl"); out != `{"tenant":"contoso","done":true}`+"\n" {
		t.Errorf("unfreeze:\n%s", out)
	}
	h.awaitLicensed(t, ann, false, "suspended")

	h.must(t, "tenants", "pause", "contoso")
	if out := h.must(t, "tenants", "list"); !strings.Contains(out, "PAUSED") {
		t.Errorf("tenants list:\n%s", out)
	}
	h.must(t, "simulate", "suspend", bob)
	eventually(t, "the mirror follows", func() bool {
		return ask[struct{ Status string }](t, h, "explain", "--tenant", "contoso", "--user", bob).Status == "suspended"
	})
	if out := h.must(t, "check", "--tenant", "contoso", "--user", bob); !strings.Contains(out, "yes") || !strings.Contains(out, "PAUSED") {
		t.Errorf("while paused:\n%s", out)
	}
	h.must(t, "tenants", "resume", "contoso")
	h.awaitLicensed(t, bob, false, "suspended")
	if _, stderr, code := h.run(t, "freeze", "--tenant", "fabrikam"); code != 1 || !strings.Contains(stderr, "no such tenant") {
		t.Errorf("a tenant that is none: %d %s", code, stderr)
	}
}
