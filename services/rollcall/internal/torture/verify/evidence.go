package verify

import (
	"slices"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// turn is when the evidence about one thing turned from what licenses to what revokes.
type turn struct {
	since time.Time // of the last contrary evidence or, when there never was any, of the first that revokes
	found bool      // anything said what revokes, and nothing has said otherwise since
}

// sought says which evidence is looked for.
type sought struct {
	granted node           // what was seen up to this page is no ground to revoke, and the page itself is contrary evidence
	until   time.Time      // what came later nobody can have known
	on      func(int) bool // only on these pages; nil means all
}

// turned looks for the newest that revokes, and for the newest before it that does not. The newest that revokes may not be
// the last that was seen: the decision need not know yet what came behind it.
func (q sought) turned(all []seen, revokes func(seen) bool) turn {
	i := len(all) - 1
	for ; i >= 0 && (all[i].at.After(q.until) || !revokes(all[i]) || q.on != nil && !q.on(all[i].page)); i-- {
	}
	if i < 0 || all[i].page <= q.granted.page {
		return turn{}
	}
	for ; i >= 0 && all[i].page > q.granted.page; i-- {
		if !revokes(all[i]) {
			return turn{since: all[i].at, found: true}
		}
	}
	if q.granted.page > 0 {
		return turn{since: q.granted.at, found: true}
	}
	return turn{since: all[0].at, found: true}
}

// ofUser is when the evidence turned for a reason that is of the user alone.
func (r *Record) ofUser(user string, q sought, need func(account) bool) turn {
	return q.turned(r.users[user], func(s seen) bool { return need(s.account) })
}

// ofMembership is when the evidence turned against a user's being in a group. Of several links that ended the one counts
// whose last contrary evidence is the oldest: without it the others did not end the membership.
func (r *Record) ofMembership(t *Timeline, user string, q sought) turn {
	gone := func(s seen) bool { return !s.says }
	var all turn
	members := t.above(user)
	for id := range members {
		all = all.or(q.turned(r.groups[id], gone))
	}
	members[user], members[whole] = true, true
	for member := range members {
		for _, sights := range r.links[member] {
			all = all.or(q.turned(sights, gone))
		}
	}
	return all
}

// or is the earlier of two turns, of those that are known.
func (t turn) or(other turn) turn {
	if !t.found || other.found && other.since.Before(t.since) {
		return other
	}
	return t
}

// ofAddress is when the evidence turned to that a group has an address.
func (r *Record) ofAddress(group, address string, until time.Time) turn {
	holds := func(s seen) bool { return s.says && slices.Contains(s.addresses, directory.Address(address)) }
	return sought{until: until}.turned(r.groups[group], holds)
}
