// Package delay keeps what the simulated providers will do later, and wakes them for it.
package delay

import (
	"container/heap"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
)

// Queue holds what is to be done later, earliest first. The zero value is empty.
type Queue[T any] struct {
	entries entries[T]
	seq     uint64
}

type entry[T any] struct {
	due  time.Time
	seq  uint64
	what T
}

// Add puts something in for a time, behind what is due at the same time.
func (q *Queue[T]) Add(due time.Time, what T) {
	q.seq++
	heap.Push(&q.entries, entry[T]{due, q.seq, what})
}

// Take returns what is due, in order.
func (q *Queue[T]) Take(now time.Time) []T {
	var out []T
	for len(q.entries) > 0 && !q.entries[0].due.After(now) {
		out = append(out, heap.Pop(&q.entries).(entry[T]).what) //nolint:forcetypeassert // nothing else is pushed
	}
	return out
}

// Next is when the first thing is due; ok is false when there is none.
func (q *Queue[T]) Next() (due time.Time, ok bool) {
	if len(q.entries) == 0 {
		return time.Time{}, false
	}
	return q.entries[0].due, true
}

// Keep drops what it is not true of.
func (q *Queue[T]) Keep(is func(T) bool) {
	left := q.entries[:0]
	for _, e := range q.entries {
		if is(e.what) {
			left = append(left, e)
		}
	}
	clear(q.entries[len(left):])
	q.entries = left
	heap.Init(&q.entries)
}

// Arm makes a timer fire when the next thing is due, or not at all. next tells how long until then.
func Arm(timer clock.Timer, next func() (wait time.Duration, ok bool)) {
	for {
		wait, ok := next()
		if !ok {
			timer.Stop()
			return
		}
		timer.Reset(wait)
		if now, _ := next(); wait-now < time.Second {
			return
		} // else the clock was moved between the two
	}
}

type entries[T any] []entry[T]

func (e entries[T]) Len() int      { return len(e) }
func (e entries[T]) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *entries[T]) Push(x any)   { *e = append(*e, x.(entry[T])) } //nolint:forcetypeassert // nothing else is pushed

func (e entries[T]) Less(i, j int) bool {
	if !e[i].due.Equal(e[j].due) {
		return e[i].due.Before(e[j].due)
	}
	return e[i].seq < e[j].seq
}

func (e *entries[T]) Pop() any {
	last := len(*e) - 1
	out := (*e)[last]
	(*e)[last] = entry[T]{}
	*e = (*e)[:last]
	return out
}
