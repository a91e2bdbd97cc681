package pages_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// obeyed gives what a worker of the tenant is told, as it is told.
func (w *world) obeyed(id string, say func(event.Event) event.Answered) <-chan string {
	seen := make(chan string, 100)
	w.obey(id, func(ev event.Event) event.Answered {
		seen <- strings.TrimSuffix(strings.TrimPrefix(ev.Type(), "io.rollcall.command."), ".v1") + " " + string(ev.Data())
		return say(ev)
	})
	return seen
}

func done(event.Event) event.Answered { return event.Answered{Outcome: event.OutcomeDone} }

// keyOf finds the key of the form that goes to a path.
func keyOf(t testing.TB, page, action string) string {
	t.Helper()
	m := regexp.MustCompile(`action="` + regexp.QuoteMeta(action) + `"[^>]*><input type="hidden" name="key" value="([^"]+)"`).FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("there is no form to %s in:\n%s", action, plain(page))
	}
	return m[1]
}

func TestFormsGiveCommands(t *testing.T) {
	t.Parallel()
	w := contoso(t)
	w.hold("contoso", "secure-share", ledger.Held{Ref: "flip-1", Kind: ledger.HeldFlip, State: ledger.HeldOpen, Revision: 3, Group: "g"},
		ledger.HeldUser{Ref: "ann", Revision: 1, Reason: "not-a-member"})
	seen := w.obeyed("contoso", done)
	w.as(admin)
	held := w.page("/tenants/contoso/held/flip-1")
	for _, c := range []struct {
		path   string
		fields []string
		want   string
	}{
		{
			"/settings/seats",
			[]string{"product", "secure-share", "purchased", "40", "enforce", "on"},
			`seats-requested {"product":"secure-share","purchased":40,"enforce":true,"by":"ada"}`,
		},
		{
			"/settings/seats",
			[]string{"product", "secure-share", "purchased", ""},
			`seats-requested {"product":"secure-share","purchased":-1,"enforce":false,"by":"ada"}`,
		},
		{
			"/settings/hold",
			[]string{"flips", "apply", "share", "0", "least", "7", "hours", "24"},
			`settings-requested {"hold":{"flips":"apply","share":0,"least":7,"expiry_seconds":86400},"by":"ada"}`,
		},
		{"/settings/standing", []string{"do", "freeze"}, `settings-requested {"frozen":true,"by":"ada"}`},
		{"/settings/standing", []string{"do", "go-on"}, `settings-requested {"paused":false,"by":"ada"}`},
		{
			"/held/flip-1/approve",
			[]string{"product", "secure-share", "revision", "3", "key", keyOf(t, held, "/tenants/contoso/held/flip-1/approve")},
			`approve-requested {"product":"secure-share","held":"flip-1","revision":3,"by":"ada"}`,
		},
		{"/held/flip-1/reject", []string{"product", "secure-share"}, `reject-requested {"product":"secure-share","held":"flip-1","by":"ada"}`},
	} {
		a := w.post("/tenants/contoso"+c.path, append([]string{"key", "k" + url.QueryEscape(c.want)[:9] + time.Now().Format("150405.000000000")}, c.fields...)...)
		if to := a.header.Get("Location"); a.status != http.StatusSeeOther || !strings.Contains(to, "said=done") || !strings.HasPrefix(to, "/tenants/contoso/") {
			t.Errorf("%s %v: %d to %q\n%s", c.path, c.fields, a.status, to, plain(a.body))
			continue
		}
		if diff := cmp.Diff(c.want, <-seen); diff != "" {
			t.Errorf("%s (-want +told):\n%s", c.path, diff)
		}
		has(t, w.page(a.header.Get("Location")), "It holds from now on")
	}
}

// A form that is sent twice counts once, and says how it stands when it is sent again with something else.
func TestAFormCountsOnce(t *testing.T) {
	t.Parallel()
	w := contoso(t)
	seen := w.obeyed("contoso", done)
	key := keyOf(t, w.page("/tenants/contoso/settings"), "/tenants/contoso/settings/standing")
	for range 2 {
		if a := w.post("/tenants/contoso/settings/standing", "key", key, "do", "freeze"); a.status != http.StatusSeeOther {
			t.Errorf("%d", a.status)
		}
	}
	if a := w.post("/tenants/contoso/settings/standing", "key", key, "do", "pause"); a.status != http.StatusConflict || !strings.Contains(a.body, "This form was sent before") {
		t.Errorf("%d\n%s", a.status, plain(a.body))
	}
	if n := len(seen); n != 1 {
		t.Errorf("%d commands were given", n)
	}
}

func TestWhatFormsMayNotSay(t *testing.T) {
	t.Parallel()
	w := contoso(t)
	seen := w.obeyed("contoso", done)
	for name, c := range map[string]struct {
		path   string
		fields []string
		status int
	}{
		"seats below none":     {"/settings/seats", []string{"product", "secure-share", "purchased", "-1"}, http.StatusUnprocessableEntity},
		"seats in words":       {"/settings/seats", []string{"product", "secure-share", "purchased", "many"}, http.StatusUnprocessableEntity},
		"a limit of nothing":   {"/settings/seats", []string{"product", "secure-share", "purchased", "", "enforce", "on"}, http.StatusUnprocessableEntity},
		"another product":      {"/settings/seats", []string{"product", "email", "purchased", "1"}, http.StatusNotFound},
		"a share over all":     {"/settings/hold", []string{"flips", "hold", "share", "101", "least", "5", "hours", "1"}, http.StatusUnprocessableEntity},
		"none at least":        {"/settings/hold", []string{"flips", "hold", "share", "1", "least", "0", "hours", "1"}, http.StatusUnprocessableEntity},
		"no time":              {"/settings/hold", []string{"flips", "hold", "share", "1", "least", "1", "hours", "0"}, http.StatusUnprocessableEntity},
		"less than a minute":   {"/settings/hold", []string{"flips", "hold", "share", "1", "least", "1", "hours", "0.0165"}, http.StatusUnprocessableEntity},
		"more than ten years":  {"/settings/hold", []string{"flips", "hold", "share", "1", "least", "1", "hours", "87601"}, http.StatusUnprocessableEntity},
		"no number of hours":   {"/settings/hold", []string{"flips", "hold", "share", "1", "least", "1", "hours", "NaN"}, http.StatusUnprocessableEntity},
		"flips as they like":   {"/settings/hold", []string{"flips", "maybe", "share", "1", "least", "1", "hours", "1"}, http.StatusBadRequest},
		"something else":       {"/settings/standing", []string{"do", "erase"}, http.StatusBadRequest},
		"a key with a slash":   {"/settings/standing", []string{"do", "pause", "key", "a/b"}, http.StatusBadRequest},
		"a refresh of a kind":  {"/refreshes", []string{"mode", "wild"}, http.StatusBadRequest},
		"a held change of air": {"/held/flip-9/approve", []string{"product", "secure-share", "revision", "1"}, http.StatusNotFound},
		"no revision":          {"/held/flip-9/approve", []string{"product", "secure-share"}, http.StatusBadRequest},
		"a check of nobody":    {"/users/nobody/check", nil, http.StatusNotFound},
		"a form without key":   {"/settings/standing", []string{"do", "pause", "key", ""}, http.StatusBadRequest},
		"a check without key":  {"/users/ann/check", []string{"key", "a/b"}, http.StatusBadRequest},
	} {
		if a := w.post("/tenants/contoso"+c.path, append([]string{"key", "k"}, c.fields...)...); a.status != c.status {
			t.Errorf("%s: %d, want %d", name, a.status, c.status)
		}
	}
	form := url.Values{"do": {"pause"}, "key": {"k"}}
	if a := w.do(http.MethodPost, "/tenants/contoso/settings/standing", form, "Sec-Fetch-Site", "cross-site"); a.status != http.StatusForbidden {
		t.Errorf("from another site: %d", a.status)
	}
	if n := len(seen); n != 0 {
		t.Errorf("%d commands were given", n)
	}
}

// The list of a held change has changed since it was looked at: nothing is done, and the difference shown.
func TestAnApprovalOfAnotherListShowsTheDifference(t *testing.T) {
	t.Parallel()
	w := contoso(t)
	h := w.hold("contoso", "secure-share", ledger.Held{
		Ref: "revocations-1", Kind: ledger.HeldRevocations, State: ledger.HeldOpen, Revision: 2, Revocations: 1, ExpiresAt: time.Now().Add(25*time.Hour + time.Minute),
	}, ledger.HeldUser{Ref: "ann", Revision: 1, Reason: "not-a-member"})
	w.obey("contoso", func(event.Event) event.Answered {
		return event.Answered{
			Outcome: event.OutcomeRefused, Code: event.CodeRevision, Held: "revocations-1", Revision: 3,
			Changes: []event.HeldUser{{User: "cid", Listed: true, Reason: "guest"}, {User: "ann"}},
		}
	})
	page := w.page("/tenants/contoso/held/revocations-1")
	has(t, page, "Revoking many licenses of Secure Share", "Approve revision 2", "Ann Archer", "Not a member of the provisioning group.", "in 25 h")
	h.Revision = 3
	w.write(func(tx *ledger.Tx) error { return tx.SaveHeld(h) })
	a := w.post("/tenants/contoso/held/revocations-1/approve", "key", "k", "product", "secure-share", "revision", "2")
	if a.status != http.StatusConflict {
		t.Errorf("%d", a.status)
	}
	has(t, a.body, "The list has changed while you looked at it", "Cid Curie", "would lose the license: a guest", "no longer on the list", "Approve revision 3")
	has(t, w.page("/tenants/contoso/held/revocations-1?product=secure-share&seen=2"), "The list has changed since this page was shown")
	lacks(t, w.page("/tenants/contoso/held/revocations-1?product=secure-share&seen=3"), "The list has changed")
	for state, want := range map[ledger.HeldState]string{
		ledger.HeldApproved: "Being carried out", ledger.HeldApplied: "Carried out", ledger.HeldRejected: "Rejected", ledger.HeldExpired: "Expired",
		ledger.HeldWithdrawn: "Withdrawn",
	} {
		h.State, h.ClosedAt, h.ClosedBy = state, time.Now(), "grace"
		w.write(func(tx *ledger.Tx) error { return tx.SaveHeld(h) })
		text := w.page("/tenants/contoso/held/revocations-1")
		has(t, text, want, "grace")
		lacks(t, text, "Approve revision")
	}
}

// A list is told in pages.
func TestALongListComesInPages(t *testing.T) {
	t.Parallel()
	w := contoso(t)
	var people []directory.User
	var lines []ledger.HeldUser
	for i := range 201 {
		id := fmt.Sprintf("u%03d", i)
		people = append(people, person(id, "User "+id))
		lines = append(lines, ledger.HeldUser{Ref: id, Revision: 1, Reason: "not-a-member"})
	}
	w.put("contoso", people...)
	w.hold("contoso", "secure-share", ledger.Held{Ref: "revocations-1", Kind: ledger.HeldRevocations, State: ledger.HeldOpen, Revision: 1, Revocations: 201}, lines...)
	first := w.page("/tenants/contoso/held/revocations-1")
	has(t, first, "200 users on this page", "Next page")
	next := regexp.MustCompile(`href="([^"]+after=\d+)"`).FindStringSubmatch(first)
	if next == nil {
		t.Fatal("no next page")
	}
	second := w.page(strings.ReplaceAll(next[1], "&amp;", "&"))
	has(t, second, "1 user on this page", "First page")
	lacks(t, second, "Next page")
}

// answerRefresh plays receiver and worker: it reads the directory in pages, and says what has come of it.
func (w *world) answerRefresh(id, command string, result event.RefreshCompleted) {
	w.t.Helper()
	page := event.DirectoryObserved{Stamp: event.Stamp{Epoch: 1, Counter: 1}, Snapshot: command, Observations: []event.Observation{
		{User: &event.User{ID: "ann", Status: "active"}}, {Group: &event.Group{ID: "g"}}, {Membership: &event.Membership{GroupID: "g", MemberKind: "user", MemberID: "ann", Present: true}},
	}}
	w.tell(event.TypeDirectoryObserved, event.DirectorySubject(id, "page"), id, command+".page", command, page)
	w.tell(event.TypeSnapshotEnded, event.DirectorySubject(id, "snapshot"), id, command+".end", command, event.SnapshotEnded{Snapshot: command, Pages: 1})
	w.tell(event.TypeRefreshCompleted, event.CommandSubject(id, "refreshed"), id, command+".refreshed", command, result)
}

func (w *world) tell(eventType, subject, id, eventID, cause string, data any) {
	w.t.Helper()
	ev, err := event.New(eventType, event.Meta{ID: eventID, Source: event.DirectorySource(id), Time: time.Now(), Tenant: id, Cause: cause}, data)
	if err == nil {
		_, err = w.bus.Publish(context.Background(), subject, ev)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestARefreshIsFollowedToItsEnd(t *testing.T) {
	t.Parallel()
	w := contoso(t)
	a := w.post("/tenants/contoso/refreshes", "key", "k1", "mode", "preview")
	to := a.header.Get("Location")
	if a.status != http.StatusSeeOther || to != "/tenants/contoso/refreshes/k1" {
		t.Fatalf("%d to %s", a.status, to)
	}
	err := w.bus.Read(t.Context(), bus.ReadSpec{Stream: bus.LedgerIn, Filters: []string{"command.*.contoso.refresh"}}, func(m bus.Message) error {
		if got, want := string(m.Event.Data()), `{"requested_by":"control-center","by":"olga","preview":true}`; got != want {
			t.Errorf("the command says %s, want %s", got, want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	has(t, w.page(to), "The directory is being read")
	s := w.open(to + "/progress")
	if first := s.next(); first != "progress" {
		t.Errorf("first %q", first)
	}
	w.answerRefresh("contoso", "contoso.refresh.k1", event.RefreshCompleted{
		Snapshot: "contoso.refresh.k1", Users: 3, Groups: 1,
		Holds: []event.RefreshHold{{Product: "secure-share", Held: "refresh-1", Revision: 1, Grants: 1, Revocations: 2}},
	})
	for name := s.next(); name != "done"; name = s.next() {
		if name != "progress" {
			t.Fatalf("told %q", name)
		}
	}
	has(t, w.page(to), "3 users, 1 group", "1 license would be granted, 2 revoked", "/tenants/contoso/held/refresh-1?product=secure-share")
	for _, other := range []string{"/tenants/contoso/refreshes/k2", "/tenants/contoso/refreshes/k2/progress"} {
		if a := w.get(other); a.status != http.StatusNotFound {
			t.Errorf("%s, which nobody has asked for: %d", other, a.status)
		}
	}
}

func TestAUserIsCheckedAgain(t *testing.T) {
	t.Parallel()
	w := contoso(t)
	w.run(func(ctx context.Context) error { return w.answerRead(ctx, "contoso") })
	a := w.post("/tenants/contoso/users/ann/check", "key", keyOf(t, w.page("/tenants/contoso/users/ann"), "/tenants/contoso/users/ann/check"))
	if to := a.header.Get("Location"); a.status != http.StatusSeeOther || to != "/tenants/contoso/users/ann?said=checked" {
		t.Fatalf("%d to %s", a.status, to)
	}
	has(t, w.page(a.header.Get("Location")), "The directory was asked about this user just now")
}

func TestTheChartIsToldInBothForms(t *testing.T) {
	t.Parallel()
	w := contoso(t)
	var chart struct {
		Times  []int64
		Series []struct {
			Label  string
			Values []int
		}
	}
	if err := json.Unmarshal([]byte(w.get("/tenants/contoso/usage", "Accept", "application/json").body), &chart); err != nil {
		t.Fatal(err)
	}
	if n := len(chart.Times); n < 90 || len(chart.Series) != 1 || chart.Series[0].Label != "Secure Share" || chart.Series[0].Values[n-1] != 2 {
		t.Errorf("%+v", chart)
	}
	has(t, w.page("/tenants/contoso/usage"), time.Now().UTC().Format(time.DateOnly), `<td class="num">2</td>`)
}
