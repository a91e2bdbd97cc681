package workspace

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

var (
	users  = receiver.Feed{Kind: receiver.UsersFeed}
	groups = receiver.Feed{Kind: receiver.GroupsFeed}
)

// pages answers by path and page token: "users", "users/P2", "users/deleted", "admin/P2", ...
func pages(bodies map[string]string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		key := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
		if r.URL.Query().Get("showDeleted") == "true" {
			key += "/deleted"
		}
		if token := r.URL.Query().Get("pageToken"); token != "" {
			key += "/" + token
		}
		body, ok := bodies[key]
		if !ok {
			http.Error(w, "no page "+key, http.StatusInternalServerError)
			return
		}
		_, _ = w.Write([]byte(body))
	}
}

func activity(application string, n int, event string, pairs ...string) string {
	parameters := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		parameters[pairs[i]] = pairs[i+1]
	}
	s := said{application: application, name: event, parameters: parameters}.body()
	at := strings.Index(s, `"uniqueQualifier":"`) + len(`"uniqueQualifier":"`)
	return s[:at] + fmt.Sprint(n) + s[at:]
}

func journalOf(items ...string) string {
	return `{"kind":"admin#reports#activities","etag":"\"e\"","items":[` + strings.Join(items, ",") + `]}`
}

func more(body, token string) string {
	return strings.TrimSuffix(body, "}") + `,"nextPageToken":"` + token + `"}`
}

// change reads one page and fails the test when it cannot be read.
func change(t *testing.T, d receiver.Directory, feed receiver.Feed, cursor string) receiver.Page {
	t.Helper()
	p, err := d.Changes(t.Context(), feed, cursor)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestListsOfEverything(t *testing.T) {
	t.Parallel()
	odd := `{"id":"5","primaryEmail":"odd@initech.com","suspended":"maybe","archived":false}`
	f := newFake(t, pages(map[string]string{
		"users":     more(`{"kind":"k","users":[`+adaDoc+`,`+odd+`,{"primaryEmail":"x@initech.com"}]}`, "P2"),
		"users/P2":  `{"kind":"k","users":[{"id":"7","primaryEmail":"b@initech.com","suspended":true,"archived":false}]}`,
		"groups":    more(`{"kind":"k","groups":[`+seatsDoc+`,{"id":"0odd","email":7}]}`, "P2"),
		"groups/P2": `{"kind":"k","etag":"e"}`,
		"admin":     journalOf(), "groups_enterprise": journalOf(),
	}))
	d := f.connect(t)
	first := change(t, d, users, "")
	f.clock.Advance(time.Hour)
	second := change(t, d, users, first.Cursor)
	if len(first.Observations) != 1 || !cmp.Equal(first.SetAside, []string{"5"}) || !first.More || len(second.Observations) != 1 || second.More {
		t.Errorf("users: %+v, %+v", first, second)
	}
	change(t, d, users, second.Cursor)
	asked := f.seen()
	if q := asked[0].Query; q.Get("customer") != "my_customer" || q.Get("maxResults") != "500" || q.Has("pageToken") || q.Has("showDeleted") {
		t.Errorf("asked for %+v", q)
	}
	if got := asked[2].Query.Get("startTime"); got != "2026-11-23T07:30:00.000Z" {
		t.Errorf("the journal begins at %s, want half an hour before the list did", got)
	}
	if got := asked[2].Query; got.Has("endTime") || got.Get("maxResults") != "1000" || got.Has("eventName") || got.Has("filters") {
		t.Errorf("asked the journal for %v", got)
	}

	first = change(t, d, groups, "")
	second = change(t, d, groups, first.Cursor)
	if len(first.Observations) != 1 || !cmp.Equal(first.SetAside, []string{"0odd"}) || !first.More || len(second.Observations) != 0 || second.More {
		t.Errorf("groups: %+v, %+v", first, second)
	}
	change(t, d, groups, second.Cursor)
	if got := f.last(t).Query.Get("startTime"); got != "2026-11-23T06:00:00.000Z" {
		t.Errorf("the journal of groups begins at %s, want three hours before the list did", got)
	}
}

func TestJournalNamesWhatIsStale(t *testing.T) {
	t.Parallel()
	f := newFake(t, pages(map[string]string{
		"groups_enterprise": more(journalOf(activity(groupsJournal, 1, "add_member", "group_id", group, "member_id", liz),
			activity(groupsJournal, 2, "change_security_setting", "group_id", group)), "P2"),
		"groups_enterprise/P2": journalOf(activity(groupsJournal, 3, "delete_group", "group_id", group)),
	}))
	d := f.connect(t)
	rest := cursor{Stage: resting, Since: began}.String()
	first := change(t, d, groups, rest)
	second := change(t, d, groups, first.Cursor)
	if diff := cmp.Diff(refMember(group, liz), first.Stale); diff != "" || len(first.Shown) != 2 || !first.More || len(first.Observations) != 0 {
		t.Errorf("first: %+v\n%s", first, diff)
	}
	if diff := cmp.Diff(refGroup(group), second.Stale); diff != "" || len(second.Shown) != 1 || second.More {
		t.Errorf("second: %+v\n%s", second, diff)
	}
	if a, b := f.seen()[0].Query.Get("startTime"), f.seen()[1].Query.Get("startTime"); a != b {
		t.Errorf("the window moves from %s to %s between pages", a, b)
	}
	// Read again: everything shows, and nothing is stale any more.
	third := change(t, d, groups, second.Cursor)
	fourth := change(t, d, groups, third.Cursor)
	if len(third.Stale)+len(fourth.Stale) != 0 || !cmp.Equal(third.Shown, first.Shown) {
		t.Errorf("again: %+v, %+v", third, fourth)
	}
}

func TestARoundThatFailedLosesNothing(t *testing.T) {
	t.Parallel()
	f := newFake(t, pages(map[string]string{
		"admin":    more(journalOf(activity(adminJournal, 1, "SUSPEND_USER", "USER_EMAIL", liz)), "P2"),
		"admin/P2": journalOf(activity(adminJournal, 2, "SUSPEND_USER", "USER_EMAIL", lisa)),
	}))
	d := f.connect(t)
	rest := cursor{Stage: resting, Since: began}.String()
	// Neither a first page, nor all of them, count until the cursor behind them comes back. The clock stands still.
	first := change(t, d, users, rest)
	again := change(t, d, users, rest)
	last := change(t, d, users, again.Cursor)
	once := change(t, d, users, rest)
	end := change(t, d, users, once.Cursor)
	for i, p := range []receiver.Page{first, again, once} {
		if diff := cmp.Diff(refUser(liz), p.Stale); diff != "" {
			t.Errorf("page %d: %s", i, diff)
		}
	}
	for i, p := range []receiver.Page{last, end} {
		if diff := cmp.Diff(refUser(lisa), p.Stale); diff != "" {
			t.Errorf("end %d: %s", i, diff)
		}
	}
	if p := change(t, d, users, end.Cursor); len(p.Stale) != 0 {
		t.Errorf("after all: %+v", p.Stale)
	}
	// Another process remembers nothing and reads it again.
	if p := change(t, f.connect(t), users, end.Cursor); len(p.Stale) != 1 {
		t.Errorf("after a start: %+v", p.Stale)
	}
}

func TestOverlaps(t *testing.T) {
	t.Parallel()
	f := newFake(t, pages(map[string]string{"admin": journalOf(), "groups_enterprise": journalOf()}))
	d := f.connect(t)
	at := map[receiver.FeedKind]string{
		receiver.UsersFeed: cursor{Stage: resting, Since: began}.String(), receiver.GroupsFeed: cursor{Stage: resting, Since: began}.String(),
	}
	back := func(feed receiver.Feed, keep bool) time.Duration {
		p := change(t, d, feed, at[feed.Kind])
		since, err := openCursor(at[feed.Kind], f.clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		if keep {
			at[feed.Kind] = p.Cursor
		}
		start, err := time.Parse(time.RFC3339, f.last(t).Query.Get("startTime"))
		if err != nil {
			t.Fatal(err)
		}
		return since.Since.Sub(start)
	}
	for i, want := range []struct {
		users, groups time.Duration
		keep          bool
		then          time.Duration
	}{
		{30 * time.Minute, 3 * time.Hour, false, time.Minute}, // the first after a start, and it fails
		{30 * time.Minute, 3 * time.Hour, true, time.Minute},
		{narrow, narrow, true, 3 * time.Minute},
		{narrow, narrow, true, time.Minute},
		{30 * time.Minute, 3 * time.Hour, true, time.Minute},
		{narrow, narrow, true, 0},
	} {
		if u, g := back(users, want.keep), back(groups, want.keep); u != want.users || g != want.groups {
			t.Errorf("read %d: overlaps %s and %s, want %s and %s", i, u, g, want.users, want.groups)
		}
		f.clock.Advance(want.then)
	}
}

// TestTheJournalGoesOn: each read begins a little before the one that ended well last, and not where the first one did.
func TestTheJournalGoesOn(t *testing.T) {
	t.Parallel()
	f := newFake(t, pages(map[string]string{"admin": more(journalOf(), "P2"), "admin/P2": journalOf()}))
	d := f.connect(t)
	raw := cursor{Stage: resting, Since: began.Add(-time.Hour)}.String()
	for i, want := range []string{"2026-11-23T06:30:00.000Z", "2026-11-23T07:50:00.000Z", "2026-11-23T07:52:00.000Z"} {
		first := change(t, d, users, raw)
		f.clock.Advance(time.Minute) // what happens while it is read belongs to the next one
		raw = change(t, d, users, first.Cursor).Cursor
		if got := f.last(t).Query.Get("startTime"); got != want {
			t.Errorf("read %d begins at %s, want %s", i, got, want)
		}
		f.clock.Advance(time.Minute)
	}
}

func TestDeletedUsersAreLookedUp(t *testing.T) {
	t.Parallel()
	gone := func(id, at string) string {
		return `{"id":"` + id + `","primaryEmail":"x@initech.com","deletionTime":"` + at + `"}`
	}
	f := newFake(t, pages(map[string]string{
		"admin":            more(journalOf(activity(adminJournal, 1, "DELETE_USER", "USER_EMAIL", liz)), "P2"),
		"admin/P2":         journalOf(activity(adminJournal, 2, "SUSPEND_USER", "USER_EMAIL", lisa)),
		"users/deleted":    more(`{"kind":"k","users":[`+gone("1", "2026-11-23T07:49:59.000Z")+`,`+gone("2", "2026-11-20T07:00:00.000Z")+`,`+gone("3", "yesterday")+`]}`, "P2"),
		"users/deleted/P2": `{"kind":"k","users":[` + gone("4", "2026-11-23T07:41:00+00:00") + `,` + adaDoc + `]}`,
	}))
	d := f.connect(t)
	cursor := cursor{Stage: resting, Since: began}.String()
	var got []directory.Observation
	var aside []string
	requests := 0
	for more := true; more; requests++ {
		p := change(t, d, users, cursor)
		got, aside, cursor, more = append(got, p.Observations...), append(aside, p.SetAside...), p.Cursor, p.More
	}
	want := []directory.Observation{
		{User: &directory.User{ID: "1", Status: directory.Deleted}}, {User: &directory.User{ID: "4", Status: directory.Deleted}},
	}
	if diff := cmp.Diff(want, got); diff != "" || !cmp.Equal(aside, []string{"3"}) || requests != 4 {
		t.Errorf("%d requests, set aside %v, -want +got\n%s", requests, aside, diff)
	}
	// The same deletion is not looked up with every read.
	p := change(t, d, users, change(t, d, users, cursor).Cursor)
	if p.More {
		t.Errorf("again: %+v", p)
	}
	// But the list may have lagged behind the activity: the next long look has it read again.
	f.clock.Advance(wideEvery)
	p = change(t, d, users, change(t, d, users, p.Cursor).Cursor)
	if p = change(t, d, users, p.Cursor); len(p.Observations) != 1 {
		t.Errorf("later: %+v", p)
	}
}

func TestBulkUploadsReadEverythingAgain(t *testing.T) {
	t.Parallel()
	f := newFake(t, pages(map[string]string{"admin": journalOf(activity(adminJournal, 1, "BULK_UPLOAD"))}))
	d := f.connect(t)
	p := change(t, d, users, cursor{Stage: resting, Since: began}.String())
	if !p.Anew || p.More {
		t.Errorf("%+v", p)
	}
	if p = change(t, d, users, p.Cursor); p.Anew {
		t.Error("everything is read again for the same upload")
	}
}

// TestTheListHasShownWhatWasBefore: the overlap after a list reaches back behind it, and what was done well before it began
// shows in it. The activity is of ten minutes before the fake's clock starts.
func TestTheListHasShownWhatWasBefore(t *testing.T) {
	t.Parallel()
	for late, anew := range map[time.Duration]bool{0: true, time.Second: false} {
		f := newFake(t, pages(map[string]string{
			"users": `{"kind":"k","users":[` + adaDoc + `]}`, "admin": journalOf(activity(adminJournal, 1, "BULK_UPLOAD")),
		}))
		f.clock.Advance(late)
		d := f.connect(t)
		listed := change(t, d, users, "")
		if p := change(t, d, users, listed.Cursor); p.Anew != anew || len(p.Shown) != 1 {
			t.Errorf("a list %s later: %+v", late, p)
		}
		if rested := change(t, f.connect(t), users, change(t, d, users, listed.Cursor).Cursor); rested.Anew != anew {
			t.Errorf("a list %s later, another process: %+v", late, rested)
		}
	}
}

func TestCursorsThatExpire(t *testing.T) {
	t.Parallel()
	f := newFake(t, pages(map[string]string{"admin": journalOf()}))
	d := f.connect(t)
	for name, raw := range map[string]string{
		"too old":      cursor{Stage: resting, Since: began.Add(-20 * 24 * time.Hour)}.String(),
		"of another":   `https://graph.microsoft.com/v1.0/users/delta?$deltatoken=x`,
		"of the past":  `{"stage":"orbit","since":"2026-11-23T08:00:00Z"}`,
		"without time": `{"stage":"rest"}`,
	} {
		if _, err := d.Changes(t.Context(), users, raw); !errors.Is(err, receiver.ErrCursorExpired) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := d.Changes(t.Context(), receiver.Feed{Kind: receiver.MembersFeed, Groups: []string{seats}}, ""); err == nil {
		t.Error("there is a feed of members")
	}
	if n := len(f.seen()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

func TestSeenIsBounded(t *testing.T) {
	t.Parallel()
	s := newSeen(3)
	for key := range uint64(5) {
		s.add(key)
		s.add(key)
	}
	for key, want := range map[uint64]bool{0: false, 1: false, 2: true, 3: true, 4: true} {
		if s.has(key) != want {
			t.Errorf("has %d: %v", key, s.has(key))
		}
	}
	if len(s.keys) != 3 || len(s.ring) != 3 {
		t.Errorf("%d keys in a ring of %d", len(s.keys), len(s.ring))
	}
}

// FuzzCursor: no stored text makes a journal be read that never ends, or a panic.
func FuzzCursor(f *testing.F) {
	f.Add(cursor{Stage: resting, Since: began, Turn: 3}.String())
	f.Add(cursor{Stage: deleting, Since: began, Began: began, From: began, Deleted: began, Page: "p"}.String())
	f.Fuzz(func(t *testing.T, raw string) {
		c, err := openCursor(raw, began)
		if err != nil {
			return
		}
		again, err := openCursor(c.String(), began)
		if diff := cmp.Diff(c, again); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
	})
}
