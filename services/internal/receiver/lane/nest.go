package lane

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/state"
)

// maxNested is how many groups are watched at most because others hold them: what is stored of them is one message, and
// 1 MiB is the most that one may be.
const maxNested = 2000

// enter notes what was published of the groups in watched groups, and reports whether anything of it is new.
func (l *Lane) enter(seen []directory.Observation) bool {
	fresh := map[string][]string{}
	for _, o := range seen {
		if o.Membership == nil {
			continue
		}
		m := *o.Membership
		if _, watched := l.feeds.Watched[m.GroupID]; !watched {
			continue
		}
		inside, touched := fresh[m.GroupID]
		if !touched {
			inside = l.feeds.Inside[m.GroupID]
		}
		i, in := slices.BinarySearch(inside, m.ID)
		if in == m.Present || m.Present && m.Kind != directory.GroupMember {
			continue
		}
		if !touched {
			inside = slices.Clone(inside)
		}
		if in {
			inside = slices.Delete(inside, i, i+1)
		} else {
			inside = slices.Insert(inside, i, strings.Clone(m.ID))
		}
		fresh[m.GroupID] = inside
	}
	for group, inside := range fresh {
		if l.feeds.Inside[group] = inside; len(inside) == 0 {
			delete(l.feeds.Inside, group)
		}
	}
	return len(fresh) > 0
}

// reach watches every group that is nested in one with the address of a provisioning group, however deep and in whatever
// circles, and no other.
func (l *Lane) reach(cause string) {
	reached := map[string]bool{}
	var order []string
	for _, id := range slices.Sorted(maps.Keys(l.feeds.Watched)) {
		if !l.feeds.Watched[id].Nested() {
			reached[id] = true
			order = append(order, id)
		}
	}
	roots := len(order)
	for i := 0; i < len(order); i++ {
		for _, id := range l.feeds.Inside[order[i]] {
			if !reached[id] {
				reached[id] = true
				order = append(order, id)
			}
		}
	}
	for id := range l.feeds.Watched {
		if !reached[id] {
			l.unwatch(id)
		}
	}
	left := max(0, roots+maxNested-len(l.feeds.Watched))
	tooMany := 0
	for _, id := range order {
		if _, watched := l.feeds.Watched[id]; watched {
			continue
		}
		if left == 0 {
			tooMany++
			continue
		}
		left--
		l.feeds.Watched[id] = state.Watch{By: cause}
	}
	if tooMany > 0 && l.tooMany == 0 {
		l.deps.Logger.Error("there are more nested groups than can be followed: who is in the others is not known", "followed", maxNested)
	}
	l.tooMany = tooMany
}

// holding returns the end of each membership of a group in a watched one.
func (l *Lane) holding(id string) []directory.Membership {
	var ended []directory.Membership
	for _, group := range slices.Sorted(maps.Keys(l.feeds.Inside)) {
		if l.isInside(group, id) {
			ended = append(ended, directory.Membership{GroupID: group, Kind: directory.GroupMember, ID: id})
		}
	}
	return ended
}

func (l *Lane) isInside(group, id string) bool {
	_, is := slices.BinarySearch(l.feeds.Inside[group], id)
	return is
}

// askForLeavers finds out of each watched group that seems to have left another whether it is gone: what takes it out of
// there is then its end, which is to be proved first.
func (l *Lane) askForLeavers(ctx context.Context, p *pass, seen []directory.Observation) error {
	asked := map[string]bool{}
	for _, o := range seen {
		if o.Membership == nil || o.Membership.Present {
			continue
		}
		m := *o.Membership
		w, watched := l.feeds.Watched[m.ID]
		if !watched || w.Vanish != nil || asked[m.ID] || !l.isInside(m.GroupID, m.ID) {
			continue
		}
		if err := l.askForLeaver(ctx, p, m.ID); err != nil {
			return err
		}
		asked[m.ID] = true
	}
	return nil
}

// askForLeaver reads a group that seems to have left another. If that fails again and again it counts as one that may be
// gone, so that it does not hold up what came with it.
func (l *Lane) askForLeaver(ctx context.Context, p *pass, id string) error {
	g, _, err := ask(ctx, l, p, func(ctx context.Context) (directory.Group, error) { return l.deps.Directory.Group(ctx, id) })
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, receiver.ErrForeign): // it is somewhere, then
	case err != nil:
		if l.unasked[id]++; l.unasked[id] < hopeless {
			return fmt.Errorf("read group %s: %w", id, err)
		}
		l.beginVanish(id, p.cause)
	case g.Deleted:
		l.beginVanish(id, p.cause)
	}
	delete(l.unasked, id)
	return nil
}

// holdBack reports whether the end of a membership is that of a group of which it is not known whether it is gone, and
// notes it.
func (l *Lane) holdBack(m directory.Membership) bool {
	w := l.feeds.Watched[m.ID]
	if w.Vanish == nil || !l.isInside(m.GroupID, m.ID) {
		return false
	}
	if !slices.Contains(w.Vanish.Held, m.GroupID) {
		said := *w.Vanish
		said.Held = append(slices.Clone(said.Held), m.GroupID)
		w.Vanish = &said
		l.feeds.Watched[m.ID] = w
	}
	return true
}

// lives has read anew what was held back while a group was said to be gone: its members, and the groups that it was said to
// have left. Lists ask about those again by themselves.
func (l *Lane) lives(group string, left []string) {
	l.forgetMembers(group)
	delete(l.checkGates, group)
	if l.lists() {
		return
	}
	for _, id := range left {
		l.forgetMembers(id)
	}
}
