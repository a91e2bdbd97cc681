package timelapse

import (
	"flag"
	"slices"
	"strings"
	"testing"
	"time"
)

var crowd = flag.Int("crowd", 1_500, "members of the group in which a change costs no list")

// few is how many requests a change may cost: a page of each journal, what they name, and once more as much.
const few = 12

// TestAChangeListsNobody: in a large group a join and a leave cost a few requests each, none of which lists users, groups
// or members; and in the minutes after them nobody lists all users either.
func TestAChangeListsNobody(t *testing.T) {
	w := open(t, plan{list: time.Minute})
	c := w.found("initech")
	c.hire(*crowd + 10)
	c.gather(c.users[:*crowd]...)
	c.connect(*crowd)
	c.pass(3 * time.Minute) // until all that the logs tell of before is done with
	for _, change := range []struct {
		name  string
		do    func(...string)
		user  string
		joins bool
	}{
		{"a join", c.join, c.users[*crowd], true},
		{"a leave", c.leave, c.users[0], false},
	} {
		before, mark := c.served(), c.heard.mark()
		change.do(change.user)
		if _, came := c.heard.first(mark, change.user, change.joins); !came {
			t.Errorf("%s: no event has come with the push", change.name)
		}
		after := c.served()
		if n := requests(after) - requests(before); n == 0 || n > few {
			t.Errorf("%s: %d requests", change.name, n)
		}
		for route, counter := range after {
			if n := counter.Requests - before[route].Requests; n > 0 && lists(route) {
				t.Errorf("%s: %s was served %d times", change.name, route, n)
			}
		}
	}
	before := c.served()
	c.pass(12 * time.Minute)
	if n := c.served()["GET admin/users"].Requests - before["GET admin/users"].Requests; n > 0 {
		t.Errorf("all users were listed %d times afterwards", n)
	}
	c.verify()
}

// lists reports whether a route tells of many objects of the directory.
func lists(route string) bool {
	return slices.Contains([]string{"GET admin/users", "GET admin/groups", "GET admin/members"}, strings.TrimSpace(route))
}
