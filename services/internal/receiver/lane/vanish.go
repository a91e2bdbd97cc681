package lane

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/state"
)

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
	for id, w := range l.feeds.Watched {
		if w.Vanish != nil {
			first = earliest(first, l.checkDue(id, w))
		}
	}
	return first
}

// checkDue says when to ask for a group that is said to be gone.
func (l *Lane) checkDue(id string, w state.Watch) time.Time {
	if g := l.checkGates[id]; g != nil {
		return g.after(w.Vanish.Next)
	}
	return w.Vanish.Next
}

// checkGate keeps a group that is said to be gone from being asked for again too soon.
func (l *Lane) checkGate(id string) *gate {
	if l.checkGates[id] == nil {
		l.checkGates[id] = newGate()
	}
	return l.checkGates[id]
}

// checkVanishing reads the ids of watched groups that are said to be gone. One is gone when two reads, Config.Vanish
// apart, both say so, and no group with its address is it. It is there when two reads both show it. One that cannot be read
// holds up no other.
func (l *Lane) checkVanishing(ctx context.Context) error {
	now := l.deps.Clock.Now()
	for _, id := range l.vanishing() {
		w := l.feeds.Watched[id]
		if w.Vanish == nil || l.checkDue(id, w).After(now) {
			continue
		}
		err := l.checkVanished(ctx, id, w)
		switch {
		case err == nil:
			delete(l.checkGates, id)
		case ctx.Err() != nil || errors.Is(err, errNotStored):
			return err
		default:
			wait := l.checkGate(id).close(l.deps.Clock.Now())
			l.deps.Metrics.failed(vanish)
			l.deps.Logger.WarnContext(ctx, "whether a group is gone cannot be found out", "group", id, "again_in", wait, "error", err)
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
	later := *w.Vanish
	later.Next = l.deps.Clock.Now().Add(l.cfg.Vanish)
	if !g.Deleted {
		if w.Vanish.Seen {
			return l.report(ctx, p, stamp, []directory.Observation{{Group: &g}})
		}
		later.Said, later.Seen = false, true // a replica may lag, and a feed does not say it twice
		w.Vanish = &later
		l.feeds.Watched[id] = w
		return nil
	}
	later.Said, later.Seen = true, false
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
	seen, err := l.admit(ctx, p, others)
	if err != nil {
		return err
	}
	seen = append(seen, directory.Observation{Group: &directory.Group{ID: id, Deleted: true}})
	if err := l.publish(ctx, p, stamp, append(seen, observations(l.holding(id))...)); err != nil {
		return err
	}
	l.unwatch(id)
	l.reach(p.cause)
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
