package lane_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/receivertest"
)

// newcomers adds n users and has them join the group.
func newcomers(d *receivertest.Directory, from, n int) (told []string) {
	for i := from; i < from+n; i++ {
		id := fmt.Sprintf("n%03d", i)
		d.PutUser(user(id))
		d.Add("g1", id)
		told = append(told, "g1>"+id)
	}
	return told
}

// A few memberships that a journal names are read one by one; of more than that the group's list is.
func TestABurstIsListed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ joins, singles, lists int }{
		"few":  {20, 20, 0},
		"many": {21, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := journaled(t, func(d *receivertest.Directory) { fill(2)(d); watched(d) })
			want := newcomers(b.dir, 0, c.joins)
			before := len(b.dir.Calls())
			b.hint("hint-1", "activity", receivertest.Activity(b.dir.Changed()-1))
			var told []string
			for seen := false; !seen || len(told) < c.joins; {
				m := <-b.told
				seen = seen || m.Event.Type() == event.TypeRoundEnded
				told = append(told, memberships(story{m}.said(t))...)
			}
			b.clock.BlockUntil(1)
			if slices.Sort(told); !slices.Equal(told, want) {
				t.Errorf("told %v, want %v", told, want)
			}
			if singles, lists := b.asked("Member", before), b.asked("Members", before); singles != c.singles || lists != c.lists {
				t.Errorf("%d memberships and %d lists were read, want %d and %d", singles, lists, c.singles, c.lists)
			}
		})
	}
}

func memberships(words []string) (all []string) {
	for _, w := range words {
		if len(w) > 3 && w[:3] == "g1>" {
			all = append(all, w)
		}
	}
	return all
}
