package workspace

import (
	"slices"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/workspace-receiver/internal/workspace/wire"
)

// news is what the activities of one page make stale.
type news struct {
	refs    []receiver.Ref
	known   map[receiver.Ref]bool
	anew    bool
	deleted time.Time // the earliest deletion of a user, less deletionSlack; zero: none
	// customer is the id of the customer itself: as a member it is everybody, of which only a list tells.
	customer string
	strange  *strange
}

// deletionSlack is how far the time of a deletion may be from that of the activity which tells of it: two clocks of
// Google's.
const deletionSlack = 10 * time.Minute

func newNews(customer string, s *strange) *news {
	return &news{known: map[receiver.Ref]bool{}, customer: customer, strange: s}
}

// add reads an activity's events and reports whether any of them changes something.
func (n *news) add(a wire.Activity) (changes bool) {
	for _, e := range a.Events {
		does, known := events[a.Application][e.Name]
		if !known {
			n.strange.event(a.Application, e.Name)
		}
		if does.of != nothing {
			changes = true
			n.event(a, e, does)
		}
	}
	return changes
}

func (n *news) event(a wire.Activity, e wire.Event, does effect) {
	switch does.of {
	case aUser:
		n.each(a, e, does, func(key string) receiver.Ref { return receiver.Ref{Kind: receiver.RefUser, User: key} })
	case aGroup:
		n.each(a, e, does, func(key string) receiver.Ref { return receiver.Ref{Kind: receiver.RefGroup, Group: key} })
	case aMembership:
		n.members(groupOf(e, does), keysOf(e, does.keys...))
	case actorsMember:
		var actor []string
		if a.Actor != "" && validKey(a.Actor) {
			actor = []string{a.Actor}
		}
		n.members(groupOf(e, does), actor)
	case allMembers:
		n.members(groupOf(e, does), nil)
	case aDeletion:
		n.deletion(a)
	case everybody:
		n.anew = true
	}
}

// deletions takes of an activity that was read before only who was deleted.
func (n *news) deletions(a wire.Activity) {
	for _, e := range a.Events {
		if events[a.Application][e.Name].of == aDeletion {
			n.deletion(a)
		}
	}
}

func (n *news) deletion(a wire.Activity) {
	if at := a.Time.Add(-deletionSlack); n.deleted.IsZero() || at.Before(n.deleted) {
		n.deleted = at
	}
}

// each names a user or group by every key that the event has. One that has none is only told of: to read everybody for an
// event that Google words in another way would be to do so with each.
func (n *news) each(a wire.Activity, e wire.Event, does effect, ref func(key string) receiver.Ref) {
	keys := keysOf(e, does.keys...)
	if len(keys) == 0 {
		n.strange.unnamed(a.Application, e.Name)
	}
	for _, key := range keys {
		n.put(ref(key))
	}
}

// members names memberships. What the event does not say is everything that it could mean: all members of the group, or of
// every watched group. That costs no more than a look at those.
func (n *news) members(group string, members []string) {
	if group == "" || len(members) == 0 || slices.Contains(members, n.customer) {
		n.put(receiver.Ref{Kind: receiver.RefMembers, Group: group})
		return
	}
	for _, m := range members {
		n.put(receiver.Ref{Kind: receiver.RefMembership, Group: group, Member: m})
	}
}

func (n *news) put(r receiver.Ref) {
	if !n.known[r] {
		n.known[r] = true
		n.refs = append(n.refs, r)
	}
}

func groupOf(e wire.Event, does effect) string {
	if does.group == "" {
		return ""
	}
	if keys := keysOf(e, does.group); len(keys) > 0 {
		return keys[0]
	}
	return ""
}

// keysOf returns the ids and addresses that an event's parameters hold.
func keysOf(e wire.Event, names ...string) []string {
	var keys []string
	for _, key := range e.Values(names...) {
		if validKey(key) {
			keys = append(keys, key)
		}
	}
	return keys
}
