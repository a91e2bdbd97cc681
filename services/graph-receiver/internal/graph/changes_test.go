package graph

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

var (
	users  = receiver.Feed{Kind: receiver.UsersFeed}
	groups = receiver.Feed{Kind: receiver.GroupsFeed}
)

func TestUserChangesFollowTheWholeLink(t *testing.T) {
	t.Parallel()
	f := newFake(t, nil)
	next, delta := f.server.URL+"/v1.0/users/delta?$skiptoken=a%2Bb-%2E~", f.server.URL+"/v1.0/users/delta()?$deltatoken=c%3D"
	f.answer = func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.RawQuery {
		case "$skiptoken=a%2Bb-%2E~":
			fmt.Fprintf(w, `{"value":[],"@odata.deltaLink":%q}`, delta)
		case "$deltatoken=c%3D":
			fmt.Fprintf(w, `{"value":[{"id":"u1","@removed":{"reason":"changed"}},{"id":"u2","displayName":"partial"},{}],"@odata.deltaLink":%q}`, delta)
		default:
			fmt.Fprintf(w, `{"value":[{"id":"u1","userPrincipalName":"A@c.com","accountEnabled":true}],"@odata.nextLink":%q}`, next)
		}
	}
	d := f.connect(t)
	first, err := d.Changes(t.Context(), users, "")
	want := receiver.Page{Observations: []directory.Observation{{User: &directory.User{ID: "u1", Status: directory.Active, Addresses: []string{"a@c.com"}}}}, Cursor: next, More: true}
	if diff := cmp.Diff(want, first); err != nil || diff != "" {
		t.Fatalf("%v, -want +got\n%s", err, diff)
	}
	second, err := d.Changes(t.Context(), users, first.Cursor)
	if diff := cmp.Diff(receiver.Page{Cursor: delta}, second); err != nil || diff != "" {
		t.Fatalf("%v, -want +got\n%s", err, diff)
	}
	third, err := d.Changes(t.Context(), users, second.Cursor)
	want = receiver.Page{Observations: []directory.Observation{{User: &directory.User{ID: "u1", Status: directory.Deleted}}}, SetAside: []string{"u2"}, Cursor: delta}
	if diff := cmp.Diff(want, third); err != nil || diff != "" {
		t.Fatalf("%v, -want +got\n%s", err, diff)
	}
	if got := f.seen()[0]; got != "GET /v1.0/users/delta?$select=id%2CdisplayName%2CuserPrincipalName%2Cmail%2CproxyAddresses%2CaccountEnabled%2CuserType" {
		t.Errorf("begun with %s", got)
	}
	if got := f.observations(); got != "GET /authority, POST /token, GET /users/delta, GET /users/delta, GET /users/delta" {
		t.Errorf("observed %s", got)
	}
}

// TestMemberChangesChainsQueries has 101 groups: three queries, of which the first has two pages.
func TestMemberChangesChainsQueries(t *testing.T) {
	t.Parallel()
	f := newFake(t, nil)
	f.answer = func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		filter, link := q.Get("$filter"), f.server.URL+"/v1.0/groups/delta?"
		switch {
		case strings.HasPrefix(filter, "id eq 'g000' or id eq 'g001'"):
			fmt.Fprintf(w, `{"value":[{"id":"g000","members@delta":[{"@odata.type":"#microsoft.graph.user","id":"u1"}]}],"@odata.nextLink":%q}`, link+"$skiptoken=0")
		case filter != "":
			fmt.Fprintf(w, `{"value":[],"@odata.deltaLink":%q}`, link+"$deltatoken="+filter[7:11])
		case q.Has("$skiptoken"):
			fmt.Fprintf(w, `{"value":[{"id":"g001","@removed":{"reason":"changed"}}],"@odata.deltaLink":%q}`, link+"$deltatoken=g000")
		default:
			fmt.Fprintf(w, `{"value":[{"id":%q,"members@delta":[{"id":"u2"}]}],"@odata.deltaLink":%q}`, q.Get("$deltatoken"), link+r.URL.RawQuery)
		}
	}
	d := f.connect(t)
	feed := receiver.Feed{Kind: receiver.MembersFeed}
	for i := range 101 {
		feed.Groups = append(feed.Groups, fmt.Sprintf("g%03d", i))
	}
	var pages []receiver.Page
	cursor := ""
	for more := true; more; {
		p, err := d.Changes(t.Context(), feed, cursor)
		if err != nil {
			t.Fatal(err)
		}
		cursor, more, p.Cursor = p.Cursor, p.More, ""
		pages = append(pages, p)
	}
	want := []receiver.Page{
		{More: true, Observations: []directory.Observation{{Membership: &directory.Membership{GroupID: "g000", ID: "u1", Kind: directory.UserMember, Present: true}}}},
		{More: true, Observations: []directory.Observation{{Group: &directory.Group{ID: "g001", Deleted: true}}}},
		{More: true},
		{},
	}
	if diff := cmp.Diff(want, pages); diff != "" {
		t.Fatalf("-want +got\n%s", diff)
	}
	for _, group := range []string{"g000", "g050", "g100"} { // the next round follows each query's delta link
		p, err := d.Changes(t.Context(), feed, cursor)
		if err != nil {
			t.Fatal(err)
		}
		unclear := []directory.Membership{{GroupID: group, ID: "u2", Present: true}}
		if diff := cmp.Diff(unclear, p.Unclear); diff != "" || p.More != (group != "g100") {
			t.Fatalf("More %v, -want +got\n%s", p.More, diff)
		}
		cursor = p.Cursor
	}
	for i, request := range f.seen() {
		u, err := url.Parse(strings.TrimPrefix(request, "GET "))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(u.Query().Get("$filter"), "id eq"); n > 50 {
			t.Errorf("request %d names %d groups, want at most 50", i, n)
		}
	}
	fewer := receiver.Feed{Kind: receiver.MembersFeed, Groups: feed.Groups[1:]}
	if _, err := d.Changes(t.Context(), fewer, cursor); err != nil {
		t.Errorf("a cursor of more groups: %v, want it followed", err)
	}
	other := receiver.Feed{Kind: receiver.MembersFeed, Groups: append(slices.Clone(feed.Groups), "new")}
	for _, old := range []string{cursor, "x", "{}", `{"at":-1,"queries":[{}]}`, f.server.URL} {
		if _, err := d.Changes(t.Context(), other, old); !errors.Is(err, receiver.ErrCursorExpired) {
			t.Errorf("a cursor %q of other groups: %v, want ErrCursorExpired", old, err)
		}
	}
}

func TestMemberChangesOfNoGroups(t *testing.T) {
	t.Parallel()
	f := newFake(t, says(http.StatusOK, `{}`))
	d := f.connect(t)
	p, err := d.Changes(t.Context(), receiver.Feed{Kind: receiver.MembersFeed}, "")
	if err != nil || p.More || len(f.seen()) > 0 {
		t.Errorf("%+v, %v, after %v: want an empty page without a request", p, err, f.seen())
	}
	if _, err := d.Changes(t.Context(), receiver.Feed{Kind: receiver.MembersFeed, Groups: []string{"x' or id ne '"}}, ""); err == nil {
		t.Error("an id that is none goes into a filter")
	}
}

func TestForeignLinks(t *testing.T) {
	t.Parallel()
	f := newFake(t, nil)
	d := f.connect(t)
	host := strings.TrimPrefix(f.server.URL, "https://")
	for _, link := range []string{
		"https://evil.example/v1.0/users/delta?$skiptoken=a", "http://" + host + "/v1.0/users/delta", "https://u:p@" + host + "/",
		"https://127.0.0.1:1/v1.0/users/delta", "/v1.0/users/delta?$skiptoken=a", "//evil.example/", ":",
	} {
		f.answer = says(http.StatusOK, fmt.Sprintf(`{"value":[],"@odata.nextLink":%q}`, link))
		before := len(f.seen())
		if p, err := d.Changes(t.Context(), users, ""); !errors.Is(err, errForeign) || errors.Is(err, receiver.ErrCursorExpired) {
			t.Errorf("a page that leads to %s: %+v, %v", link, p, err)
		}
		if p, err := d.Changes(t.Context(), users, link); !errors.Is(err, receiver.ErrCursorExpired) {
			t.Errorf("a cursor that leads to %s: %+v, %v", link, p, err)
		}
		if p, err := d.Members(t.Context(), "g", link); !errors.Is(err, receiver.ErrCursorExpired) {
			t.Errorf("members that lead to %s: %+v, %v", link, p, err)
		}
		if n := len(f.seen()) - before; n != 1 {
			t.Errorf("%s: %d requests, want one", link, n)
		}
	}
}

func TestCursorExpires(t *testing.T) {
	t.Parallel()
	f := newFake(t, nil)
	d := f.connect(t)
	cursor := f.server.URL + "/v1.0/groups/delta?$deltatoken=old"
	for body, status := range map[string]int{
		"": http.StatusGone, odata("Whatever"): http.StatusGone, odata("syncStateNotFound"): http.StatusNotFound, odata("SyncStateInvalid"): http.StatusBadRequest,
		odata("resyncRequired"): http.StatusBadRequest, odata("Directory_ExpiredPageToken"): http.StatusBadRequest,
	} {
		f.answer = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://evil.example/v1.0/groups/delta?$deltatoken=")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
		if _, err := d.Changes(t.Context(), groups, cursor); !errors.Is(err, receiver.ErrCursorExpired) {
			t.Errorf("%d %s: %v", status, body, err)
		}
		if _, err := d.Changes(t.Context(), groups, ""); err == nil || errors.Is(err, receiver.ErrCursorExpired) {
			t.Errorf("%d %s without a cursor: %v", status, body, err)
		}
	}
	f.answer = says(http.StatusBadRequest, odata("Request_BadRequest"))
	if _, err := d.Changes(t.Context(), groups, cursor); err == nil || errors.Is(err, receiver.ErrCursorExpired) {
		t.Errorf("an ordinary error: %v", err)
	}
}

func TestBrokenPages(t *testing.T) {
	t.Parallel()
	f := newFake(t, nil)
	d := f.connect(t)
	for name, body := range map[string]string{
		"no link": `{"value":[]}`, "no value": `{"@odata.deltaLink":"x"}`, "empty": ``, "a gateway's page": `<html>ada@contoso.com</html>`,
		"link of a wrong kind": `{"value":[],"@odata.deltaLink":7}`, "cut off": `{"value":[{"id":"u1"`,
		"too long": `{"value":[],"@odata.deltaLink":"` + f.server.URL + `/"}` + strings.Repeat(" ", maxAnswer),
	} {
		f.answer = says(http.StatusOK, body)
		p, err := d.Changes(t.Context(), users, "")
		if err == nil || strings.Contains(err.Error(), "contoso") {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}
