package lease

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// slotRecord is who takes part, in the bucket under <role>.m<slot>. Slots are used again: n counts their lives, so that a
// slot's record tells of every earlier life of it that it is over.
type slotRecord struct {
	N     int64         `json:"n"`
	Owner string        `json:"owner"`
	Name  string        `json:"name,omitempty"`
	TTL   time.Duration `json:"ttl"` // ns; how long others wait for the next beat
	Beat  int64         `json:"beat"`
	Ended bool          `json:"ended,omitempty"`
}

// leaseRecord is who holds a key, in the bucket under <role>.p<key>: the life n of a slot, until that is over. 0: nobody.
type leaseRecord struct {
	Epoch int64 `json:"epoch"`
	Slot  int   `json:"slot"`
	N     int64 `json:"n"`
}

func (m *member) slotKey(slot int) string { return fmt.Sprintf("%s.m%02d", m.role, slot) }
func (m *member) leaseKey(key int) string { return fmt.Sprintf("%s.p%02d", m.role, key) }

// stored is a record as it was last seen; revision 0: never.
type stored[T any] struct {
	record   T
	revision uint64
	seen     time.Time // when this revision was
}

// view is what is known of the bucket. It may lag behind: every write names the revision that it rests on.
type view struct {
	role     string
	complete bool // all that was stored when it was opened is known
	slots    map[int]stored[slotRecord]
	leases   []stored[leaseRecord]
}

func newView(role string, keys int) view {
	return view{role: role, slots: map[int]stored[slotRecord]{}, leases: make([]stored[leaseRecord], keys)}
}

// note takes over what is stored under a key. What cannot be read, or was deleted, counts as nothing, at its revision.
func (v *view) note(key string, value []byte, revision uint64, now time.Time) {
	name, is := strings.CutPrefix(key, v.role+".")
	if !is || name == "" {
		return
	}
	i, err := strconv.Atoi(name[1:])
	if err != nil || i < 0 {
		return
	}
	switch {
	case name[0] == 'm' && v.slots[i].revision < revision:
		v.slots[i] = read[slotRecord](value, revision, now)
	case name[0] == 'p' && i < len(v.leases) && v.leases[i].revision < revision:
		v.leases[i] = read[leaseRecord](value, revision, now)
	}
}

func read[T any](value []byte, revision uint64, now time.Time) stored[T] {
	s := stored[T]{revision: revision, seen: now}
	if json.Unmarshal(value, &s.record) != nil {
		var none T
		s.record = none
	}
	return s
}

// lives reports whether a slot is somebody's.
func (v *view) lives(slot int) bool { return v.slots[slot].record.N > 0 && !v.slots[slot].record.Ended }

// free reports whether nobody holds a key. A life of a slot that the view has not seen yet is not over.
func (v *view) free(key int) bool {
	l := v.leases[key].record
	if l.N <= 0 {
		return true
	}
	s := v.slots[l.Slot].record
	return s.N > l.N || s.N == l.N && s.Ended
}

// held counts the keys of each member.
func (v *view) held() map[int]int {
	held := map[int]int{}
	for slot := range v.slots {
		if v.lives(slot) {
			held[slot] = 0
		}
	}
	for key, l := range v.leases {
		if _, member := held[l.record.Slot]; member && !v.free(key) {
			held[l.record.Slot]++
		}
	}
	return held
}
