package ledger

import (
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// Evidence is how something of a directory was seen.
type Evidence struct {
	Stamp directory.Stamp
	At    time.Time // when it was told
	// Told is what the provider's feed that states it had told before. Nothing: a read showed it, which may come from a replica
	// that lags, however late it is sent.
	Told Told
	// Doubt is for how long no read alone undoes what has changed; 0: not at all.
	Doubt time.Duration
}

// Told is of which time a feed has told each change, in order.
type Told struct{ Since, Until time.Time }

// holds reports whether a change that a feed told of at a time is one of these.
func (t Told) holds(at time.Time) bool { return !at.Before(t.Since) && !at.After(t.Until) }

// Seen is what an observation does to the row that it is of.
type Seen int

// The effects of an observation.
const (
	Stale    Seen = iota // older than what is known: dropped
	Same                 // known already: at most the row's stamp has moved
	Changed              // the row says something else now
	Doubtful             // it would undo what has changed a moment ago: dropped, and to be read again, see Doubt
)

// outdated reports whether an observation must be dropped: it is older than what its row shows, or nothing was shown yet
// and it is older than the tenant's last complete snapshot, which would have shown it.
func (t Tenant) outdated(s directory.Stamp, row stamp, shown bool) bool {
	if shown {
		return s.Compare(row.directory()) < 0
	}
	return s.Compare(t.Snapshot) < 0
}

// change is when a row came to say what it says, and how that was seen.
type change struct {
	at   time.Time // zero: the first complete read showed it so
	by   teller
	seen time.Time // when it was last told
}

// teller is how a change was seen. Doubted comes on top where evidence against it was not taken: what confirms it then counts
// as the change, or the same replica could speak once more when the doubt is over.
type teller int

const (
	read    teller = 0
	feed    teller = 1
	doubted teller = 2
)

func (e Evidence) teller() teller {
	if e.Told == (Told{}) {
		return read
	}
	return feed
}

// confirmed returns what is left of a change when evidence says the same.
func (c change) confirmed(e Evidence) change {
	if c.by&doubted != 0 {
		return change{e.At, e.teller(), e.At}
	}
	c.seen = e.At
	return c
}

// changed returns the change that the evidence makes. What the first complete read shows has not changed lately.
func (t Tenant) changed(e Evidence, known bool) change {
	if !known && !t.Ready() {
		return change{seen: e.At}
	}
	return change{e.At, e.teller(), e.At}
}

// leniency is the part of Evidence.Doubt for which a read does not bring back what has gone: to have gained access a moment
// too early, or to see an older name, does less harm than to lose it for no reason.
const leniency = 10

// glance is the part of Evidence.Doubt after which one read is asked for by another. What it takes away was told to be there a moment
// ago: one of the two lags, and nothing says which.
const glance = 120

// doubts reports whether evidence against a row must not be taken yet, and, where the row has changed or was told a moment ago, when
// a read can tell: what is read then is what holds. A feed tells its changes in order, so that each of them undoes the one before
// at once.
func (e Evidence) doubts(row change, takesAway bool) (doubtful bool, again time.Time) {
	inOrder := row.by&feed != 0 && e.teller() == feed && e.Told.holds(row.at)
	if row.at.IsZero() || inOrder || e.At.Sub(row.at) >= e.Doubt {
		return e.glances(row, takesAway)
	}
	age := e.At.Sub(row.at)
	if !takesAway && age >= e.Doubt/leniency {
		return false, row.at.Add(e.Doubt)
	}
	if takesAway {
		return true, row.at.Add(e.Doubt)
	}
	return true, row.at.Add(e.Doubt / leniency)
}

// glances reports whether a read that takes away is to be followed by a second one, and when: not where it is that one itself.
func (e Evidence) glances(row change, takesAway bool) (doubtful bool, again time.Time) {
	if !takesAway || e.teller() == feed || row.by&doubted != 0 || e.At.Sub(row.seen) >= e.Doubt {
		return false, time.Time{}
	}
	return true, e.At.Add(e.Doubt / glance)
}
