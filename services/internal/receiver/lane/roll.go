package lane

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// few is how many missing members are asked about at once. More of them may only have moved: they wait for the pass's end.
const few = 50

// roll is what is known of one watched group's members: what of them has been published, and how far its list is read. It
// sends nothing. About 100 bytes a member.
type roll struct {
	members []listed
	slots   map[string]uint32 // index in members, by id
	free    []uint32          // slots that nobody has
	order   []uint32          // slots as the last whole list had them
	next    []uint32          // and as this one has them so far

	number  uint32 // of the pass, from 1
	running bool
	ended   bool // its pages are all read, and some that it misses may not be proved yet
	held    bool // a snapshot is reading the list: nobody else does
	began   time.Time
	after   uint64          // every command up to this revision came before it
	stamp   directory.Stamp // its own, from before its first request
	cursor  string
	came    trail // with the cursors so far
	pages   int
	largest int                 // page
	checked int                 // index in order: those before it are seen, or are missing
	missing []string            // ids that this pass should have shown by now
	refused int                 // proofs in a row that failed
	hard    map[string]struct{} // ids whose last proof failed
	tries   int                 // of the page that failed

	wanted bool // a pass must begin, and not wait
	cause  string
	asked  bool // the last request was about a missing member: a page is next

	doubts   map[string]doubt // by id
	lists    uint32           // that were whole, so far
	still    uint32           // the first of those in a row that were still; greater than lists: there is none
	twice    bool             // this pass was shown somebody twice
	odd      bool             // or somebody whom nobody understands
	whole    bool             // the provider tells nothing of single memberships
	latest   directory.Stamp  // of the last whole list
	proof    directory.Stamp  // and of the one before
	bulk     []string         // ids that only lists have proved, all of them or a sample, which is asked about first
	sample   []string         // of them
	open     []listing        // the passes that do not count before doubts are cleared up
	restless bool             // many leave: the next pass does not begin at once

	done   listing       // the last complete pass
	every  time.Duration // between the begins of the last two
	length int           // pages of the last whole list
}

// listed is one member. It is in the slot as long as it is a member by what was published.
type listed struct {
	id     string
	seen   uint32 // last pass that listed it
	spared uint32 // last pass that need not: it was proved, or could not be
	at     int32  // index in order; -1: not in it
	kind   uint8
}

// listing is one complete pass.
type listing struct {
	number uint32 // of the whole list
	began  time.Time
	after  uint64
}

var kinds = [...]directory.MemberKind{directory.UserMember, directory.GroupMember, directory.CustomerMember, directory.OtherMember}

func kindOf(k directory.MemberKind) uint8 {
	return uint8(max(0, slices.Index(kinds[:], k))) //nolint:gosec // G115: there are four
}

func newRoll() *roll { return &roll{slots: map[string]uint32{}} }

// read reports whether the list has been read to its end once.
func (r *roll) read() bool { return !r.done.began.IsZero() }

// size is the number of members by what was published.
func (r *roll) size() int { return len(r.slots) }

// begin starts a pass at the first page. What an earlier one that did not end has shown stands.
func (r *roll) begin(now time.Time, after uint64) {
	r.number++
	r.running, r.ended, r.wanted = true, false, false
	r.began, r.after, r.stamp = now, after, directory.Stamp{}
	r.cursor, r.came, r.pages, r.checked, r.refused, r.tries = "", nil, 0, 0, 0, 0
	r.came.circles("")
	r.next, r.missing, r.bulk, r.sample = r.next[:0], nil, nil, nil
	r.twice, r.odd = false, false
}

// stop breaks a pass off. Nobody is missing because of it.
func (r *roll) stop() { r.running, r.ended, r.missing, r.bulk, r.sample = false, false, nil, nil, nil }

// put notes that a membership was published.
func (r *roll) put(m directory.Membership) {
	slot, ok := r.slots[m.ID]
	switch {
	case !m.Present && ok:
		r.members[slot] = listed{at: -1}
		r.free = append(r.free, slot)
		delete(r.slots, m.ID)
		delete(r.hard, m.ID)
		delete(r.doubts, m.ID)
	case m.Present && !ok:
		if n := len(r.free); n > 0 {
			slot, r.free = r.free[n-1], r.free[:n-1]
		} else {
			slot = uint32(len(r.members)) //nolint:gosec // no list is that long
			r.members = append(r.members, listed{})
		}
		id := strings.Clone(m.ID) // which may be part of a whole answer
		r.members[slot] = listed{id: id, spared: r.number, at: -1, kind: kindOf(m.Kind)}
		r.slots[id] = slot
	case m.Present:
		if _, doubted := r.doubts[m.ID]; doubted {
			delete(r.doubts, m.ID)
			r.distrust()
		}
		r.members[slot].kind, r.members[slot].spared = kindOf(m.Kind), r.number
	}
}

// knows reports whether exactly this was published last.
func (r *roll) knows(m directory.Membership) bool {
	slot, ok := r.slots[m.ID]
	return ok == m.Present && (!ok || r.members[slot].kind == kindOf(m.Kind))
}

// news returns those of a page's memberships that are not known.
func (r *roll) news(page []directory.Membership) []directory.Membership {
	var fresh []directory.Membership
	for _, m := range page {
		if !r.knows(m) {
			fresh = append(fresh, m)
		}
	}
	return fresh
}

// see notes a page that the pass has read, whose members are all known by now, and finds out who is missing from what lies
// more than a page behind. Where the page lies in the last list is told by the middle one of its members: one that was
// renamed may be anywhere.
func (r *roll) see(page []directory.Membership, aside []string) {
	r.pages++
	r.largest = max(r.largest, len(page))
	var at []int32
	for _, m := range page {
		slot, ok := r.slots[m.ID]
		if !ok {
			continue
		}
		if r.members[slot].seen == r.number {
			r.twice = true
			continue
		}
		member := &r.members[slot]
		member.seen = r.number
		r.next = append(r.next, slot)
		if member.at >= 0 {
			at = append(at, member.at)
		}
	}
	for _, id := range aside { // there, but not to be understood
		r.spare(id)
		r.odd = true
	}
	if len(at) == 0 {
		return
	}
	slices.Sort(at)
	for limit := int(at[len(at)/2]) - r.largest; r.checked < limit; r.checked++ {
		if member := r.members[r.order[r.checked]]; int(member.at) == r.checked && r.misses(member) && r.hardness(member.id) == 0 {
			r.missing = append(r.missing, member.id)
		}
	}
}

// hardness is 1 for a member whose last proof failed.
func (r *roll) hardness(id string) int {
	if _, hard := r.hard[id]; hard {
		return 1
	}
	return 0
}

func (r *roll) misses(m listed) bool { return m.seen != r.number && m.spared != r.number }

// spare takes a member out of the question for this pass.
func (r *roll) spare(id string) {
	if slot, ok := r.slots[id]; ok {
		r.members[slot].spared = r.number
	}
}

// suspect returns the next missing member, if it is time to ask about it. The membership says that it is absent.
func (r *roll) suspect() (directory.Membership, bool) {
	for len(r.missing) > 0 && (r.ended || len(r.missing) <= few) {
		id := r.missing[0]
		slot, ok := r.slots[id]
		if ok && r.misses(r.members[slot]) {
			return directory.Membership{ID: id, Kind: kinds[r.members[slot].kind]}, true
		}
		r.missing = r.missing[1:]
	}
	return directory.Membership{}, false
}

// end notes that the last page is read: whoever was not on any is missing.
func (r *roll) end() {
	r.ended, r.length, r.missing = true, r.pages, nil
	r.compare()
	for id, slot := range r.slots {
		r.members[slot].at = -1
		if r.misses(r.members[slot]) {
			r.missing = append(r.missing, id)
		}
	}
	slices.SortFunc(r.missing, func(a, b string) int { return cmp.Or(cmp.Compare(r.hardness(a), r.hardness(b)), cmp.Compare(a, b)) })
	for i, slot := range r.next {
		if r.members[slot].seen == r.number { // it may have left since
			r.members[slot].at = int32(i)
		}
	}
	r.order, r.next = r.next, r.order[:0]
	r.putOff()
}

// complete notes that all who were missing are proved, or cannot be.
func (r *roll) complete(which listing) {
	if r.read() && which.began.After(r.done.began) {
		r.every = which.began.Sub(r.done.began)
	}
	r.done = which
}
