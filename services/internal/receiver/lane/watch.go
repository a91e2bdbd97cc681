package lane

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/state"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// groupAddresses are the addresses that make a group one of the tenant's provisioning groups.
func groupAddresses(t tenant.Tenant) []string {
	var all []string
	for _, p := range t.Products {
		all = append(all, t.GroupAddress(p))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// report publishes what may be published of one request's observations.
func (l *Lane) report(ctx context.Context, p *pass, stamp directory.Stamp, seen []directory.Observation) error {
	admitted, err := l.admit(ctx, p, seen)
	if err != nil {
		return err
	}
	return l.publish(ctx, p, stamp, admitted)
}

// admit follows which groups are watched, and returns what may be published of one request's observations, in order:
//   - a watched group that is said to be deleted is not, until that is proved (see checkVanishing), nor is what its end
//     takes along: the removals of its members, and its own from the groups that hold it;
//   - of groups that are not watched, no members.
func (l *Lane) admit(ctx context.Context, p *pass, seen []directory.Observation) ([]directory.Observation, error) {
	for _, o := range seen { // first, as a page may show a group's members go before the group
		if o.Group != nil && o.Group.Deleted {
			l.beginVanish(o.Group.ID, p.cause)
		}
	}
	if err := l.askForLeavers(ctx, p, seen); err != nil {
		return nil, err
	}
	admitted := make([]directory.Observation, 0, len(seen))
	for _, o := range seen {
		if o.Membership != nil && o.Membership.Present {
			delete(l.empty, o.Membership.GroupID)
		}
		switch {
		case o.Group != nil && o.Group.Deleted:
			if _, watched := l.feeds.Watched[o.Group.ID]; watched {
				p.shown[o.Group.ID] = struct{}{} // what a hint was about, all the same
				continue
			}
		case o.Group != nil:
			l.watch(*o.Group, p.cause)
		case o.Membership != nil && !l.tellable(*o.Membership):
			continue
		}
		admitted = append(admitted, o)
	}
	return admitted, nil
}

// tellable reports whether a membership may be published now.
func (l *Lane) tellable(m directory.Membership) bool {
	w, watched := l.feeds.Watched[m.GroupID]
	switch {
	case !watched:
		return false
	case m.Present:
		return true
	case w.Vanish != nil:
		return false
	}
	return !l.holdBack(m)
}

// watch follows a living group: one with the address of a provisioning group is watched, and so is what is nested in one.
func (l *Lane) watch(g directory.Group, cause string) {
	var has []string
	for _, address := range l.feeds.Addresses {
		if slices.Contains(g.Addresses, address) {
			has = append(has, address)
		}
	}
	w, watched := l.feeds.Watched[g.ID]
	if !watched && len(has) == 0 {
		return
	}
	if w.Vanish != nil {
		l.lives(g.ID, w.Vanish.Held)
	}
	next := state.Watch{Addresses: has, By: w.By}
	if !watched {
		next.By = cause
	}
	if len(has) > 0 || l.deps.Traits.Journals { // journals name groups by address
		next.Names = g.Addresses
	}
	l.feeds.Watched[g.ID] = next
	if next.Nested() != w.Nested() {
		l.reach(cause)
	}
}

func (l *Lane) unwatch(group string) {
	delete(l.feeds.Watched, group)
	delete(l.feeds.Inside, group)
	delete(l.listGates, group)
	delete(l.foreign, group)
	delete(l.unasked, group)
	delete(l.empty, group)
	delete(l.checkGates, group)
	l.forgetMembers(group)
}

// forgetMembers makes a group's members be read from the beginning.
func (l *Lane) forgetMembers(group string) {
	l.dropRoll(group)
	l.feed(func(id string) bool { return id != group })
}

func (l *Lane) lookDue(now time.Time) time.Time {
	if l.connected() && !slices.Equal(l.feeds.Addresses, l.addresses) {
		return now
	}
	return time.Time{}
}

// lookUp follows a change of the tenant's products: it watches the groups that a new address has, and no longer those that
// only had an old one. The feed of groups shows neither, as the groups have not changed.
func (l *Lane) lookUp(ctx context.Context) error {
	before := l.feeds.Addresses
	l.feeds.Addresses = l.addresses
	for _, address := range l.addresses {
		if slices.Contains(before, address) {
			continue
		}
		p := newPass("")
		groups, stamp, err := ask(ctx, l, p, func(ctx context.Context) ([]directory.Group, error) {
			return l.deps.Directory.GroupsAt(ctx, address)
		})
		if err != nil {
			l.feeds.Addresses = before
			return fmt.Errorf("look up a provisioning group of %s: %w", l.id, err)
		}
		var seen []directory.Observation
		for _, g := range groups {
			seen = append(seen, directory.Observation{Group: &g})
		}
		if err := l.report(ctx, p, stamp, seen); err != nil {
			l.feeds.Addresses = before
			return err
		}
	}
	for id, w := range l.feeds.Watched {
		w.Addresses = slices.DeleteFunc(slices.Clone(w.Addresses), func(a string) bool { return !slices.Contains(l.addresses, a) })
		l.feeds.Watched[id] = w
	}
	l.reach("")
	return l.save(ctx)
}
