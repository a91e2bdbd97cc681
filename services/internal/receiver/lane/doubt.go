package lane

import (
	"cmp"
	"slices"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

const (
	// enough is how many lists tell that somebody has left: two that were still, and one that shows that the second was.
	enough = 3
	// sampled is how many of a bulk are asked about before lists are believed of the others.
	sampled = 20
	// borne is how many lists in a row somebody is missed by, while none of them is still, before he is asked about.
	borne = 6
)

// doubt is a missing member that lists are to tell of.
type doubt struct {
	since uint32 // the first of the lists in a row that have missed it
	last  uint32 // of them
	only  bool   // nothing but lists can tell
}

// doubt puts a missing member off until further whole lists have missed it too.
func (r *roll) doubt(id string, only bool) {
	if r.doubts == nil {
		r.doubts = map[string]doubt{}
	}
	d, old := r.doubts[id]
	if !old {
		d.since = r.lists
	}
	d.last, d.only = r.lists, only
	r.doubts[id] = d
	r.spare(id)
}

// compare finds out whether the last whole list was still: nobody left it while it was read, and nobody moved. Then it
// showed nobody twice, and this one shows all whom it has shown; and it has missed nobody who was there all the time.
func (r *roll) compare() {
	r.lists++
	r.proof, r.latest = r.latest, r.stamp
	for i, slot := range r.order {
		if m := r.members[slot]; int(m.at) != i || m.seen != r.number {
			r.still = r.lists
			break
		}
	}
	if r.twice {
		r.still = r.lists + 1
	}
	for id := range r.doubts {
		if slot, ok := r.slots[id]; !ok || !r.misses(r.members[slot]) {
			delete(r.doubts, id)
		}
	}
}

// putOff takes a bulk out of those who are to be asked about, as more lists cost less. Who was missed by two that were still
// is told to have left when a sample of them has proved so; the others wait for the next. Who was missed by very many is
// asked about: there may never be one that is still.
func (r *roll) putOff() {
	r.bulk, r.sample = nil, nil
	most := max(few, r.length)
	if !r.read() || r.whole || r.odd || len(r.order) == 0 || len(r.missing) <= most {
		return
	}
	users := 0
	for _, id := range r.missing {
		if r.listable(id) {
			users++
		}
	}
	if users <= most {
		return
	}
	var ask, proven []string
	for _, id := range r.missing {
		since := r.lists
		if d, old := r.doubts[id]; old {
			since = d.since
		}
		switch {
		case !r.listable(id):
			ask = append(ask, id)
		case max(since, r.still)+enough <= r.lists+1:
			proven = append(proven, id)
		case since+borne <= r.lists:
			ask = append(ask, id)
		default:
			r.doubt(id, false)
		}
	}
	if len(proven) > most {
		r.sample, r.bulk = r.draw(proven)
		proven = r.sample
	}
	r.missing = slices.Concat(proven, ask)
}

// listable reports whether lists may tell of a missing member that can be asked about: a user, of whom the last proof has
// not failed.
func (r *roll) listable(id string) bool {
	return kinds[r.members[r.slots[id]].kind] == directory.UserMember && r.hardness(id) == 0 && !r.doubts[id].only
}

// draw takes a sample that is spread evenly, and that is another one each time.
func (r *roll) draw(ids []string) (sample, rest []string) {
	apart := len(ids) / sampled
	for i, id := range ids {
		if i%apart == int(r.lists)%apart && len(sample) < sampled {
			sample = append(sample, id)
		} else {
			rest = append(rest, id)
		}
	}
	return sample, rest
}

// distrust has all of a bulk asked about, as one of them proved to be something else than a member who has left.
func (r *roll) distrust() {
	r.missing = append(r.missing, r.bulk...)
	r.bulk, r.sample = nil, nil
}

// absent returns who has left by whole lists alone: a bulk whose sample has proved it, and whom this one and the one before
// both miss, where only lists can tell. An empty list proves nothing against many.
func (r *roll) absent(group string) []directory.Membership {
	ids, only := slices.Clone(r.bulk), 0
	for id, d := range r.doubts {
		if !d.only || d.last != r.lists {
			continue
		}
		if only++; d.since < r.lists {
			ids = append(ids, id)
		}
	}
	if len(r.order) == 0 && only > suspicious {
		return nil
	}
	var gone []directory.Membership
	for _, id := range ids {
		slot, member := r.slots[id]
		if !member || r.members[slot].seen == r.number {
			continue
		}
		if d := r.doubts[id]; d.only || r.misses(r.members[slot]) {
			gone = append(gone, directory.Membership{GroupID: group, ID: id, Kind: kinds[r.members[slot].kind]})
		}
	}
	slices.SortFunc(gone, func(a, b directory.Membership) int { return cmp.Compare(a.ID, b.ID) })
	return gone
}

// close ends a pass. One that has found new doubts counts only when later ones have cleared them up, and so do those after
// it. The next begins at once, or, while many leave, when it would anyway.
func (r *roll) close() {
	r.open = append(r.open, listing{number: r.lists, began: r.began, after: r.after})
	oldest := r.lists + 1
	for id, d := range r.doubts {
		switch {
		case d.last != r.lists: // it was asked about
			delete(r.doubts, id)
		case !d.only || d.since == r.lists:
			oldest = min(oldest, d.since)
		}
	}
	for len(r.open) > 0 && r.open[0].number < oldest {
		r.complete(r.open[0])
		r.open = r.open[1:]
	}
	r.wanted = r.wanted || len(r.open) > 0
	r.restless = oldest < r.lists && r.still >= r.lists
	r.running, r.ended, r.cause, r.bulk, r.sample = false, false, "", nil, nil
}
