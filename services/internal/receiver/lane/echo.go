package lane

import (
	"slices"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

// maxEchoes bounds what waits to be read again. Polls, lists and full reads find the rest.
const maxEchoes = 4096

// When to read again what was named and read, as the provider's replicas lag: a push may be ahead of all of them.
var (
	laterForJournals = []time.Duration{time.Minute, 10 * time.Minute}
	laterForPushes   = []time.Duration{5 * time.Second, time.Minute, 10 * time.Minute}
	// Some things can never be read, and each of them would cost a round every time.
	laterForFailures = []time.Duration{10 * time.Second, time.Minute, 10 * time.Minute, time.Hour, 6 * time.Hour}
)

// maxDue is how many echoes one round reads. The others are due again at once.
const maxDue = maxStale / 2

// echoes are the things that are to be read again. They do not outlive the process: at its start journals are read from
// further back.
type echoes map[receiver.Ref]*echo

type echo struct {
	since time.Time
	waits []time.Duration // never empty
}

func (e *echo) at() time.Time { return e.since.Add(e.waits[0]) }

// next is when to read the first of them; the zero time: there is none.
func (e echoes) next() time.Time {
	var first time.Time
	for _, one := range e {
		first = earliest(first, one.at())
	}
	return first
}

// due returns up to maxDue of those whose time has come, in an order of their own.
func (e echoes) due(now time.Time) []receiver.Ref {
	var refs []receiver.Ref
	for ref, one := range e {
		if !one.at().After(now) {
			refs = append(refs, ref)
		}
	}
	slices.SortFunc(refs, compareRefs)
	return refs[:min(len(refs), maxDue)]
}

// settle notes that a ref was asked for: as an echo, which then waits for its next time or is let go, or because it was
// named again, and then it waits anew.
func (e echoes) settle(ref receiver.Ref, began time.Time, waits []time.Duration, echoed, wanted bool) {
	one := e[ref]
	switch {
	case echoed && one != nil:
		for len(one.waits) > 0 && !one.at().After(began) {
			one.waits = one.waits[1:]
		}
		if len(one.waits) == 0 {
			delete(e, ref)
		}
	case one != nil || wanted && len(e) < maxEchoes:
		e[ref] = &echo{since: began, waits: waits}
	}
}

// echoed reports whether a ref is worth reading again: lists that are short are read all the time.
func (l *Lane) echoed(ref receiver.Ref) bool {
	switch ref.Kind {
	case receiver.RefMembers:
		return false
	case receiver.RefMembership:
		group, watched := l.watchedAs(ref.Group)
		return watched && l.intervals()[group] > l.cfg.List
	}
	return true
}
