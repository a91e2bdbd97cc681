package store

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestSortedAgainstASlice holds a set of places against a slice that is sorted each time.
func TestSortedAgainstASlice(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	s, want := &sorted{}, []Place(nil)
	for step := range 20_000 {
		p := Place{Address: fmt.Sprintf("%04d@initech.com", rng.IntN(4000)), ID: fmt.Sprint(rng.IntN(2))}
		at, there := slices.BinarySearchFunc(want, p, Place.compare)
		switch grow := step < 12_000; {
		case grow == (rng.IntN(4) > 0):
			s.add(p)
			if !there {
				want = slices.Insert(want, at, p)
			}
		default:
			s.remove(p)
			if there {
				want = slices.Delete(want, at, at+1)
			}
		}
		if step%500 == 0 {
			at, _ = slices.BinarySearchFunc(want, p, Place.compare)
			behind := at
			if behind < len(want) && want[behind] == p {
				behind++
			}
			front := slices.Clone(want[:at])
			slices.Reverse(front)
			if got := slices.Collect(s.after(p)); !slices.Equal(got, want[behind:]) || s.count != len(want) {
				t.Fatalf("step %d: %d places of %d, %d of %d behind %v", step, s.count, len(want), len(got), len(want)-behind, p)
			}
			if got := slices.Collect(s.before(p)); !slices.Equal(got, front) {
				t.Fatalf("step %d: %d of %d in front of %v", step, len(got), len(front), p)
			}
			if got := slices.Collect(s.after(Place{})); !slices.Equal(got, want) {
				t.Fatalf("step %d: all", step)
			}
		}
	}
}
