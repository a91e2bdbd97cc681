package store

import (
	"iter"
	"sort"
)

// ordered is a set of ids in the order in which they were added. Adding and removing cost O(1) on average; reading on
// from a sequence number costs O(log n). The sequence of an entry never changes, so it can stand in a page token.
type ordered struct {
	entries []entry
	at      map[string]int // index in entries
}

type entry struct {
	seq uint64
	id  string // "" once removed
}

func newOrdered() *ordered { return &ordered{at: map[string]int{}} }

func (o *ordered) has(id string) bool { _, ok := o.at[id]; return ok }

// add appends id under seq, which must be above every other. It does nothing when id is there.
func (o *ordered) add(seq uint64, id string) {
	if o.has(id) {
		return
	}
	o.at[id] = len(o.entries)
	o.entries = append(o.entries, entry{seq, id})
}

func (o *ordered) remove(id string) {
	i, ok := o.at[id]
	if !ok {
		return
	}
	delete(o.at, id)
	o.entries[i].id = ""
	if len(o.entries) > 64 && len(o.at) < len(o.entries)/2 {
		o.compact()
	}
}

func (o *ordered) compact() {
	kept := make([]entry, 0, len(o.at))
	for _, e := range o.entries {
		if e.id != "" {
			o.at[e.id] = len(kept)
			kept = append(kept, e)
		}
	}
	o.entries = kept
}

// after yields the entries above seq, in order.
func (o *ordered) after(seq uint64) iter.Seq2[uint64, string] {
	return func(yield func(uint64, string) bool) {
		for _, e := range o.entries[sort.Search(len(o.entries), func(i int) bool { return o.entries[i].seq > seq }):] {
			if e.id != "" && !yield(e.seq, e.id) {
				return
			}
		}
	}
}
