package licensing_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/rollcall-hq/rollcall/pkg/licensing"
)

var granted = licensing.Decision{Licensed: true, Reason: licensing.DomainDefault}

// line is an enforced limit at work: those who hold a seat, and those who wait, in order.
type line struct {
	seats   licensing.Seats
	holders []int
	waiting []int
}

func (l *line) ask(who int) {
	if slices.Contains(l.holders, who) {
		return
	}
	at := slices.Index(l.waiting, who)
	ahead := len(l.waiting)
	if at >= 0 {
		ahead = at
	}
	if l.seats.Seat(granted, false, len(l.holders), ahead).Licensed {
		l.holders = append(l.holders, who)
		if at >= 0 {
			l.waiting = slices.Delete(l.waiting, at, at+1)
		}
	} else if at < 0 {
		l.waiting = append(l.waiting, who)
	}
}

func (l *line) leave(who int) {
	gone := func(other int) bool { return other == who }
	l.holders, l.waiting = slices.DeleteFunc(l.holders, gone), slices.DeleteFunc(l.waiting, gone)
	for range l.waiting { // no longer than so many
		if free, _ := l.seats.Free(len(l.holders)); free == 0 {
			return
		}
		l.ask(l.waiting[0])
	}
}

// No seat is given beyond those that were bought, none stays free while somebody waits, and nobody is passed in line.
func TestSeatsAreGivenInOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := line{seats: licensing.Seats{Purchased: rapid.IntRange(0, 4).Draw(t, "purchased"), Enforce: true}}
		var joined []int // in order of joining
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			who := rapid.IntRange(0, 9).Draw(t, "who")
			if rapid.IntRange(0, 2).Draw(t, "leaves") == 0 {
				joined = slices.DeleteFunc(joined, func(other int) bool { return other == who })
				l.leave(who)
			} else {
				if !slices.Contains(joined, who) {
					joined = append(joined, who)
				}
				l.ask(who)
			}
			n := min(len(joined), l.seats.Purchased)
			if holders := slices.Sorted(slices.Values(l.holders)); !slices.Equal(holders, slices.Sorted(slices.Values(joined[:n]))) {
				t.Fatalf("%v hold a seat, joined in order %v, %d seats", l.holders, joined, l.seats.Purchased)
			}
			if !slices.Equal(l.waiting, joined[n:]) && len(l.waiting)+len(joined[n:]) > 0 {
				t.Fatalf("%v wait, want %v", l.waiting, joined[n:])
			}
		}
	})
}
