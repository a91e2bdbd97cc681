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

// admit follows which groups are watched, and returns what may be published of one request's observations, in order:
//   - a watched group that is said to be deleted is not, until that is proved (see checkVanishing), nor is what its end
//     takes along: the removals of its members;
//   - of groups that are not watched, no members.
func (l *Lane) admit(p *pass, seen []directory.Observation) []directory.Observation {
	for _, o := range seen { // first, as a page may show a group's members go before the group
		if o.Group != nil && o.Group.Deleted {
			l.beginVanish(o.Group.ID, p.cause)
		}
	}
	admitted := make([]directory.Observation, 0, len(seen))
	for _, o := range seen {
		switch {
		case o.Group != nil && o.Group.Deleted:
			if _, watched := l.feeds.Watched[o.Group.ID]; watched {
				p.shown[o.Group.ID] = struct{}{} // what a hint was about, all the same
				continue
			}
		case o.Group != nil:
			l.watch(*o.Group, p.cause)
		case o.Membership != nil:
			w, watched := l.feeds.Watched[o.Membership.GroupID]
			if !watched || (w.Vanish != nil && !o.Membership.Present) {
				continue
			}
		}
		admitted = append(admitted, o)
	}
	return admitted
}

// watch follows a living group: one with the address of a provisioning group is watched, any other is not.
func (l *Lane) watch(g directory.Group, cause string) {
	var has []string
	for _, address := range l.feeds.Addresses {
		if slices.Contains(g.Addresses, address) {
			has = append(has, address)
		}
	}
	w, watched := l.feeds.Watched[g.ID]
	switch {
	case len(has) == 0 && watched:
		l.unwatch(g.ID)
	case len(has) > 0:
		if w.Vanish != nil { // it lives: removals may have been held back, so its members are read anew
			l.forgetMembers(g.ID)
		}
		if !watched {
			w.By = cause
		}
		l.feeds.Watched[g.ID] = state.Watch{Addresses: has, Names: g.Addresses, By: w.By}
	}
}

func (l *Lane) unwatch(group string) {
	delete(l.feeds.Watched, group)
	delete(l.listGates, group)
	l.forgetMembers(group)
}

// forgetMembers forgets what is known of the group's list, and takes it out of the feeds of members. A feed of other groups too goes on without it: what it shows
// of the group is not admitted while it is not watched, and only repeats its baseline when it is again.
func (l *Lane) forgetMembers(group string) {
	delete(l.rolls, group)
	feeds := make([]state.MembersFeed, 0, len(l.feeds.Members))
	for _, f := range l.feeds.Members {
		if i := slices.Index(f.Groups, group); i >= 0 {
			f.Groups = slices.Delete(slices.Clone(f.Groups), i, i+1)
		}
		if len(f.Groups) > 0 {
			feeds = append(feeds, f)
		}
	}
	l.feeds.Members = feeds
}

func (l *Lane) beginVanish(group, cause string) {
	if w, watched := l.feeds.Watched[group]; watched && w.Vanish == nil {
		w.Vanish = &state.Vanish{Next: l.deps.Clock.Now(), By: cause}
		l.feeds.Watched[group] = w
	}
}

// vanishing returns the ids of the watched groups that are said to be gone, sorted.
func (l *Lane) vanishing() []string {
	var ids []string
	for id, w := range l.feeds.Watched {
		if w.Vanish != nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func (l *Lane) vanishDue(time.Time) time.Time {
	var first time.Time
	for _, w := range l.feeds.Watched {
		if w.Vanish != nil {
			first = earliest(first, w.Vanish.Next)
		}
	}
	return first
}

// checkVanishing reads the ids of watched groups that are said to be gone. One is gone when two reads, Config.Vanish
// apart, both say so, and no group with its address is it.
func (l *Lane) checkVanishing(ctx context.Context) error {
	now := l.deps.Clock.Now()
	for _, id := range l.vanishing() {
		w := l.feeds.Watched[id]
		if w.Vanish == nil || w.Vanish.Next.After(now) {
			continue
		}
		if err := l.checkVanished(ctx, id, w); err != nil {
			return err
		}
	}
	return l.save(ctx)
}

func (l *Lane) checkVanished(ctx context.Context, id string, w state.Watch) error {
	p := newPass(w.Vanish.By)
	g, stamp, err := ask(ctx, l, p, func(ctx context.Context) (directory.Group, error) { return l.deps.Directory.Group(ctx, id) })
	if err != nil {
		return fmt.Errorf("read group %s: %w", id, err)
	}
	if !g.Deleted {
		return l.publish(ctx, p, stamp, l.admit(p, []directory.Observation{{Group: &g}}))
	}
	later := *w.Vanish
	later.Said, later.Next = true, l.deps.Clock.Now().Add(l.cfg.Vanish)
	others, lives, err := l.othersAt(ctx, p, id, w)
	if err != nil {
		return err
	}
	if lives || !w.Vanish.Said {
		w.Vanish = &later
		l.feeds.Watched[id] = w
		return nil
	}
	// One event, and the successor first: the ledger never sees the address with two groups, or with none between them.
	l.unwatch(id)
	seen := append(l.admit(p, others), directory.Observation{Group: &directory.Group{ID: id, Deleted: true}})
	if err := l.publish(ctx, p, stamp, seen); err != nil {
		l.feeds.Watched[id] = w
		return err
	}
	return nil
}

// othersAt looks the group's addresses up: which other groups have them, and whether the group itself is still found.
func (l *Lane) othersAt(ctx context.Context, p *pass, id string, w state.Watch) (others []directory.Observation, lives bool, err error) {
	if !w.Vanish.Said {
		return nil, false, nil // the second read will look
	}
	for _, address := range w.Addresses {
		groups, _, err := ask(ctx, l, p, func(ctx context.Context) ([]directory.Group, error) {
			return l.deps.Directory.GroupsAt(ctx, address)
		})
		if err != nil {
			return nil, false, fmt.Errorf("look up a provisioning group of %s: %w", l.id, err)
		}
		for _, g := range groups {
			if g.ID == id {
				return nil, true, nil
			}
			others = append(others, directory.Observation{Group: &g})
		}
	}
	return others, false, nil
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
		if err := l.publish(ctx, p, stamp, l.admit(p, seen)); err != nil {
			l.feeds.Addresses = before
			return err
		}
	}
	for id, w := range l.feeds.Watched {
		w.Addresses = slices.DeleteFunc(slices.Clone(w.Addresses), func(a string) bool { return !slices.Contains(l.addresses, a) })
		if l.feeds.Watched[id] = w; len(w.Addresses) == 0 {
			l.unwatch(id)
		}
	}
	return l.save(ctx)
}
