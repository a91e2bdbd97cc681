package lane

import (
	"cmp"
	"slices"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// listShare is how much of what comes evenly in the budget the lists may take. The rest keeps a full read going.
const listShare = 0.94

// intervals returns for each listed group how long one pass takes: Config.List, or longer where that would take more
// requests than there are. The smallest get all they need; the others share what is left evenly.
func (l *Lane) intervals() map[string]time.Duration {
	type demand struct {
		group string
		pages float64
	}
	var demands []demand
	for id, r := range l.rolls {
		demands = append(demands, demand{id, float64(max(1, r.length))})
	}
	slices.SortFunc(demands, func(a, b demand) int { return cmp.Or(cmp.Compare(a.pages, b.pages), cmp.Compare(a.group, b.group)) })
	left := listShare * l.budget.perSecond()
	intervals := make(map[string]time.Duration, len(demands))
	for i, d := range demands {
		interval := l.cfg.List
		if left > 0 {
			even := left / float64(len(demands)-i)
			interval = max(interval, time.Duration(d.pages/even*float64(time.Second)))
			left -= d.pages / interval.Seconds()
		}
		intervals[d.group] = interval
	}
	return intervals
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

// waitsFor reports whether a command waits for a pass of this list that has not begun yet, or is under way.
func (l *Lane) waitsFor(r *roll) bool { return l.inbox.plainAfter(r.done.after) }

// listedSince reports whether every watched group's list was read to its end since a command came.
func (l *Lane) listedSince(revision uint64) bool {
	if !l.lists() {
		return true
	}
	for _, id := range l.living() {
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
			l.gone.note(*o.User)
		}
		if o.Membership != nil && l.rolls[o.Membership.GroupID] != nil {
			l.rolls[o.Membership.GroupID].put(*o.Membership)
		}
	}
}
