package wire

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

const live = `{"id":"1","primaryEmail":"A@x.com","suspended":false,"archived":false,"aliases":["b@x.com","a@x.com"],"name":{"displayName":"A"}}`

func page(list, items string) []byte {
	return []byte(`{"kind":"k","nextPageToken":"N","` + list + `":[` + items + `]}`)
}

func TestOneOddObjectCostsOnlyItself(t *testing.T) {
	t.Parallel()
	good := directory.User{ID: "1", Name: "A", Addresses: []string{"a@x.com", "b@x.com"}, Status: directory.Active}
	for name, c := range map[string]struct {
		odd      string
		setAside string
		nameless int
	}{
		"a flag in a string":       {`{"id":"2","primaryEmail":"c@x.com","suspended":"false","archived":false}`, "2", 0},
		"no flag":                  {`{"id":"2","primaryEmail":"c@x.com","archived":false}`, "2", 0},
		"a null flag":              {`{"id":"2","primaryEmail":"c@x.com","suspended":null,"archived":false}`, "2", 0},
		"a name of a wrong kind":   {`{"id":"2","name":"C","primaryEmail":"c@x.com","suspended":false,"archived":false}`, "2", 0},
		"an alias of a wrong kind": {`{"aliases":["d@x.com",5],"primaryEmail":"c@x.com","suspended":false,"archived":false,"id":"2"}`, "2", 0},
		"aliases of a wrong kind":  {`{"aliases":"d@x.com","id":"2","primaryEmail":"c@x.com","suspended":false,"archived":false}`, "2", 0},
		"no address":               {`{"id":"2","suspended":false,"archived":false}`, "2", 0},
		"a number for an id":       {`{"id":2,"primaryEmail":"c@x.com","suspended":false,"archived":false}`, "", 1},
		"no id":                    {`{"primaryEmail":"c@x.com","suspended":false,"archived":false}`, "", 1},
		"an address for an id":     {`{"id":"c@x.com","primaryEmail":"c@x.com","suspended":false,"archived":false}`, "", 1},
		"null":                     {`null`, "", 1},
		"a number":                 {`17`, "", 1},
		"a list":                   {`[[]]`, "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, items := range []string{c.odd + "," + live, live + "," + c.odd} {
				got, err := Users(page("users", items))
				if err != nil {
					t.Fatal(err)
				}
				want := Page{Observations: []directory.Observation{{User: &good}}, Nameless: c.nameless, Next: "N"}
				if c.setAside != "" {
					want.SetAside = []string{c.setAside}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("-want +got\n%s", diff)
				}
			}
		})
	}
}

func TestBodiesThatAreNoPage(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		``, `null`, `{}`, `[]`, `"users"`, `{"users":{}}`, `{"kind":"k","users":[1,2`, `{"kind":"k"} {"kind":"k"}`, `{"kind":"k","nextPageToken":7}`,
		`{"users":[],"members":[],"etag":""}`, `{"error":{"code":500}}`,
	} {
		for what, read := range map[string]func() error{
			"users":      func() error { _, err := Users([]byte(body)); return err },
			"groups":     func() error { _, err := Groups([]byte(body)); return err },
			"members":    func() error { _, err := Members([]byte(body), "g"); return err },
			"deleted":    func() error { _, err := DeletedUsers([]byte(body), time.Time{}); return err },
			"activities": func() error { _, _, err := Activities([]byte(body), "admin"); return err },
			"customer":   func() error { _, err := Customer([]byte(body)); return err },
		} {
			if err := read(); err == nil {
				t.Errorf("%s are read from %s", what, body)
			}
		}
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]Failure{
		`{"error":{"code":404,"message":"Resource Not Found: userKey","errors":[{"message":"Resource Not Found: userKey","domain":"global","reason":"notFound"}]}}`: {"notFound", "userKey", Missing},
		`{"error":{"code":404,"errors":[{"reason":"notFound","message":"Resource Not Found: groupKey"}]}}`:                                                          {"notFound", "groupKey", Missing},
		`{"error":{"code":404,"message":"Resource Not Found: a@x.com"}}`:                                                                                            {"", "", ""},
		`{"error":{"code":404,"message":"Resource Not Found: domain"}}`:                                                                                             {"", "", ""},
		`{"error":{"code":400,"message":"Type not supported: userKey","status":"INVALID_ARGUMENT"}}`:                                                                {"INVALID_ARGUMENT", "userKey", OtherType},
		`{"error":{"code":412,"message":"User is deleted.","errors":[{"message":"User is deleted.","reason":"conditionNotMet"}]}}`:                                  {"conditionNotMet", "", Binned},
		`{"error":{"code":400,"message":"Missing required field: memberKey","errors":[{"reason":"required"}]}}`:                                                     {"required", "memberKey", Nobody},
		`{"error":{"code":400,"message":"Missing required field: email","errors":[{"reason":"required"}]}}`:                                                         {"required", "", ""},
		`{"error":{"code":403,"message":"Not Authorized to access this resource/api"}}`:                                                                             {"", "", Foreign},
		`{"error":"invalid_grant","error_description":"Bad a@x.com"}`:                                                                                               {"invalid_grant", "", ""},
		`{"error":{"code":"403","message":5,"errors":"none"}}`:                                                                                                      {},
		`<html>`: {}, ``: {}, `{}`: {}, `null`: {}, `{"error":null}`: {},
	} {
		if diff := cmp.Diff(want, ReadFailure([]byte(body))); diff != "" {
			t.Errorf("%s: -want +got\n%s", body, diff)
		}
	}
}

// FuzzPages holds the readers of pages to encoding/json: what they take is JSON, and every object is accounted for.
func FuzzPages(f *testing.F) {
	f.Add(page("users", live+`,{"id":"2","deletionTime":"2026-11-23T08:00:00.000Z"},null`))
	f.Add(page("groups", `{"id":"0g","email":"g@x.com","aliases":[]},{"id":"0h","email":[]}`))
	f.Add(page("members", `{"id":"1","type":"USER"},{"id":"C1","type":"CUSTOMER"},{"type":"CUSTOMER"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		users, err := Users(body)
		groups, errGroups := Groups(body)
		members, errMembers := Members(body, "g")
		_, errDeleted := DeletedUsers(body, time.Time{})
		if (err == nil) != (errGroups == nil) || (err == nil) != (errMembers == nil) || (err == nil) != (errDeleted == nil) {
			t.Fatalf("the readers differ: %v, %v, %v, %v", err, errGroups, errMembers, errDeleted)
		}
		if err != nil {
			return
		}
		var oracle map[string]json.RawMessage
		if e := json.Unmarshal(body, &oracle); e != nil {
			t.Fatalf("took what encoding/json refuses: %v", e)
		}
		for list, p := range map[string]Page{"users": users, "groups": groups, "members": members} {
			var items []json.RawMessage
			if raw, ok := oracle[list]; !ok || strings.Count(strings.ToLower(string(body)), list) > 1 || json.Unmarshal(raw, &items) != nil {
				continue
			}
			if n := len(p.Observations) + len(p.SetAside) + p.Nameless; n != len(items) {
				t.Fatalf("%s: accounted for %d of %d", list, n, len(items))
			}
			for _, o := range p.Observations {
				if o.User != nil && !ValidID(o.User.ID) || o.Group != nil && !ValidID(o.Group.ID) {
					t.Fatalf("an id that is none: %+v", o)
				}
			}
		}
	})
}

// FuzzSingles: no body makes the readers of one object panic, or give an object without its id.
func FuzzSingles(f *testing.F) {
	for _, body := range []string{
		live, `{"id":"0g","email":"g@x.com"}`, `{"id":"1","type":"USER"}`, `{"id":"c","resourceId":"r","expiration":"1795514400000"}`,
		`{"error":{"code":404,"message":"Resource Not Found: userKey","errors":[{"reason":"notFound"}]}}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if u, err := User(body); err == nil && !ValidID(u.ID) {
			t.Errorf("user %+v", u)
		}
		if g, err := Group(body); err == nil && (!ValidID(g.ID) || len(g.Addresses) > 0 && g.Addresses[0] == "") {
			t.Errorf("group %+v", g)
		}
		if m, err := Member(body, "g"); err == nil && (!m.Present || !ValidID(m.ID) != (m.Kind == directory.CustomerMember)) {
			t.Errorf("member %+v", m)
		}
		if c, err := ReadChannel(body); err == nil && (c.ID == "" || strings.Contains(c.ResourceID, "@")) {
			t.Errorf("channel %+v", c)
		}
		if failure := ReadFailure(body); strings.Contains(failure.Key+string(failure.State), "@") {
			t.Errorf("failure %+v", failure)
		}
	})
}

// FuzzActivities: an activity has one name, however it came, and its events are read whatever is odd beside them.
func FuzzActivities(f *testing.F) {
	f.Add([]byte(`{"id":{"time":"2026-11-23T07:58:35.808Z","uniqueQualifier":"-987","applicationName":"admin","customerId":"C1"},"actor":{"email":"A@x.com"},"events":[{"name":"CREATE_USER","parameters":[{"name":"USER_EMAIL","value":"L@x.com"}]}]}`))
	f.Add([]byte(`{"id":{"uniqueQualifier":5},"events":[1,{"name":"x","parameters":{}}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		push, err := ReadPush(body, "admin")
		if err != nil || push.Activity == nil {
			return
		}
		list, _, err := Activities(append(append([]byte(`{"kind":"k","items":[`), body...), `]}`...), "admin")
		if err != nil || len(list) != 1 {
			t.Fatalf("%d activities, %v", len(list), err)
		}
		a := list[0]
		if a.ID() != push.Activity.ID() && strings.TrimSpace(string(body)) == string(body) {
			t.Errorf("pushed as %s, listed as %s", push.Activity.ID(), a.ID())
		}
		if len(a.ID()) != 32 || a.Customer != "" && !ValidID(a.Customer) || a.Actor != strings.ToLower(a.Actor) && strings.Contains(a.Actor, "@") {
			t.Errorf("%+v", a)
		}
	})
}

func BenchmarkUsers(b *testing.B) {
	body := page("users", strings.TrimSuffix(strings.Repeat(live+",", 500), ","))
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, err := Users(body); err != nil {
			b.Fatal(err)
		}
	}
}
