package workspace

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

const (
	ada    = "111220860655841818702"
	seats  = "03x8tuzt3hqdv5v"
	adaDoc = `{"kind":"admin#directory#user","id":"` + ada + `","primaryEmail":"Ada@initech.com","name":{"fullName":"Ada Lovelace"},` +
		`"aliases":["ada.l@initech.com"],"nonEditableAliases":["ada@initech.com.test-google-a.com"],"suspended":false,"archived":false}`
	seatsDoc = `{"kind":"admin#directory#group","id":"` + seats + `","email":"seats@initech.com","name":"Seats","aliases":["old-seats@initech.com"],"directMembersCount":"3"}`
)

func TestUser(t *testing.T) {
	t.Parallel()
	whole := directory.User{
		ID: ada, Name: "Ada Lovelace", Status: directory.Active,
		Addresses: []string{"ada@initech.com", "ada.l@initech.com", "ada@initech.com.test-google-a.com"},
	}
	suspended, archived := whole, whole
	suspended.Status, archived.Status = directory.Suspended, directory.Archived
	guest := whole
	guest.Guest = true
	with := func(old, new string) http.HandlerFunc { return says(200, strings.Replace(adaDoc, old, new, 1)) }
	for name, c := range map[string]struct {
		key    string
		answer http.HandlerFunc
		want   directory.User
		fails  bool
	}{
		"by id":                    {ada, says(200, adaDoc), whole, false},
		"by address":               {"ada.l@initech.com", says(200, adaDoc), whole, false},
		"suspended":                {ada, with(`"suspended":false`, `"suspended":true`), suspended, false},
		"archived and suspended":   {ada, with(`"suspended":false,"archived":false`, `"suspended":true,"archived":true`), archived, false},
		"guest":                    {ada, with(`"suspended"`, `"isGuestUser":true,"suspended"`), guest, false},
		"in the bin":               {ada, with(`"suspended"`, `"deletionTime":"2026-11-20T10:00:00.000Z","suspended"`), directory.User{ID: ada, Status: directory.Deleted}, false},
		"not there":                {ada, refuses(404, "notFound", "Resource Not Found: userKey"), directory.User{ID: ada, Status: directory.Deleted}, false},
		"no such address":          {"x@initech.com", refuses(404, "notFound", "Resource Not Found: userKey"), directory.User{Status: directory.Deleted}, false},
		"address of a group":       {"g@initech.com", refuses(400, "invalid", "Type not supported: userKey"), directory.User{Status: directory.Deleted}, false},
		"deleted not long ago":     {ada, refuses(412, "conditionNotMet", "User is deleted."), directory.User{ID: ada, Status: directory.Deleted}, false},
		"its address":              {"ada@initech.com", refuses(412, "conditionNotMet", "User is deleted."), directory.User{Status: directory.Deleted}, false},
		"another condition":        {ada, refuses(412, "conditionNotMet", "Precondition check failed."), directory.User{}, true},
		"deleted, says a gateway":  {ada, refuses(502, "conditionNotMet", "User is deleted."), directory.User{}, true},
		"id of a group":            {seats, refuses(400, "invalid", "Type not supported: userKey"), directory.User{}, true},
		"outsider":                 {"eve@other.com", refuses(403, "forbidden", "Not Authorized to access this resource/api"), directory.User{}, true},
		"404 of a gateway":         {ada, says(404, `<html>`), directory.User{}, true},
		"404 of something else":    {ada, refuses(404, "notFound", "Domain not found."), directory.User{}, true},
		"somebody else":            {"111220860655841818703", says(200, adaDoc), directory.User{}, true},
		"hidden state":             {ada, with(`"suspended":false,`, ``), directory.User{}, true},
		"state of a wrong kind":    {ada, with(`"suspended":false`, `"suspended":"no"`), directory.User{}, true},
		"no address":               {ada, with(`"primaryEmail":"Ada@initech.com",`, ``), directory.User{}, true},
		"nothing":                  {ada, says(200, ``), directory.User{}, true},
		"no JSON":                  {ada, says(200, `<html>`), directory.User{}, true},
		"a key that is none":       {"../users", says(200, adaDoc), directory.User{}, true},
		"an address without an at": {"a b@initech.com", says(200, adaDoc), directory.User{}, true},
		"no key":                   {"", says(200, adaDoc), directory.User{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, c.answer)
			got, err := f.connect(t).User(t.Context(), c.key)
			if (err != nil) != c.fails {
				t.Fatalf("error %v, want one: %v", err, c.fails)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			if err != nil && strings.Contains(err.Error(), "@") {
				t.Errorf("the error names somebody: %v", err)
			}
		})
	}
}

func TestUserAsksForWhatItNeeds(t *testing.T) {
	t.Parallel()
	f := newFake(t, says(200, adaDoc))
	if _, err := f.connect(t).User(t.Context(), "ada+x/y@initech.com"); err != nil {
		t.Fatal(err)
	}
	got := f.last(t)
	if got.Line != "GET /admin/directory/v1/users/ada%2Bx%2Fy%40initech.com" {
		t.Errorf("asked for %s", got.Line)
	}
	for _, field := range []string{"suspended", "archived", "deletionTime", "isGuestUser", "nonEditableAliases"} {
		if !strings.Contains(got.Query.Get("fields"), field) {
			t.Errorf("does not ask for %s: %s", field, got.Query.Get("fields"))
		}
	}
	if f.observations() != "POST /token, GET /users/{key}" {
		t.Errorf("told of %s", f.observations())
	}
}

func TestGroupAndGroupsAt(t *testing.T) {
	t.Parallel()
	whole := directory.Group{
		ID: seats, Name: "Seats", Kind: directory.WorkspaceGroup, Addresses: []string{"seats@initech.com", "old-seats@initech.com"},
	}
	gone := refuses(404, "notFound", "Resource Not Found: groupKey")
	for name, c := range map[string]struct {
		answer        http.HandlerFunc
		want          directory.Group
		at            []directory.Group
		fails, failAt bool
	}{
		"there":           {says(200, seatsDoc), whole, []directory.Group{whole}, false, false},
		"gone":            {gone, directory.Group{ID: seats, Deleted: true}, nil, false, false},
		"a user's":        {refuses(400, "invalid", "Type not supported: groupKey"), directory.Group{}, nil, true, false},
		"not ours":        {refuses(403, "forbidden", "Not Authorized to access this resource/api"), directory.Group{}, nil, true, true},
		"vague":           {refuses(404, "notFound", "Not Found"), directory.Group{}, nil, true, true},
		"without address": {says(200, `{"id":"`+seats+`"}`), directory.Group{}, nil, true, true},
		"of another":      {says(200, strings.ReplaceAll(seatsDoc, "old-seats", "x")), directory.Group{ID: seats, Name: "Seats", Kind: directory.WorkspaceGroup, Addresses: []string{"seats@initech.com", "x@initech.com"}}, nil, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newFake(t, c.answer).connect(t)
			got, err := d.Group(t.Context(), seats)
			if diff := cmp.Diff(c.want, got); diff != "" || (err != nil) != c.fails {
				t.Errorf("group: %v, -want +got\n%s", err, diff)
			}
			if errors.Is(err, receiver.ErrForeign) != (name == "not ours") {
				t.Errorf("group: is it foreign? %v", err)
			}
			at, err := d.GroupsAt(t.Context(), "Old-Seats@initech.com")
			if diff := cmp.Diff(c.at, at); diff != "" || (err != nil) != c.failAt {
				t.Errorf("groups at: %v, -want +got\n%s", err, diff)
			}
		})
	}
}

// TestGroupsAtTheAddressOfAUser: Google answers that with the same 403 as what we may not see.
func TestGroupsAtTheAddressOfAUser(t *testing.T) {
	t.Parallel()
	forbidden := refuses(403, "forbidden", "Not Authorized to access this resource/api")
	for name, c := range map[string]struct {
		user  http.HandlerFunc
		fails bool
	}{
		"a user's alias":      {says(200, adaDoc), false},
		"nobody's":            {refuses(404, "notFound", "Resource Not Found: userKey"), true},
		"of somebody else":    {forbidden, true},
		"somebody without it": {says(200, strings.Replace(adaDoc, "ada.l@initech.com", "x@initech.com", 1)), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.URL.Path, "/users/") {
					c.user(w, r)
					return
				}
				forbidden(w, r)
			})
			at, err := f.connect(t).GroupsAt(t.Context(), "Ada.L@initech.com")
			if (err != nil) != c.fails || len(at) != 0 {
				t.Errorf("%v, %v, want an error: %v", at, err, c.fails)
			}
		})
	}
}

func TestMembers(t *testing.T) {
	t.Parallel()
	f := newFake(t, says(200, `{"kind":"admin#directory#members","etag":"\"x\"","nextPageToken":"CP2","members":[
		{"kind":"admin#directory#member","id":"1","email":"a@initech.com","role":"OWNER","type":"USER","status":"ACTIVE"},
		{"id":"2","role":"MANAGER","type":"user"},{"id":"0g","type":"GROUP"},{"id":"C03az79cb","type":"CUSTOMER"},
		{"id":"x","type":"EXTERNAL"},{"id":"y"},{"id":"z","type":"ROBOT"},{"id":"odd","type":7},null,{"type":"USER","email":"b@initech.com"}]}`))
	d := f.connect(t)
	got, err := d.Members(t.Context(), seats, "CP1")
	if err != nil {
		t.Fatal(err)
	}
	member := func(id string, kind directory.MemberKind) directory.Observation {
		return directory.Observation{Membership: &directory.Membership{GroupID: seats, ID: id, Kind: kind, Present: true}}
	}
	want := receiver.Page{
		Observations: []directory.Observation{
			member("1", directory.UserMember), member("2", directory.UserMember), member("0g", directory.GroupMember),
			member("", directory.CustomerMember), member("x", directory.UserMember), member("y", directory.UserMember), member("z", directory.OtherMember),
		},
		SetAside: []string{"odd"}, Cursor: "CP2", More: true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	asked := f.last(t)
	if asked.Line != "GET /admin/directory/v1/groups/"+seats+"/members" || asked.Query.Get("maxResults") != "200" ||
		asked.Query.Get("pageToken") != "CP1" || strings.Contains(asked.Query.Get("fields"), "email") || asked.Query.Has("includeDerivedMembership") {
		t.Errorf("asked for %+v", asked)
	}
	if !strings.Contains(f.log.String(), "objects=2") || strings.Contains(f.log.String(), "initech.com") {
		t.Errorf("logged %s", f.log)
	}
}

func TestMembersThatAreNotToldAreNone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		means  error // nil: any
		fails  bool
	}{
		"empty group":      {says(200, `{"kind":"admin#directory#members","etag":"\"x\""}`), nil, false},
		"nothing at all":   {says(200, `{}`), nil, true},
		"null":             {says(200, `null`), nil, true},
		"a list of text":   {says(200, `{"kind":"k","members":"none"}`), nil, true},
		"a numeric token":  {says(200, `{"kind":"k","members":[],"nextPageToken":5}`), nil, true},
		"no such group":    {refuses(404, "notFound", "Resource Not Found: groupKey"), receiver.ErrNoGroup, true},
		"404 of a gateway": {says(404, `{}`), nil, true},
		"another's group":  {refuses(403, "forbidden", "Not Authorized to access this resource/api"), receiver.ErrForeign, true},
		"forbidden":        {refuses(403, "forbidden", "Insufficient Permission"), nil, true},
		"half an answer":   {says(200, `{"kind":"k","members":[{"id":"1"`), nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page, err := newFake(t, c.answer).connect(t).Members(t.Context(), seats, "")
			if (err != nil) != c.fails {
				t.Errorf("%+v, %v", page, err)
			}
			for _, means := range []error{receiver.ErrNoGroup, receiver.ErrForeign} {
				if errors.Is(err, means) != errors.Is(c.means, means) {
					t.Errorf("does it mean that %v? %v", means, err)
				}
			}
		})
	}
}

func TestMember(t *testing.T) {
	t.Parallel()
	absent := refuses(404, "notFound", "Resource Not Found: memberKey")
	nobody := refuses(400, "required", "Missing required field: memberKey")
	for name, c := range map[string]struct {
		key    string
		answer http.HandlerFunc
		want   directory.Membership
		means  error
	}{
		"present":            {ada, says(200, `{"id":"`+ada+`","type":"USER","role":"MANAGER"}`), directory.Membership{GroupID: seats, ID: ada, Kind: directory.UserMember, Present: true}, nil},
		"by address":         {"ada@initech.com", says(200, `{"id":"`+ada+`","type":"USER"}`), directory.Membership{GroupID: seats, ID: ada, Kind: directory.UserMember, Present: true}, nil},
		"absent":             {ada, absent, directory.Membership{GroupID: seats, ID: ada}, nil},
		"absent by address":  {"ada@initech.com", absent, directory.Membership{GroupID: seats}, nil},
		"deleted":            {ada, refuses(412, "conditionNotMet", "User is deleted."), directory.Membership{GroupID: seats, ID: ada}, nil},
		"nobody's id":        {ada, nobody, directory.Membership{GroupID: seats, ID: ada}, nil},
		"nobody's address":   {"eve@other.com", nobody, directory.Membership{GroupID: seats}, nil},
		"no group":           {ada, refuses(404, "notFound", "Resource Not Found: groupKey"), directory.Membership{}, receiver.ErrNoGroup},
		"the whole customer": {"C03az79cb", absent, directory.Membership{GroupID: seats, Kind: directory.CustomerMember}, nil},
		"nobody":             {"", absent, directory.Membership{}, errKey},
		"somebody else":      {"2", says(200, `{"id":"`+ada+`","type":"USER"}`), directory.Membership{}, errOther},
		"no key":             {"a/b", absent, directory.Membership{}, errKey},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := newFake(t, c.answer).connect(t).Member(t.Context(), seats, c.key)
			if diff := cmp.Diff(c.want, got); diff != "" || !errors.Is(err, c.means) || (err != nil) != (c.means != nil) {
				t.Errorf("%v, -want +got\n%s", err, diff)
			}
		})
	}
}

func TestMemberIsNotProved(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		key    string
		answer http.HandlerFunc
	}{
		"a key of another kind":       {ada, refuses(400, "invalid", "Invalid Input: memberKey")},
		"the customer as nobody's id": {"C03az79cb", refuses(400, "required", "Missing required field: memberKey")},
		"another field":               {ada, refuses(400, "required", "Missing required field: groupKey")},
		"forbidden":                   {ada, refuses(403, "forbidden", "Not Authorized to access this resource/api")},
		"404 of a gateway":            {ada, says(404, `<html>`)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := newFake(t, c.answer).connect(t).Member(t.Context(), seats, c.key); err == nil {
				t.Errorf("it is taken for %+v", got)
			}
		})
	}
}
