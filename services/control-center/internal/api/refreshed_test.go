package api_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/api/openapi"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/centertest"
	"github.com/rollcall-hq/rollcall/services/internal/command"
)

// refreshed asks for a refresh under a key, and answers it as a worker would: a preview with one list.
func (h *house) refreshed(t *testing.T, tenant, key string, preview bool) {
	t.Helper()
	sent, err := command.New(h.Bus, h.Clock).Send(t.Context(), tenant, key, event.RefreshRequested{RequestedBy: "cli", Preview: preview})
	if err != nil {
		t.Fatal(err)
	}
	result := event.RefreshCompleted{Snapshot: sent.ID, Users: 8, Groups: 2, Granted: 1}
	if preview {
		result.Granted = 0
		result.Holds = []event.RefreshHold{{Product: "secure-share", Held: "refresh-3", Revision: 4, Grants: 1}}
	}
	if _, err := h.Tell(t.Context(), tenant, "refreshed", event.TypeRefreshCompleted, sent.ID+".completed", sent.ID, result); err != nil {
		t.Fatal(err)
	}
}

const refreshes = "/api/v1/tenants/contoso/refreshes"

// await asks until an answer is as it is to be: what is on a stream reaches who follows it in its own time.
func await[T any](t *testing.T, h *house, path string, ok func(T) bool) T {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for ctx := t.Context(); ; {
		got := get[T](t, h, path)
		if ok(got) {
			return got
		}
		select {
		case <-ctx.Done():
			t.Fatalf("at last: %+v", got)
		case <-tick.C:
		}
	}
}

// TestARefreshIsFollowed from when it is asked for to its end.
func TestARefreshIsFollowed(t *testing.T) {
	t.Parallel()
	h := newHouse(t, patience)
	a := h.Do(centertest.Admin, http.MethodPost, refreshes, `{"preview":true}`, "Idempotency-Key", "day")
	if a.Status != http.StatusAccepted || a.Header.Get("Location") != refreshes+"/day" || a.Header.Get("Retry-After") == "" {
		t.Fatalf("%+v", a)
	}
	again := h.Do(centertest.Admin, http.MethodPost, refreshes, `{"preview":true}`, "Idempotency-Key", "day")
	if again.Status != http.StatusAccepted || again.Body != a.Body {
		t.Errorf("%s, and again %s", a.Body, again.Body)
	}
	if other := h.Do(centertest.Admin, http.MethodPost, refreshes, `{}`, "Idempotency-Key", "day"); statusAndCode(other) != "422 idempotency-key-used" {
		t.Errorf("%+v", other)
	}
	if other := h.Do(centertest.Operator, http.MethodPost, refreshes, `{"preview":true}`, "Idempotency-Key", "day"); statusAndCode(other) != "422 idempotency-key-used" {
		t.Errorf("somebody else's: %+v", other)
	}
	if got := get[openapi.Refresh](t, h, refreshes+"/day"); got.State != openapi.RefreshStateWaiting || !got.Preview || !got.RequestedAt.Equal(h.Clock.Now()) || got.RequestedBy != "ada.admin" {
		t.Errorf("%+v", got)
	}
	const id = "contoso.refresh.day"
	page := event.DirectoryObserved{Stamp: event.Stamp{Epoch: 1, Counter: 9}, Snapshot: id, Observations: []event.Observation{
		{User: &event.User{ID: "ada", Status: "active"}},
		{User: &event.User{ID: "bob", Status: "active"}},
		{Group: &event.Group{ID: "sales"}},
		{Membership: &event.Membership{GroupID: "sales", MemberKind: "user", MemberID: "ada", Present: true}},
	}}
	other := event.DirectoryObserved{Stamp: event.Stamp{Epoch: 1, Counter: 8}, Observations: page.Observations}
	for i, p := range []event.DirectoryObserved{other, page} {
		if err := h.Observe(t.Context(), "contoso", "page", event.TypeDirectoryObserved, "page."+strconv.Itoa(i), p); err != nil {
			t.Fatal(err)
		}
	}
	got := await(t, h, refreshes+"/day", func(r openapi.Refresh) bool { return r.State == openapi.RefreshStateReading })
	if diff := cmp.Diff(openapi.RefreshProgress{Pages: 1, Users: 2, Groups: 1, Memberships: 1}, got.Progress); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if a := h.Do(centertest.Admin, http.MethodPost, refreshes+"/day/apply", ""); statusAndCode(a) != "409 refresh-not-done" || a.Header.Get("Retry-After") == "" {
		t.Errorf("%+v", a)
	}
	end := event.SnapshotEnded{Began: page.Stamp, Snapshot: id, Users: true, Groups: true, Pages: 1}
	if err := h.Observe(t.Context(), "contoso", "snapshot", event.TypeSnapshotEnded, "snapshot", end); err != nil {
		t.Fatal(err)
	}
	await(t, h, refreshes+"/day", func(r openapi.Refresh) bool { return r.State == openapi.RefreshStateComparing })
	h.refreshed(t, "contoso", "other", false)
	result := event.RefreshCompleted{Snapshot: id, Users: 2, Groups: 1, Removed: 3, Unproven: 4, Holds: []event.RefreshHold{{Product: "secure-share", Held: "refresh-3", Revision: 7, Grants: 1}}}
	if _, err := h.Tell(t.Context(), "contoso", "refreshed", event.TypeRefreshCompleted, id+".completed", id, result); err != nil {
		t.Fatal(err)
	}
	got = get[openapi.Refresh](t, h, refreshes+"/day")
	want := openapi.RefreshResult{Users: 2, Groups: 1, Removed: 3, Unproven: 4, Holds: []openapi.RefreshHold{{Product: "secure-share", Held: "refresh-3", Revision: 7, Grants: 1}}}
	if diff := cmp.Diff(want, got.Result); diff != "" || got.State != openapi.RefreshStateDone || got.Progress != (openapi.RefreshProgress{}) {
		t.Errorf("%+v (-want +got):\n%s", got, diff)
	}
}

// TestAPreviewIsApplied: each list is approved as it was, and what is refused of one keeps no other back.
func TestAPreviewIsApplied(t *testing.T) {
	t.Parallel()
	h := newHouse(t, patience)
	var s seen
	h.Work(func(ev event.Event) event.Answered {
		s.note(ev)
		if strings.Contains(string(ev.Data()), `"drive"`) {
			return event.Answered{Outcome: event.OutcomeRefused, Code: event.CodeRevision, Revision: 3, Changes: []event.HeldUser{{User: "eve"}}}
		}
		return done(ev)
	})
	holds := []event.RefreshHold{{Product: "drive", Held: "refresh-9", Revision: 2}, {Product: "secure-share", Held: "refresh-3", Revision: 4, Grants: 1}}
	sent, err := command.New(h.Bus, h.Clock).Send(t.Context(), "contoso", "two", event.RefreshRequested{RequestedBy: "cli", Preview: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Tell(t.Context(), "contoso", "refreshed", event.TypeRefreshCompleted, "two.completed", sent.ID, event.RefreshCompleted{Snapshot: sent.ID, Holds: holds}); err != nil {
		t.Fatal(err)
	}
	a := h.Do(centertest.Admin, http.MethodPost, refreshes+"/two/apply", "", "Idempotency-Key", "k")
	var got openapi.Applied
	a.JSON(t, &got)
	if a.Status != http.StatusOK || len(got.Items) != 2 || got.Items[0].Command.Problem.Code != "held-changed" || got.Items[0].Command.State != openapi.CommandStateRefused ||
		got.Items[1].Command.State != openapi.CommandStateDone || got.Items[1].Held != "refresh-3" {
		t.Errorf("%+v", a)
	}
	if again := h.Do(centertest.Admin, http.MethodPost, refreshes+"/two/apply", "", "Idempotency-Key", "k"); again.Body != a.Body {
		t.Errorf("%s, and again %s", a.Body, again.Body)
	}
	if len(s.all) != 2 || !strings.HasSuffix(s.all[1], `{"product":"secure-share","held":"refresh-3","revision":4,"by":"ada.admin"}`) {
		t.Errorf("%v", s.all)
	}
	h.refreshed(t, "contoso", "none", false)
	for id, want := range map[string]string{"none": "409 no-preview", "never": "404 no-such-refresh"} {
		if a := h.Do(centertest.Admin, http.MethodPost, refreshes+"/"+id+"/apply", ""); statusAndCode(a) != want {
			t.Errorf("%s: %+v", id, a)
		}
	}
}

func TestRefreshesAreListed(t *testing.T) {
	t.Parallel()
	h := newHouse(t, patience)
	for _, key := range []string{"a", "b", "c"} {
		h.refreshed(t, "contoso", key, false)
	}
	h.refreshed(t, "fabrikam", "d", false)
	var all []string
	cursor := ""
	for range 4 {
		p := get[openapi.RefreshPage](t, h, refreshes+"?limit=2"+cursor)
		for _, r := range p.Items {
			all = append(all, r.ID+" "+string(r.State)+" "+r.RequestedBy)
		}
		if p.NextCursor == "" {
			break
		}
		cursor = "&cursor=" + p.NextCursor
	}
	if diff := cmp.Diff([]string{"c done cli", "b done cli", "a done cli"}, all); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
