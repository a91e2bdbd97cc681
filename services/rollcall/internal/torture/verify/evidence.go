package verify

import (
	"slices"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// turn is when the evidence about one thing turned from what licenses to what revokes.
type turn struct {
	since time.Time // of the last contrary evidence; zero when there never was any
	found bool      // anything said what revokes, and nothing has said otherwise since
}

// turned looks at what was seen up to a time: the newest that revokes, and the newest before it that does not. What was seen
// up to the page that the license was given for is no ground to revoke it, and that page itself is contrary evidence. The
// newest that revokes may not be the last that was seen: the decision need not know yet what came behind it.
func turned(all []seen, granted node, until time.Time, revokes func(seen) bool) turn {
	i := len(all) - 1
	for ; i >= 0 && (all[i].at.After(until) || !revokes(all[i])); i-- {
	}
	if i < 0 || all[i].page <= granted.page {
		return turn{}
	}
	for ; i >= 0 && all[i].page > granted.page; i-- {
		if !revokes(all[i]) {
			return turn{since: all[i].at, found: true}
		}
	}
	return turn{since: granted.at, found: true}
}

// ofUser is when the evidence turned for a reason that is of the user alone.
func (r *Record) ofUser(user string, granted node, until time.Time, need func(account) bool) turn {
	return turned(r.users[user], granted, until, func(s seen) bool { return need(s.account) })
}

// ofMembership is when the evidence turned against a user's being in a group. Of several links that ended the one counts
// whose last contrary evidence is the oldest: without it the others did not end the membership.
func (r *Record) ofMembership(t *Timeline, user string, granted node, until time.Time) turn {
	var all turn
	above := t.above(user)
	for member := range r.links {
		if member != user && member != whole && !above[member] {
			continue
		}
		for _, sights := range r.links[member] {
			all = all.or(turned(sights, granted, until, func(s seen) bool { return !s.says }))
		}
	}
	for id := range above {
		all = all.or(turned(r.groups[id], granted, until, func(s seen) bool { return !s.says }))
	}
	return all
}

// or is the earlier of two turns, of those that are known.
func (t turn) or(other turn) turn {
	switch {
	case !other.found:
		return t
	case t.since.IsZero(), !other.since.IsZero() && other.since.Before(t.since):
		other.found = true
		return other
	default:
		return t
	}
}

// ofAddress is since when it was seen without a break that a group has an address: the newest observation before that which
// said otherwise, or the first one of all.
func (r *Record) ofAddress(group, address string, until time.Time) turn {
	holds := func(s seen) bool { return s.says && slices.Contains(s.addresses, directory.Address(address)) }
	of := turned(r.groups[group], node{}, until, holds)
	if of.found && of.since.IsZero() {
		of.since = r.groups[group][0].at
	}
	return of
}
