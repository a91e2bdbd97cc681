package simulator_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// TestLargeWorkspace makes a customer of 50,000 users, 20,000 of them in one group, and holds that pages of members and
// of users cost the same at the end as at the beginning, also while the group changes.
func TestLargeWorkspace(t *testing.T) {
	t.Parallel()
	c := initech(t, simulator.Config{}, nil)
	ctx := t.Context()
	must(c.control.Generate(ctx, "initech", control.Generate{Users: 50_000, Seed: 1}))(t)
	users := must(c.control.Users(ctx, "initech"))(t)
	var members []string
	for _, u := range users[:20_000] {
		members = append(members, u.ID)
	}
	team := c.team("half")
	if got := must(c.control.Via(control.ViaBulkUpload).AddMembers(ctx, "initech", team, members...))(t); got.Count != len(members) {
		t.Fatalf("%d joined", got.Count)
	}
	if got := c.read("groups/" + team); got["directMembersCount"] != "20000" {
		t.Errorf("group: %v", got)
	}
	seen, last, next := map[string]bool{}, "", ""
	var slowest time.Duration
	for page := 0; ; page++ {
		began := time.Now()
		out := c.read("groups/" + team + "/members?pageToken=" + url.QueryEscape(next))
		slowest = max(slowest, time.Since(began))
		for _, m := range out["members"].([]any) {
			m := m.(object)
			if m["email"].(string) < last {
				t.Fatalf("%s behind %s", m["email"], last)
			}
			last = m["email"].(string)
			seen[m["id"].(string)] = true
		}
		if page == 10 {
			must(c.control.RemoveMembers(ctx, "initech", team, members[:100]...))(t)
		}
		if next, _ = out["nextPageToken"].(string); next == "" {
			break
		}
	}
	if len(seen) < len(members)-100 {
		t.Errorf("%d members seen", len(seen))
	}
	all, pages := c.list("users?customer=my_customer&maxResults=500&fields=nextPageToken,users(id)", "users")
	if len(all) != len(users) || pages != 101 {
		t.Errorf("%d users on %d pages", len(all), pages)
	}
	t.Logf("slowest page of members %s", slowest)
}
