package googlepush

import (
	"container/heap"
	"time"
)

// queue holds what is to be done later: news that are to be spread and deliveries that are to be sent, earliest first.
type queue struct {
	entries entries
	seq     uint64
}

type entry struct {
	due  time.Time
	seq  uint64
	what any // *news or *delivery
}

func (q *queue) add(due time.Time, what any) {
	q.seq++
	heap.Push(&q.entries, entry{due, q.seq, what})
}

// take returns what is due, in order.
func (q *queue) take(now time.Time) []any {
	var out []any
	for len(q.entries) > 0 && !q.entries[0].due.After(now) {
		out = append(out, heap.Pop(&q.entries).(entry).what) //nolint:forcetypeassert // nothing else is pushed
	}
	return out
}

// forget drops the deliveries; news that are not due yet stay.
func (q *queue) forget() {
	left := q.entries[:0]
	for _, e := range q.entries {
		if _, ok := e.what.(*news); ok {
			left = append(left, e)
		}
	}
	clear(q.entries[len(left):])
	q.entries = left
	heap.Init(&q.entries)
}

type entries []entry

func (e entries) Len() int      { return len(e) }
func (e entries) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *entries) Push(x any)   { *e = append(*e, x.(entry)) } //nolint:forcetypeassert // nothing else is pushed

func (e entries) Less(i, j int) bool {
	if !e[i].due.Equal(e[j].due) {
		return e[i].due.Before(e[j].due)
	}
	return e[i].seq < e[j].seq
}

func (e *entries) Pop() any {
	last := len(*e) - 1
	out := (*e)[last]
	(*e)[last] = entry{}
	*e = (*e)[:last]
	return out
}
