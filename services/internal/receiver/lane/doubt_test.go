package lane

import (
	"slices"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// shown has whole lists, in pages of ten, shown, and asks about nobody.
func (r *roll) shown(lists ...[]string) {
	for _, ids := range lists {
		r.pass(ids, 10, nil)
		r.end()
		r.close()
	}
}

// Lists tell of a bulk only when two in a row, which both miss it, were still; and then a sample is asked about.
func TestListsTellOfABulkWhenTwoWereStill(t *testing.T) {
	t.Parallel()
	ids := numbered(300)
	left := ids[:200] // of whom one has not left, in truth
	with := func(id string, at int) []string { return slices.Insert(slices.Clone(left), at, id) }
	passing := ids[299] // shown by one list, and not by the next
	for name, c := range map[string]struct {
		lists [][]string
		told  int // in the end
	}{
		"three alike":              {[][]string{left, left, left}, 100},
		"two alike":                {[][]string{left, left}, 0},
		"the first is not still":   {[][]string{with(passing, 100), left, left}, 0},
		"and then two are":         {[][]string{with(passing, 100), left, left, left}, 100},
		"the second is not still":  {[][]string{left, with(passing, 100), left}, 0},
		"the first shows twice":    {[][]string{with(left[0], 100), left, left}, 0},
		"the second shows twice":   {[][]string{left, with(left[0], 100), left}, 0},
		"the last shows twice":     {[][]string{left, left, with(left[0], 100)}, 0},
		"some are back":            {[][]string{left, left, ids[:220]}, 80},
		"some were away for one":   {[][]string{left, ids[:220], left}, 0},
		"nobody is left":           {[][]string{left, left, nil}, 0},
		"fewer than a list's cost": {[][]string{ids[:250], ids[:250], ids[:250]}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoll()
			r.shown(append([][]string{ids}, c.lists[:len(c.lists)-1]...)...)
			r.pass(c.lists[len(c.lists)-1], 10, nil)
			r.end()
			if n := len(r.bulk) + len(r.sample); n != c.told {
				t.Errorf("%d are told by lists, want %d", n, c.told)
			}
			if want := min(sampled, c.told); len(r.sample) != want {
				t.Errorf("a sample of %d, want %d", len(r.sample), want)
			}
		})
	}
}

// Where no list is ever still, those who were missed by very many are asked about.
func TestWhoIsMissedByManyListsIsAskedAbout(t *testing.T) {
	t.Parallel()
	ids := numbered(300)
	r := newRoll()
	r.shown(ids)
	for n := range borne {
		r.shown(ids[:200-n]) // one more leaves each time
		if len(r.missing) > 0 || len(r.bulk) > 0 {
			t.Fatalf("after %d lists %d are asked about, and %d told", n+1, len(r.missing), len(r.bulk))
		}
		if r.restless != (n > 0) {
			t.Errorf("after %d lists the next begins at once: %t", n+1, !r.restless)
		}
	}
	r.pass(ids[:200-borne], 10, nil)
	if r.end(); len(r.missing) != 100 {
		t.Errorf("%d are asked about, want those of the beginning", len(r.missing))
	}
}

// A pass counts when all whom it has missed are cleared up, and not before.
func TestAPassWithDoubtsIsNotComplete(t *testing.T) {
	t.Parallel()
	ids := numbered(300)
	r := newRoll()
	r.shown(ids)
	r.shown(ids[:200], ids[:200])
	if r.done.number != 1 || !r.wanted {
		t.Errorf("list %d counts while there are doubts, and another is wanted: %t", r.done.number, r.wanted)
	}
	r.pass(ids[:200], 10, nil)
	r.end()
	for _, id := range slices.Concat(r.sample, r.bulk) {
		r.put(directory.Membership{GroupID: "g1", ID: id})
	}
	if r.close(); r.done.number != 4 || r.wanted || len(r.doubts) > 0 || len(r.open) > 0 {
		t.Errorf("list %d counts, another is wanted: %t, %d in doubt", r.done.number, r.wanted, len(r.doubts))
	}
}

// Somebody who turns out to be there while a sample is asked about speaks against the lists.
func TestWhoIsThereEndsTheBeliefInLists(t *testing.T) {
	t.Parallel()
	ids := numbered(300)
	r := newRoll()
	r.shown(ids, ids[:200], ids[:200])
	r.pass(ids[:200], 10, nil)
	r.end()
	r.put(memberships(r.bulk[3])[0])
	if len(r.bulk) > 0 || len(r.missing) != 100 {
		t.Errorf("%d are told, %d asked about", len(r.bulk), len(r.missing))
	}
}

// Samples are spread, and others each time.
func TestSamplesDiffer(t *testing.T) {
	t.Parallel()
	ids := numbered(205)
	r := newRoll()
	first, rest := r.draw(ids)
	r.lists++
	second, _ := r.draw(ids)
	if len(first) != sampled || len(first)+len(rest) != len(ids) || first[sampled-1] < ids[len(ids)*3/4] {
		t.Errorf("%d of %d and %d", len(first), len(ids), len(rest))
	}
	if slices.Equal(first, second) {
		t.Error("the same twice")
	}
}
