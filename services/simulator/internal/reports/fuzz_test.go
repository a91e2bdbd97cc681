package reports

import (
	"errors"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/googleerror"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

const customer = "C03az79cb"

// initech is a server over a customer with a few activities.
func initech(t testing.TB) (*Server, *clock.Fake) {
	t.Helper()
	fake := clock.NewFake(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC))
	s, err := store.Open(store.Config{Now: fake.Now})
	if err != nil {
		t.Fatal(err)
	}
	err = s.PutTenant(store.Tenant{ID: "initech", DirectoryID: customer, Provider: directory.GoogleWorkspace, Domains: []string{"initech.com"}})
	if err != nil {
		t.Fatal(err)
	}
	var users []*store.User
	for i := range 50 {
		users = append(users, &store.User{ID: fmt.Sprintf("1%020d", i), UPN: fmt.Sprintf("user%d@initech.com", i)})
	}
	if _, err := s.AddUsers(customer, users); err != nil {
		t.Fatal(err)
	}
	fake.Advance(time.Minute)
	if _, err := s.Via(store.ViaAPI).EditUser(customer, users[0].ID, func(u *store.User) { u.Disabled = true }); err != nil {
		t.Fatal(err)
	}
	fake.Advance(time.Minute)
	return &Server{Config: Config{Store: s, Clock: fake, Settings: func() control.Settings { return control.Settings{} }}}, fake
}

// all reads every page of a query and returns the activities.
func (s *Server) all(t testing.TB, app string, values url.Values) []activity {
	t.Helper()
	var out []activity
	for {
		q, err := readQuery(app, "all", values, s.Clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		var page []activity
		var more bool
		if err := s.Store.View(customer, func(v store.View) error { page, more = s.page(v, q); return nil }); err != nil {
			t.Fatal(err)
		}
		out = append(out, page...)
		if !more {
			return out
		}
		values.Set("pageToken", pageToken{
			Start: q.start.UnixMilli(), End: q.end.UnixMilli(), First: page[len(page)-1].first, Index: uint32(page[len(page)-1].index), Sum: q.sum(values),
		}.String())
	}
}

func TestUsersThatAreMadeAtOnceShareActivities(t *testing.T) {
	t.Parallel()
	s, _ := initech(t)
	var sizes []int
	qualifiers, negative := map[int64]bool{}, 0
	for _, a := range s.all(t, appAdmin, url.Values{"maxResults": {"1"}}) {
		sizes = append(sizes, len(a.events))
		qualifiers[a.qualifier()] = true
		if a.qualifier() < 0 {
			negative++
		}
	}
	if fmt.Sprint(sizes) != "[1 10 20 20]" || len(qualifiers) != 4 {
		t.Errorf("events %v, %d qualifiers", sizes, len(qualifiers))
	}
	if negative == 0 || negative == len(sizes) {
		t.Errorf("%d of %d qualifiers are negative", negative, len(sizes))
	}
}

// FuzzQuery holds that any query is read or refused as Google's errors are, and that what is read can be answered: no
// page is longer than was asked for, and nothing on it is outside the range.
func FuzzQuery(f *testing.F) {
	f.Add("admin", "startTime=2026-11-23T09:00:00Z&endTime=2026-11-23T09:01:00.5%2B01:00&maxResults=2")
	f.Add("groups_enterprise", "eventName=add_member&filters=member_id%3C%3Ex,group_id==y&customerId=my_customer")
	f.Add("admin", "pageToken=A:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Add("gmail", "startTime=0000-01-01T00:00:00Z")
	f.Add("admin", "startTime=9999-99-99T99:99:99Z&filters=,,,")
	s, fake := initech(f)
	f.Fuzz(func(t *testing.T, app, raw string) {
		values, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		q, err := readQuery(app, "all", values, fake.Now())
		if err != nil {
			var e *googleerror.Error
			if !errors.As(err, &e) || e.Status != 400 && e.Status != 403 {
				t.Fatalf("%q: %v", raw, err)
			}
			return
		}
		_ = s.Store.View(customer, func(v store.View) error { // the tenant is there
			page, _ := s.page(v, q)
			if len(page) > q.size {
				t.Fatalf("%q: a page of %d", raw, len(page))
			}
			for _, a := range page {
				if a.time().Before(q.start) || a.time().After(q.end) {
					t.Fatalf("%q shows what happened at %s", raw, a.time())
				}
			}
			return nil
		})
	})
}

// FuzzPageToken holds that any token is read or refused, and that a token that is read is written back to the same.
func FuzzPageToken(f *testing.F) {
	f.Add(pageToken{Start: 1, End: 2, First: 3, Index: 4, Sum: "123456789012"}.String())
	f.Add(pageToken{Start: 1, End: 253370764800000, First: 1 << 63, Index: 1 << 31, Sum: "............"}.String())
	f.Add("A:")
	f.Add("")
	f.Fuzz(func(t *testing.T, raw string) {
		token, err := parsePageToken(raw)
		if err == nil && token.String() != raw {
			t.Fatalf("%q is written back as %q", raw, token.String())
		}
	})
}

// FuzzFilter holds that any filter is read or refused, and that an equal and a different value are never both asked for.
func FuzzFilter(f *testing.F) {
	f.Add("USER_EMAIL==ann@initech.com", "USER_EMAIL", "ann@initech.com")
	f.Add("N<>1,N>=2", "N", "3")
	f.Add("a=b", "a", "b")
	f.Fuzz(func(t *testing.T, text, name, value string) {
		read, err := readFilter("", text, "")
		if err != nil {
			return
		}
		a := activity{events: []event{with("T", "E", name, value)}}
		_, ok := read.match(a)
		if text == name+"=="+value && len(read.relations) == 1 && read.relations[0].name == name && !ok {
			t.Fatalf("%q does not match", text)
		}
		other, err := readFilter("", name+"<>"+value, "")
		if err == nil && len(other.relations) == 1 && other.relations[0] == (relation{name, "<>", value}) {
			if _, differs := other.match(a); differs {
				t.Fatalf("%q differs from itself", value)
			}
		}
	})
}
