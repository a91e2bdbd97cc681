package simulator_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// holdShort reads lists of ten entries by pages of four, some of which are to be shorter, and holds what was counted
// against the pages that were short and had others behind them. page answers with the ids on a page, and what leads on.
func (s *sim) holdShort(first []string, page func(at string) (ids []string, next string)) {
	s.t.Helper()
	p := control.Plan{Seed: 1, Rates: map[control.FaultKind]float64{control.ShortPage: 0.5}}
	if err := s.control.PutPlan(s.t.Context(), p); err != nil {
		s.t.Fatal(err)
	}
	for _, at := range first {
		if err := s.control.ResetCounters(s.t.Context()); err != nil {
			s.t.Fatal(err)
		}
		short := 0
		for range 5 {
			var all []string
			seen := map[string]bool{}
			for link := at; link != ""; {
				if seen[link] {
					s.t.Fatalf("%s: a link leads back to its own page", at)
				}
				seen[link] = true
				ids, next := page(link)
				if all = append(all, ids...); len(ids) < 4 && next != "" {
					short++
				}
				link = next
			}
			slices.Sort(all)
			if len(all) != 10 || len(slices.Compact(all)) != 10 {
				s.t.Errorf("%s shows %d entries", at, len(all))
			}
		}
		if dealt := must(s.control.Dealt(s.t.Context(), s.tenant.ID))(s.t); dealt[control.ShortPage] != short || short == 0 {
			s.t.Errorf("%s: %d pages were short, counted are %v", at, short, dealt)
		}
	}
}

func TestShortPagesOfGraph(t *testing.T) {
	t.Parallel()
	s := contoso(t, simulator.Config{PageSize: 4})
	_, changes, _ := s.pages("/users/delta")
	var people []string
	for i := range 10 {
		people = append(people, s.user(fmt.Sprint("user", i)))
	}
	group := s.group(control.NewGroup{Name: "g", Kind: directory.Security})
	must(s.control.AddMembers(t.Context(), "contoso", group, people...))(t)
	first := []string{"/users", "/users/delta", changes, "/groups/" + group + "/members"}
	s.holdShort(first, func(at string) ([]string, string) {
		out := s.get(at)
		var values []object
		for _, v := range out["value"].([]any) {
			values = append(values, v.(object))
		}
		next, _ := out["@odata.nextLink"].(string)
		return ids(values), next
	})
}

func TestShortPagesOfWorkspace(t *testing.T) {
	t.Parallel()
	s := initech(t, simulator.Config{PageSize: 4}, nil)
	var people []string
	for i := range 9 { // and the admin
		people = append(people, s.person(fmt.Sprint("user", i)))
	}
	team := s.team("team")
	must(s.control.AddMembers(t.Context(), "initech", team, append(people, initechAdmin)...))(t)
	first := []string{
		"directory/v1/users?customer=my_customer", "directory/v1/groups/" + team + "/members?alt=json",
		"reports/v1/activity/users/all/applications/admin?eventName=CREATE_USER",
	}
	s.holdShort(first, func(at string) (found []string, next string) {
		base, token, _ := strings.Cut(at, "\n")
		path := base
		if token != "" {
			path += "&pageToken=" + url.QueryEscape(token)
		}
		status, out := s.admin(http.MethodGet, path, nil)
		if status != http.StatusOK {
			t.Fatal(status, out)
		}
		for _, of := range []string{"users", "members", "items"} {
			entries, _ := out[of].([]any)
			for _, e := range entries {
				found = append(found, fmt.Sprint(e.(object)["id"]))
			}
		}
		if more, _ := out["nextPageToken"].(string); more != "" {
			next = base + "\n" + more
		}
		return found, next
	})
}
