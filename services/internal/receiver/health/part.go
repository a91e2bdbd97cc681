package health

import (
	"slices"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

// part is a piece of work whose last try has failed.
type part struct {
	began   time.Time // of the first of the failures, between which was no success
	trouble receiver.Trouble
	since   time.Time // of the first that was this trouble
	last    time.Time
	times   int // that it was this trouble in a row
}

// failed notes a failure, and reports whether it is another than the one before, or the second: one alone proves nothing.
func (p *part) failed(trouble receiver.Trouble, now time.Time) (news bool) {
	if p.trouble != trouble {
		p.trouble, p.since, p.times = trouble, now, 0
	}
	p.last = now
	p.times++
	return p.times <= 2
}

// worst are the troubles in the order in which they are said: what stops everything goes before what only costs time.
var worst = []receiver.Trouble{
	receiver.SignIn, receiver.Consent, receiver.Unreachable, receiver.Throttled, receiver.Failing, receiver.Quota, receiver.Silent,
}

// forget is after how many times Patience a failure counts no more that nobody tries again: the group whose members could not be
// read is watched no longer. Rounds and push channels are always tried again.
const forget = 6

// trouble returns the worst of what has failed for as long as Patience, and since when; or when that may be so first.
func (w *Watch) trouble(now time.Time) (part string, of receiver.Trouble, since, next time.Time) {
	rank := len(worst)
	for name, p := range w.parts {
		always := name == round || name == channels || name == pushes
		if !always && now.Sub(p.last) >= forget*w.cfg.Patience {
			delete(w.parts, name)
			continue
		}
		switch at, r := p.since.Add(w.cfg.Patience), slices.Index(worst, p.trouble); {
		case p.times < 2:
		case at.After(now):
			next = earliest(next, at)
		case r < rank:
			rank, part, of, since = r, name, p.trouble, p.began
		case r == rank:
			since = earliest(since, p.began)
			if part == channels { // others say more
				part = name
			}
		}
		if !always {
			next = earliest(next, p.last.Add(forget*w.cfg.Patience))
		}
	}
	return part, of, since, next
}

// well reports whether nothing fails, and everything was asked for since something did.
func (w *Watch) well() bool { return len(w.parts) == 0 && w.whole && w.kept }

// earliest returns the first of two times of which zero is none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
