package receivertest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

// Activity is the id (Notification.ID) of the nth change, counted from 0, in a journal.
func Activity(n int) string { return fmt.Sprintf("activity-%d", n) }

// Changed returns how many changes there were so far.
func (d *Directory) Changed() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.log)
}

// Overlap makes the next page of each journal begin with the first change, as at the start of a process.
func (d *Directory) Overlap() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.overlap = map[receiver.FeedKind]bool{receiver.UsersFeed: true, receiver.GroupsFeed: true}
}

// journal names what has changed. The journal of users is that of admins, that of groups tells of members too. Of a user
// that is gone it tells the id, as a list of the deleted would.
func (d *Directory) journal(feed receiver.Feed, at cursor) receiver.Page {
	var page receiver.Page
	end := d.visible()
	for n := 0; at.Log < end && n < d.PageSize; at.Log++ {
		e := d.log[at.Log]
		if (e.kind == receiver.UsersFeed) != (feed.Kind == receiver.UsersFeed) {
			continue
		}
		n++
		page.Shown = append(page.Shown, Activity(at.Log))
		if _, lives := d.users[e.id]; e.kind == receiver.UsersFeed && !lives {
			page.Observations = append(page.Observations, d.user(e.id))
			continue
		}
		page.Stale = append(page.Stale, e.ref())
	}
	page.More, page.Cursor = at.Log < end, at.String()
	return page
}

func (e entry) ref() receiver.Ref {
	switch e.kind {
	case receiver.UsersFeed:
		return receiver.Ref{Kind: receiver.RefUser, User: e.address}
	case receiver.GroupsFeed:
		return receiver.Ref{Kind: receiver.RefGroup, Group: e.address}
	default:
		return receiver.Ref{Kind: receiver.RefMembership, Group: e.address, Member: e.memberAddress}
	}
}

// addressOf returns what the thing and its member are called: their first address, or the id where they have none.
func (d *Directory) addressOf(e entry) (thing, member string) {
	if e.kind == receiver.UsersFeed {
		return first(d.users[e.id].Addresses), ""
	}
	member = cmp.Or(first(d.users[e.member].Addresses), first(d.groups[e.member].Addresses), e.member)
	return first(d.groups[e.id].Addresses), member
}

func first(addresses []string) string {
	if len(addresses) == 0 {
		return ""
	}
	return addresses[0]
}

// userKey returns the id that a key is of: "" for an address that nobody has.
func (d *Directory) userKey(key string) string {
	if directory.Domain(key) == "" {
		return key
	}
	for id, u := range d.users {
		if slices.Contains(u.Addresses, key) {
			return id
		}
	}
	return ""
}

func (d *Directory) groupKey(key string) string {
	if directory.Domain(key) == "" {
		return key
	}
	for id, g := range d.groups {
		if slices.Contains(g.Addresses, key) {
			return id
		}
	}
	return ""
}

// Member implements receiver.Directory. Without journals it does not know single memberships.
func (d *Directory) Member(ctx context.Context, group, key string) (directory.Membership, error) {
	if !d.Journals || d.ListsOnly {
		return directory.Membership{}, errors.ErrUnsupported
	}
	if err := d.request(ctx, Call{Method: "Member", ID: group, Cursor: key}); err != nil {
		return directory.Membership{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.groups[group]; !ok {
		return directory.Membership{}, fmt.Errorf("read a member of %s: %w", group, receiver.ErrNoGroup)
	}
	id := cmp.Or(d.userKey(key), d.groupKey(key))
	kind, there := d.members[group][id]
	if !there && id != key {
		id = "" // absent, and an address names nobody
	}
	return directory.Membership{GroupID: group, Kind: kind, ID: id, Present: there}, nil
}
