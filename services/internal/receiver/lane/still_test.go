package lane

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/receivertest"
)

// While very many leave, others come, leave and are renamed between the pages of the lists, which shifts what the next page
// shows, and some of that on purpose: so that it skips one and the same member each time. Nobody who stays is told to have
// left (see stepped.take), and in the end the ledger holds who is there. Left out is what 0010 says that lists do not show:
// who leaves does not come back, and nobody is renamed twice.
func TestNobodyWhoStaysIsToldToHaveLeftByLists(t *testing.T) {
	t.Parallel()
	kv, err := bustest.New(t).KeyValue(t.Context(), bus.BucketCursors)
	if err != nil {
		t.Fatal(err)
	}
	runs, failed := 0, false
	rapid.Check(t, func(rt *rapid.T) {
		if runs++; raced && runs > 15 && !failed { // the lane has one goroutine: there is little to find
			return
		}
		well := false
		defer func() { failed = failed || !well }()
		s := newStepped(rt, kv, fmt.Sprintf("contoso-%d", runs), receiver.Traits{Journals: true, MaxFeedGroups: 1})
		s.dir.PageSize = rapid.IntRange(4, 8).Draw(rt, "members of a page")
		c := &crowd{stepped: s, places: map[string]string{}, renamed: map[string]bool{}, noise: rapid.IntRange(0, 30).Draw(rt, "noise")}
		s.dir.PutGroup(directory.Group{ID: "g1", Addresses: []string{provisioning}, Kind: directory.WorkspaceGroup})
		for range 160 {
			c.join(c.place())
		}
		s.start()
		s.steps(t.Context(), time.Second)
		for range 80 {
			c.leave(c.anybody())
		}
		s.dir.Intercept = func(_ context.Context, call receivertest.Call) error {
			if call.Method == "Members" && !c.over {
				c.between(call.Cursor)
			}
			return nil
		}
		s.lose = func() bool { return !c.over && rapid.IntRange(0, 19).Draw(rt, "lose") == 0 }
		s.steps(t.Context(), time.Duration(rapid.IntRange(10, 60).Draw(rt, "seconds"))*time.Second)
		c.over = true
		s.steps(t.Context(), 2*time.Minute)
		var told []string
		for key, m := range s.members {
			if m.value.Present {
				told = append(told, key[1])
			}
		}
		slices.Sort(told)
		_, members := s.dir.Truth()
		if diff := gocmp.Diff(members["g1"], told); diff != "" {
			rt.Fatalf("members (-there +told):\n%s", diff)
		}
		well = true
	})
}

// crowd is a large group, in which much happens of which only lists tell.
type crowd struct {
	*stepped
	joined  int
	places  map[string]string // of the members
	renamed map[string]bool
	noise   int // of a hundred requests, before so many something happens anywhere
	over    bool

	victim   string // whom no list is to show
	trick    string // of the list that is being read
	stranger string // who came and will leave while it is
}

// between does something before a page is read.
func (c *crowd) between(cursor string) {
	if rapid.IntRange(0, 99).Draw(c.t, "noise") < c.noise {
		switch kind := rapid.IntRange(0, 9).Draw(c.t, "change"); {
		case kind < 6:
			c.leave(c.anybody())
		case kind < 8:
			c.join(c.place())
		default:
			c.rename(c.anybody(), c.place())
		}
	}
	if cursor == "" {
		c.prepare()
		return
	}
	offset, err := strconv.Atoi(cursor)
	if err != nil {
		c.t.Fatal(err)
	}
	c.hide(offset)
}

// prepare takes the victim to where the list that begins can be made to skip it.
func (c *crowd) prepare() {
	if _, in := c.places[c.victim]; !in || rapid.IntRange(0, 9).Draw(c.t, "another") == 0 {
		order := c.order()
		c.victim = order[rapid.IntRange(len(order)/2, len(order)-1).Draw(c.t, "victim")]
	}
	c.trick, c.stranger = rapid.SampledFrom([]string{"leave", "leave", "visit", "rename", "swap", ""}).Draw(c.t, "trick"), ""
	shift := 0
	if c.trick == "visit" {
		shift = 1
	}
	for (slices.Index(c.order(), c.victim)+shift)%c.dir.PageSize != 0 {
		c.join(c.front())
	}
}

// hide makes the page that begins at the offset, or those behind it, not show the victim.
func (c *crowd) hide(offset int) {
	order := c.order()
	at := slices.Index(order, c.victim)
	switch {
	case at < offset:
	case c.trick == "rename":
		c.rename(c.victim, c.front())
	case c.trick == "visit" && c.stranger == "" && at > offset:
		c.stranger = c.join(c.front())
	case c.trick == "visit" && at == offset && c.stranger != "":
		c.leave(c.stranger)
	case c.trick == "leave" && at == offset:
		c.leave(order[0])
	case c.trick == "swap" && at == offset:
		c.rename(order[0], back)
	}
}

// back is behind everybody, and front before everybody who is there.
const back = "~"

func (c *crowd) front() string { return fmt.Sprintf("!%06d", 100_000-c.joined) }

func (c *crowd) place() string {
	return fmt.Sprintf("%04d", rapid.IntRange(0, 9999).Draw(c.t, "place"))
}

// order returns the members as lists have them.
func (c *crowd) order() []string {
	return slices.SortedFunc(maps.Keys(c.places), func(a, b string) int {
		return cmp.Or(cmp.Compare(c.places[a], c.places[b]), cmp.Compare(a, b))
	})
}

func (c *crowd) anybody() string { return rapid.SampledFrom(c.order()).Draw(c.t, "who") }

func (c *crowd) join(place string) string {
	c.joined++
	id := fmt.Sprintf("u%04d", c.joined)
	c.dir.PutUser(directory.User{ID: id, Addresses: []string{id + "@contoso.com"}, Status: directory.Active})
	c.places[id] = place
	c.dir.Move(id, place)
	c.dir.Add("g1", id)
	c.dir.Lose(2)
	return id
}

func (c *crowd) leave(id string) {
	if id == c.victim || len(c.places) < 60 {
		return
	}
	c.dir.Remove("g1", id)
	c.dir.Lose(1)
	delete(c.places, id)
}

func (c *crowd) rename(id, place string) {
	if !c.renamed[id] {
		c.renamed[id], c.places[id] = true, place
		c.dir.Move(id, place)
	}
}
