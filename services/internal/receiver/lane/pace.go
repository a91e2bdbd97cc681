package lane

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// listShare is how much of what comes evenly in the budget the lists may take. The rest keeps a full read going.
const listShare = 0.94

// intervals returns for each listed group how long one pass takes: Config.List, or longer where that would take more
// requests than there are. The smallest get all they need. What is left goes to the others by the square roots of their
// pages: many small groups leave a large one enough, and it leaves them enough.
func (l *Lane) intervals() map[string]time.Duration {
	if l.every != nil {
		return l.every
	}
	type demand struct {
		group         string
		pages, weight float64
	}
	var demands []demand
	weights := 0.0
	for id, r := range l.rolls {
		pages := float64(max(1, r.length))
		demands = append(demands, demand{id, pages, math.Sqrt(pages)})
		weights += math.Sqrt(pages)
	}
	slices.SortFunc(demands, func(a, b demand) int { return cmp.Or(cmp.Compare(a.pages, b.pages), cmp.Compare(a.group, b.group)) })
	left := listShare * l.budget.perSecond()
	l.every = make(map[string]time.Duration, len(demands))
	for _, d := range demands {
		interval := l.cfg.List
		if left > 0 {
			share := left * d.weight / weights
			interval = max(interval, time.Duration(d.pages/share*float64(time.Second)))
			left -= d.pages / interval.Seconds()
			weights -= d.weight
		}
		l.every[d.group] = interval
	}
	return l.every
}

// dropRoll forgets what is known of a group's list.
func (l *Lane) dropRoll(group string) {
	delete(l.rolls, group)
	l.every = nil
}

// listGate keeps a group's list from being tried again too soon.
func (l *Lane) listGate(group string) *gate {
	g := l.listGates[group]
	if g == nil {
		g = newGate()
		l.listGates[group] = g
	}
	return g
}

// listedSince reports whether every watched group's list was read to its end since a command came.
func (l *Lane) listedSince(revision uint64) bool {
	if !l.lists() {
		return true
	}
	for _, id := range l.living() {
		if _, foreign := l.foreign[id]; foreign {
			continue
		}
		if r := l.rolls[id]; r == nil || !r.read() || r.done.after < revision {
			return false
		}
	}
	return true
}

// listed returns the earliest of a round's begin and the begins of the last complete passes of what is listed.
func (l *Lane) listed(began time.Time) time.Time {
	if !l.lists() {
		return began
	}
	for _, id := range l.living() {
		if r := l.rolls[id]; r != nil && r.read() {
			began = earliest(began, r.done.began)
		}
	}
	return began
}

// recall notes what was published of the members of listed groups, and of users who are gone or back.
func (l *Lane) recall(seen []directory.Observation) {
	for _, o := range seen {
		if o.User != nil {
			l.noteGone(*o.User)
		}
		if o.Membership != nil && l.rolls[o.Membership.GroupID] != nil {
			l.rolls[o.Membership.GroupID].put(*o.Membership)
		}
	}
}
