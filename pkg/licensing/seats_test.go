package licensing_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/rollcall-hq/rollcall/pkg/licensing"
)

var (
	granted = licensing.Decision{Licensed: true, Reason: licensing.DomainDefault}
	full    = licensing.Decision{Reason: licensing.OverSeatLimit}
)

func TestSeats(t *testing.T) {
	t.Parallel()
	enforced := licensing.Seats{Purchased: 10, Enforce: true}
	denied := licensing.Decision{Reason: licensing.Suspended}
	for name, c := range map[string]struct {
		seats       licensing.Seats
		decision    licensing.Decision
		holds       bool
		used, ahead int
		want        licensing.Decision
	}{
		"a seat is free":                   {enforced, granted, false, 9, 0, granted},
		"none is":                          {enforced, granted, false, 10, 0, full},
		"the last one is another's turn":   {enforced, granted, false, 9, 1, full},
		"two are, and one is ahead":        {enforced, granted, false, 8, 1, granted},
		"who holds one keeps it":           {enforced, granted, true, 15, 3, granted},
		"not enforced":                     {licensing.Seats{Purchased: 10}, granted, false, 99, 9, granted},
		"nobody has said how many":         {licensing.Seats{Purchased: licensing.Unlimited, Enforce: true}, granted, false, 99, 9, granted},
		"none were bought":                 {licensing.Seats{Enforce: true}, granted, false, 0, 0, full},
		"a seat gives nobody a license":    {enforced, denied, false, 0, 0, denied},
		"nor does holding one":             {enforced, denied, true, 0, 0, denied},
		"more are used than were bought":   {enforced, granted, false, 12, 0, full},
		"even with a free one, turn first": {enforced, granted, false, 5, 5, full},
	} {
		if got := c.seats.Seat(c.decision, c.holds, c.used, c.ahead); !got.Equal(c.want) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestSeatsAreExceeded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		purchased, used int
		want            bool
	}{
		"fewer": {10, 9, false}, "all": {10, 10, false}, "more": {10, 11, true}, "not known": {licensing.Unlimited, 99, false}, "none": {0, 1, true},
	} {
		if got := (licensing.Seats{Purchased: c.purchased}).Exceeded(c.used); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

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
	for len(l.waiting) > 0 {
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
