package simulator_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/simulator"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// stale puts a plan of stale reads in force, by up to 10 seconds.
func (s *sim) stale(rate float64) {
	s.t.Helper()
	p := control.Plan{Seed: 3, Rates: map[control.FaultKind]float64{control.StaleRead: rate}, Stale: 10 * time.Second}
	if err := s.control.PutPlan(s.t.Context(), p); err != nil {
		s.t.Fatal(err)
	}
}

// holdViews holds what reads show: each of reads tells what it saw. Before the clock moves, all show the past.
func (s *sim) holdViews(fake *clock.Fake, reads map[string]func() string, past, present map[string]string) {
	s.t.Helper()
	look := func() map[string]string {
		seen := map[string]string{}
		for name, read := range reads {
			seen[name] = read()
		}
		return seen
	}
	if diff := cmp.Diff(past, look()); diff != "" {
		s.t.Errorf("stale (-want +got):\n%s", diff)
	}
	if dealt := must(s.control.Dealt(s.t.Context(), s.tenant.ID))(s.t); dealt[control.StaleRead] != len(reads) {
		s.t.Errorf("%d reads were stale, counted are %v", len(reads), dealt)
	}
	fake.Advance(10 * time.Second)
	if diff := cmp.Diff(present, look()); diff != "" {
		s.t.Errorf("later (-want +got):\n%s", diff)
	}
	if dealt := must(s.control.Dealt(s.t.Context(), s.tenant.ID))(s.t); dealt[control.StaleRead] != len(reads) {
		s.t.Errorf("reads that nothing had changed for were counted: %v", dealt)
	}
}

func TestStaleReadsOfGraph(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Now())
	s := start(t, simulator.Config{}, fake)
	s.putTenant()
	ann, group := s.user("ann"), s.group(control.NewGroup{Name: "g", Kind: directory.Security})
	must(s.control.AddMembers(t.Context(), "contoso", group, ann))(t)
	_, link, _ := s.pages("/users/delta?$select=id")
	fake.Advance(time.Minute)
	s.stale(1)
	bob := s.user("bob")
	other := s.group(control.NewGroup{Name: "h", Kind: directory.Security})
	must(s.control.AddMembers(t.Context(), "contoso", group, bob))(t)
	must(s.control.RemoveMembers(t.Context(), "contoso", group, ann))(t)
	must(s.control.Suspend(t.Context(), "contoso", ann))(t)
	names := strings.NewReplacer(ann, "ann", bob, "bob", group, "g", other, "h")
	list := func(path string) func() string {
		return func() string {
			values, _, _ := s.pages(path)
			return names.Replace(strings.Join(ids(values), " "))
		}
	}
	get := func(path string) func() string {
		return func() string {
			status, out, _ := s.call(http.MethodGet, path, nil)
			return fmt.Sprint(status, out["accountEnabled"])
		}
	}
	s.holdViews(fake, map[string]func() string{
		"users": list("/users"), "bob": get("/users/" + bob), "ann": get("/users/" + ann + "?$select=accountEnabled"),
		"groups": list("/groups"), "h": get("/groups/" + other), "members": list("/groups/" + group + "/members"),
		"all members": list("/groups/" + group + "/transitiveMembers"), "users anew": list("/users/delta"),
		"changes": func() string {
			values, next, _ := s.pages(link)
			link = next
			return names.Replace(strings.Join(ids(values), " "))
		},
	}, map[string]string{
		"users": "ann", "bob": "404 <nil>", "ann": "200 true", "groups": "g", "h": "404 <nil>", "members": "ann", "all members": "ann",
		"users anew": "ann", "changes": "",
	}, map[string]string{
		"users": "ann bob", "bob": "200 <nil>", "ann": "200 false", "groups": "g h", "h": "200 <nil>", "members": "bob", "all members": "bob",
		"users anew": "ann bob", "changes": "bob",
	})
}

func TestStaleReadsOfWorkspace(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Now())
	s := initech(t, simulator.Config{}, fake)
	ann, team := s.person("ann"), s.team("team")
	must(s.control.AddMembers(t.Context(), "initech", team, ann))(t)
	fake.Advance(time.Minute)
	s.stale(1)
	bob, other := s.person("bob"), s.team("other")
	must(s.control.AddMembers(t.Context(), "initech", team, bob))(t)
	must(s.control.RemoveMembers(t.Context(), "initech", team, ann))(t)
	must(s.control.Suspend(t.Context(), "initech", ann))(t)
	list := func(path, of, name string) func() string {
		return func() string { items, _ := s.list(path, of); return values(items, name) }
	}
	get := func(path, name string) func() string {
		return func() string {
			status, out := s.admin(http.MethodGet, "directory/v1/"+path, nil)
			return strings.TrimSpace(fmt.Sprintln(status, out[name]))
		}
	}
	s.holdViews(fake, map[string]func() string{
		"users": list("users?customer=my_customer", "users", "primaryEmail"), "bob": get("users/"+bob, "name"),
		"ann": get("users/"+ann, "suspended"), "groups": list("groups?customer=my_customer", "groups", "email"),
		"other": get("groups/"+other, "kind"), "members": list("groups/"+team+"/members?alt=json", "members", "email"),
		"member ann": get("groups/"+team+"/members/"+ann, "role"), "has ann": get("groups/"+team+"/hasMember/"+ann, "isMember"),
	}, map[string]string{
		"users": "admin@initech.com ann@initech.com", "bob": "404 <nil>", "ann": "200 false", "groups": "team@initech.com", "other": "404 <nil>",
		"members": "ann@initech.com", "member ann": "200 MEMBER", "has ann": "200 true",
	}, map[string]string{
		"users": "admin@initech.com ann@initech.com bob@initech.com", "bob": "200 map[familyName: fullName:bob givenName:bob]", "ann": "200 true",
		"groups": "other@initech.com team@initech.com", "other": "200 admin#directory#group",
		"members": "bob@initech.com", "member ann": "404 <nil>", "has ann": "200 false",
	})
}

// follower keeps what delta queries tell of users and of a group's members, while things change between the pages.
type follower struct {
	*sim
	links   []string
	enabled map[string]bool
	members map[string]bool
}

func (f *follower) restart() {
	f.links = []string{"/users/delta?$select=accountEnabled", "/groups/delta?$select=members"}
	f.enabled, f.members = map[string]bool{}, map[string]bool{}
}

// round follows all links to their ends.
func (f *follower) round(change func()) {
	f.t.Helper()
	for i, link := range f.links {
		for more := true; more; {
			out := f.get(link)
			for _, v := range out["value"].([]any) {
				o := v.(object)
				if is, ok := o["accountEnabled"].(bool); ok {
					f.enabled[o["id"].(string)] = is
				}
				links, _ := o["members@delta"].([]any)
				for _, m := range links {
					id := m.(object)["id"].(string)
					if _, gone := m.(object)["@removed"]; gone {
						delete(f.members, id)
					} else {
						f.members[id] = true
					}
				}
			}
			if link, more = out["@odata.nextLink"].(string); more {
				change()
			}
			f.links[i] = link
			if !more {
				f.links[i] = out["@odata.deltaLink"].(string)
			}
		}
	}
}

// TestStaleDeltasLoseNothing follows users and members through stale pages, of first rounds and of changes, and comes each
// time to what there is.
func TestStaleDeltasLoseNothing(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Now())
	s := start(t, simulator.Config{PageSize: 2}, fake)
	s.putTenant()
	rng := rand.New(rand.NewPCG(1, 1))
	var people []string
	enabled, members := map[string]bool{}, map[string]bool{}
	for i := range 8 {
		people = append(people, s.user(fmt.Sprint("user", i)))
		enabled[people[i]] = true
	}
	group := s.group(control.NewGroup{Name: "g", Kind: directory.Security})
	s.stale(0.5)
	change := func() {
		t.Helper()
		fake.Advance(time.Duration(rng.IntN(2000)) * time.Millisecond)
		who := people[rng.IntN(len(people))]
		var err error
		switch rng.IntN(4) {
		case 0:
			_, err = s.control.Suspend(t.Context(), "contoso", who)
			enabled[who] = false
		case 1:
			_, err = s.control.Unsuspend(t.Context(), "contoso", who)
			enabled[who] = true
		case 2:
			_, err = s.control.AddMembers(t.Context(), "contoso", group, who)
			members[who] = true
		default:
			_, err = s.control.RemoveMembers(t.Context(), "contoso", group, who)
			delete(members, who)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	f := &follower{sim: s}
	for turn := range 40 {
		for range 6 {
			change()
		}
		if turn%2 == 0 {
			f.restart()
		}
		f.round(change)
		fake.Advance(10 * time.Second)
		f.round(func() {})
		if diff := cmp.Diff(enabled, f.enabled); diff != "" {
			t.Fatalf("users of turn %d (-want +got):\n%s", turn, diff)
		}
		if diff := cmp.Diff(members, f.members); diff != "" {
			t.Fatalf("members of turn %d (-want +got):\n%s", turn, diff)
		}
	}
	if dealt := must(s.control.Dealt(t.Context(), "contoso"))(t); dealt[control.StaleRead] < 40 {
		t.Errorf("dealt %v", dealt)
	}
}

// TestStaleReadsGoOnForNewTenants has a tenant that is made while a plan is in force.
func TestStaleReadsGoOnForNewTenants(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Now())
	s := start(t, simulator.Config{}, fake)
	s.stale(1)
	s.putTenant()
	s.user("ann")
	if list := s.get("/users?" + url.Values{"$top": {"5"}}.Encode())["value"].([]any); len(list) != 0 {
		t.Errorf("shown at once: %v", list)
	}
	if err := s.control.EndPlan(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if list := s.get("/users")["value"].([]any); len(list) != 1 {
		t.Errorf("after the plan: %v", list)
	}
}
