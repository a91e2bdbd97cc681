package workspace

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzMask holds that a mask selects only what is there, and that one that is taken is not torn.
func FuzzMask(f *testing.F) {
	for _, seed := range []string{"users(id,name/fullName),nextPageToken", "*", "users/*", "users(*)", "users/name/fullName,users/id", "users(id", "a,,b", "users()", "((((", "kind, etag", "users/emails/address"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := parseMask(text, listShape("users", userShape()))
		if err != nil {
			return
		}
		whole := object{"kind": "k", "users": []object{{"id": "1", "name": object{"fullName": "A", "givenName": "B"}, "emails": []object{{"address": "a"}}}}}
		got := m.apply(whole).(object)
		for name := range got {
			if _, there := whole[name]; !there {
				t.Fatalf("%q selects %s", text, name)
			}
		}
	})
}

func TestMasks(t *testing.T) {
	t.Parallel()
	whole := func() object {
		return object{"kind": "k", "nextPageToken": "n", "users": []object{{"id": "1", "name": object{"fullName": "A", "givenName": "B"}}}}
	}
	for text, want := range map[string]any{
		"":                                     whole(),
		"*":                                    whole(),
		"kind":                                 object{"kind": "k"},
		"users/id":                             object{"users": []any{object{"id": "1"}}},
		"users(id,name/fullName)":              object{"users": []any{object{"id": "1", "name": object{"fullName": "A"}}}},
		"users/name/fullName,users/id":         object{"users": []any{object{"id": "1", "name": object{"fullName": "A"}}}},
		"users/name,users/name/fullName, kind": object{"kind": "k", "users": []any{object{"name": object{"fullName": "A", "givenName": "B"}}}},
		"users/*":                              object{"users": []any{object{"id": "1", "name": object{"fullName": "A", "givenName": "B"}}}},
	} {
		m, err := parseMask(text, listShape("users", userShape()))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, m.apply(whole())); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
	for _, text := range []string{"x", "users(x)", "users(id", "users)", ",", "a(", "users//id", "users/", "name/fullName"} {
		if _, err := parseMask(text, listShape("users", userShape())); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

// FuzzRequests holds that no key, token, mask or query is answered with 500.
func FuzzRequests(f *testing.F) {
	h := newServer(f)
	paths := []string{"users", "users/", "groups", "groups/", "groups/team@initech.com/members", "groups/team@initech.com/members/", "groups/team@initech.com/hasMember/", "users/watch"}
	token := pageToken{List: "x", Address: "a@initech.com", ID: "1", Issued: 1}.String()
	f.Add(uint8(0), "", "customer=my_customer&pageToken="+token)
	f.Add(uint8(0), "", "customer=my_customer&query=email:a*+name='x'&orderBy=givenName&sortOrder=DESCENDING")
	f.Add(uint8(1), "ann@initech.com", "fields=id,name/fullName")
	f.Add(uint8(4), "", "includeDerivedMembership=true&roles=OWNER,MEMBER&maxResults=1")
	f.Add(uint8(5), "ann@initech.com", "")
	f.Fuzz(func(t *testing.T, which uint8, key, query string) {
		r := httptest.NewRequest(http.MethodGet, Path, nil)
		r.URL = &url.URL{Path: Path + paths[int(which)%len(paths)] + key, RawQuery: query}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Fatalf("%s: %d %s", r.URL, w.Code, w.Body)
		}
	})
}
