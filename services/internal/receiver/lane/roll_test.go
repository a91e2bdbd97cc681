package lane

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

func memberships(ids ...string) []directory.Membership {
	members := make([]directory.Membership, len(ids))
	for i, id := range ids {
		members[i] = directory.Membership{GroupID: "g1", Kind: directory.UserMember, ID: id, Present: true}
	}
	return members
}

func numbered(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("1%020d", i)
	}
	return ids
}

// pass reads one whole list in pages, each seen after its news are published.
func (r *roll) pass(ids []string, size int, after func(page int)) {
	r.begin(time.Unix(1, 0), 0)
	page := 0
	for chunk := range slices.Chunk(ids, size) {
		members := memberships(chunk...)
		for _, m := range r.news(members) {
			r.put(m)
		}
		r.see(members, nil)
		if page++; after != nil {
			after(page)
		}
	}
}

func TestMissingMemberIsSuspectedAPageLater(t *testing.T) {
	t.Parallel()
	r, ids := newRoll(), numbered(100)
	r.pass(ids, 10, nil)
	r.end()
	if _, ok := r.suspect(); ok {
		t.Fatal("the first list misses somebody")
	}
	gone := ids[15]
	first := 0
	r.pass(slices.Delete(slices.Clone(ids), 15, 16), 10, func(page int) {
		if m, ok := r.suspect(); ok && first == 0 {
			if first = page; m.ID != gone {
				t.Errorf("suspected %s, want %s", m.ID, gone)
			}
		}
	})
	if first == 0 || first > 4 {
		t.Errorf("suspected at page %d, want it soon after the second", first)
	}
}

// Members that come and go at the front move everybody behind them; a renamed one moves alone. None of them is missing.
func TestMembersThatMoveAreNotSuspected(t *testing.T) {
	t.Parallel()
	r, ids := newRoll(), numbered(100)
	r.pass(ids, 10, nil)
	r.end()
	moved := append([]string{"new-1", "new-2", "new-3", ids[90]}, slices.Delete(slices.Clone(ids), 90, 91)...)
	r.pass(moved, 10, func(page int) {
		if m, ok := r.suspect(); ok {
			t.Errorf("page %d: %s is suspected", page, m.ID)
		}
	})
	if r.end(); len(r.missing) > 0 {
		t.Errorf("missing in the end: %v", r.missing)
	}
}

func TestManyMissingWaitForTheEnd(t *testing.T) {
	t.Parallel()
	r, ids := newRoll(), numbered(500)
	r.pass(ids, 10, nil)
	r.end()
	r.pass(ids[100:], 10, func(int) {
		if m, ok := r.suspect(); ok {
			t.Errorf("%s is suspected before the end", m.ID)
		}
	})
	if r.end(); len(r.missing) != 100 {
		t.Errorf("%d missing in the end, want 100", len(r.missing))
	}
}

func TestSlotsAreUsedAgain(t *testing.T) {
	t.Parallel()
	r, ids := newRoll(), numbered(1000)
	for n := range 10 {
		r.pass(ids[n*100:], 50, nil)
		r.end()
		for _, id := range r.missing {
			r.put(directory.Membership{GroupID: "g1", ID: id})
		}
		for _, m := range memberships(numbered(n * 100)...) { // those who left come back
			r.put(m)
		}
	}
	if r.size() != 1000 || len(r.members) > 1000 {
		t.Errorf("%d members in %d slots", r.size(), len(r.members))
	}
}

// BenchmarkRoll is one pass over 200,000 members, and what is kept of each.
func BenchmarkRoll(b *testing.B) {
	const members = 200_000
	var before, after runtime.MemStats
	pages := make([][]directory.Membership, 0, members/200)
	for chunk := range slices.Chunk(numbered(members), 200) {
		pages = append(pages, memberships(chunk...))
	}
	runtime.GC()
	runtime.ReadMemStats(&before)
	r := newRoll()
	for b.Loop() {
		r.begin(time.Time{}, 0)
		for _, page := range pages {
			for _, m := range r.news(page) {
				r.put(m)
			}
			r.see(page, nil)
		}
		r.end()
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/members, "B/member")
	runtime.KeepAlive(r)
	runtime.KeepAlive(pages)
}
