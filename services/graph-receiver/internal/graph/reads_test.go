package graph

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

func TestOnlyGraphsOwnNotFoundIsADeletion(t *testing.T) {
	t.Parallel()
	f := newFake(t, says(http.StatusNotFound, odata("Request_ResourceNotFound")))
	d := f.connect(t)
	if u, err := d.User(t.Context(), "u1"); err != nil || u.Status != directory.Deleted || u.ID != "u1" {
		t.Errorf("%+v, %v, want a deleted user", u, err)
	}
	if g, err := d.Group(t.Context(), "g1"); err != nil || !g.Deleted || g.ID != "g1" {
		t.Errorf("%+v, %v, want a deleted group", g, err)
	}
	if p, err := d.Members(t.Context(), "g1", ""); err == nil {
		t.Errorf("members of a group that is gone: %+v, want an error", p)
	}
	for name, answer := range map[string]http.HandlerFunc{
		"a gateway's 404":  says(http.StatusNotFound, "<html>not found</html>"),
		"another code":     says(http.StatusNotFound, odata("ResourceNotFound")),
		"forbidden":        says(http.StatusForbidden, odata("Request_ResourceNotFound")),
		"failed":           says(http.StatusInternalServerError, ""),
		"empty":            says(http.StatusOK, ""),
		"another object":   says(http.StatusOK, `{"id":"x9","userPrincipalName":"u@c","accountEnabled":true,"mailEnabled":true,"securityEnabled":true}`),
		"hidden":           says(http.StatusOK, `{"id":"u1","userPrincipalName":"u@c","accountEnabled":null}`),
		"a list":           says(http.StatusOK, `{"value":[]}`),
		"nothing, as 204":  says(http.StatusNoContent, ""),
		"an odd accepted":  says(http.StatusAccepted, `null`),
		"a not modified":   says(http.StatusNotModified, ""),
		"gone, as of link": says(http.StatusGone, ""),
	} {
		f.answer = answer
		if u, err := d.User(t.Context(), "u1"); err == nil {
			t.Errorf("%s: user %+v, want an error", name, u)
		}
		if g, err := d.Group(t.Context(), "u1"); err == nil {
			t.Errorf("%s: group %+v, want an error", name, g)
		}
	}
}

// A list that may not be read, or cannot be, is not one of nobody.
func TestMembersThatAreNotToldAreNone(t *testing.T) {
	t.Parallel()
	f := newFake(t, says(http.StatusOK, `{"value":[]}`))
	d := f.connect(t)
	if p, err := d.Members(t.Context(), "g1", ""); err != nil || len(p.Observations) != 0 {
		t.Fatalf("nobody is in it: %+v, %v", p, err)
	}
	for name, answer := range map[string]http.HandlerFunc{
		"forbidden":       says(http.StatusForbidden, odata("Authorization_RequestDenied")),
		"unavailable":     says(http.StatusServiceUnavailable, ""),
		"a gateway's 404": says(http.StatusNotFound, "<html>not found</html>"),
		"empty":           says(http.StatusOK, ""),
		"no list":         says(http.StatusOK, `{}`),
		"null":            says(http.StatusOK, `{"value":null}`),
		"nothing, as 204": says(http.StatusNoContent, ""),
	} {
		f.answer = answer
		if p, err := d.Members(t.Context(), "g1", ""); err == nil {
			t.Errorf("%s: %+v, want an error", name, p)
		}
	}
}

func TestIDsThatAreNoneSendNothing(t *testing.T) {
	t.Parallel()
	f := newFake(t, says(http.StatusOK, `{"value":[]}`))
	d := f.connect(t)
	for _, id := range []string{"", "..", "a/b", "a?b", "ada@contoso.com"} {
		_, user := d.User(t.Context(), id)
		_, group := d.Group(t.Context(), id)
		_, members := d.Members(t.Context(), id, "")
		if user == nil || group == nil || members == nil {
			t.Errorf("%q is taken for an id: %v, %v, %v", id, user, group, members)
		}
	}
	if _, err := d.GroupsAt(t.Context(), "no address"); err == nil {
		t.Error("a lookup of no address is sent")
	}
	if len(f.seen()) > 0 {
		t.Errorf("sent %v", f.seen())
	}
}

func TestGroupsAt(t *testing.T) {
	t.Parallel()
	const one = `{"id":"g1","mail":"O'Neil+x@contoso.com","mailEnabled":true,"securityEnabled":false,"groupTypes":[]}`
	const two = `{"id":"g2","mail":"two@contoso.com","proxyAddresses":["smtp:o'neil+x@contoso.com"],"mailEnabled":true,"securityEnabled":true}`
	const stale = `{"id":"g3","mail":"three@contoso.com","mailEnabled":true,"securityEnabled":true}`
	f := newFake(t, nil)
	var filters []string
	f.answer = func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		switch filter := q.Get("$filter"); {
		case r.Header.Get("ConsistencyLevel") != "eventual" || q.Get("$count") != "true" && !q.Has("$skiptoken"):
			w.WriteHeader(http.StatusBadRequest)
		case q.Has("$skiptoken"):
			fmt.Fprintf(w, `{"@odata.count":3,"value":[%s,%s]}`, two, stale)
		case strings.HasPrefix(filter, "proxyAddresses"):
			filters = append(filters, filter)
			fmt.Fprintf(w, `{"@odata.count":3,"value":[%s],"@odata.nextLink":%q}`, one, f.server.URL+"/v1.0/groups?$skiptoken=a")
		default:
			filters = append(filters, filter)
			fmt.Fprintf(w, `{"@odata.count":1,"value":[%s]}`, one)
		}
	}
	got, err := f.connect(t).GroupsAt(t.Context(), "O'Neil+X@contoso.com")
	if err != nil {
		t.Fatal(err)
	}
	want := []directory.Group{
		{ID: "g1", Kind: directory.Distribution, Addresses: []string{"o'neil+x@contoso.com"}},
		{ID: "g2", Kind: directory.MailEnabledSecurity, Addresses: []string{"two@contoso.com", "o'neil+x@contoso.com"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	wantFilters := []string{
		"mail eq 'o''neil+x@contoso.com'",
		"proxyAddresses/any(p:p eq 'smtp:o''neil+x@contoso.com') or proxyAddresses/any(p:p eq 'SMTP:o''neil+x@contoso.com')",
	}
	if diff := cmp.Diff(wantFilters, filters); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestGroupsAtNeverGuesses(t *testing.T) {
	t.Parallel()
	f := newFake(t, nil)
	d := f.connect(t)
	for name, body := range map[string]string{
		"a partial group": `{"value":[{"id":"g1","mail":"a@c"}]}`, "a group without an id": `{"value":[{}]}`,
		"a foreign link": `{"value":[],"@odata.nextLink":"https://evil.example/"}`, "no end": `{"value":[],"@odata.nextLink":"` + f.server.URL + `/v1.0/groups"}`,
	} {
		f.answer = says(http.StatusOK, body)
		if got, err := d.GroupsAt(t.Context(), "a@c"); err == nil {
			t.Errorf("%s: %v, want an error", name, got)
		}
	}
}

func TestMembersPages(t *testing.T) {
	t.Parallel()
	f := newFake(t, nil)
	next := f.server.URL + "/v1.0/groups/g/members?$top=999&$skiptoken=x"
	f.answer = func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("$skiptoken") {
			fmt.Fprint(w, `{"value":[{"@odata.type":"#microsoft.graph.group","id":"n"}]}`)
			return
		}
		fmt.Fprintf(w, `{"@odata.nextLink":%q,"value":[{"@odata.type":"#microsoft.graph.user","id":"u"}]}`, next)
	}
	d := f.connect(t)
	first, err := d.Members(t.Context(), "g", "")
	want := receiver.Page{Cursor: next, More: true, Observations: []directory.Observation{{Membership: &directory.Membership{GroupID: "g", ID: "u", Kind: directory.UserMember, Present: true}}}}
	if diff := cmp.Diff(want, first); err != nil || diff != "" {
		t.Fatalf("%v, -want +got\n%s", err, diff)
	}
	last, err := d.Members(t.Context(), "g", first.Cursor)
	want = receiver.Page{Observations: []directory.Observation{{Membership: &directory.Membership{GroupID: "g", ID: "n", Kind: directory.GroupMember, Present: true}}}}
	if diff := cmp.Diff(want, last); err != nil || diff != "" {
		t.Fatalf("%v, -want +got\n%s", err, diff)
	}
	if got := f.seen()[0]; got != "GET /v1.0/groups/g/members?$top=999&$select=id" {
		t.Errorf("begun with %s", got)
	}
}
