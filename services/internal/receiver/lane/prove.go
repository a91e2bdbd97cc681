package lane

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
)

const (
	// suspicious is how many candidates an empty list of members takes at most, unless another has said the same before: a group
	// that a complete read also showed without anybody may be one that we are not allowed to see into.
	suspicious = 4
	// hopeless is after how many failures in a row the rest of the candidates is not asked about any more.
	hopeless = 5
	// unpaced candidates are read as fast as the provider answers; those beyond, a pace apart, leave it room for others.
	unpaced = 200
	pace    = 20 * time.Millisecond
)

// proving is the proof of one command's candidates for removal. A read that fails proves nothing.
type proving struct {
	*Lane
	p        *pass
	snapshot string // that did not show them, if one has not
	unproven int
	failures int // in a row
	asked    int
}

// prove reads what a snapshot did not show: users and groups by id, memberships by the complete list of their group's
// members. What it shows is published; candidates that cannot be read are counted and stay.
func (l *Lane) prove(ctx context.Context) error {
	c, _ := l.command(candidates)
	v := &proving{Lane: l, p: newPass(c.ID), snapshot: c.Read.Snapshot}
	v.p.patient = true
	for _, id := range c.Read.Users {
		if err := v.user(ctx, id); err != nil {
			return err
		}
	}
	for _, id := range c.Read.Groups {
		if err := v.group(ctx, id); err != nil {
			return err
		}
	}
	if err := v.memberships(ctx, c.Read.Members); err != nil {
		return err
	}
	err := l.say(ctx, "candidates", event.TypeCandidatesRead, c.ID,
		event.CandidatesRead{Snapshot: c.Read.Snapshot, Request: c.ID, Unproven: v.unproven})
	if err != nil {
		return err
	}
	if v.unproven > 0 {
		l.deps.Logger.WarnContext(ctx, "candidates for removal could not be read and stay", "request", c.ID, "unproven", v.unproven)
	}
	if err := l.save(ctx); err != nil {
		return err
	}
	return l.finish(ctx, c)
}

func (v *proving) user(ctx context.Context, id string) error {
	return v.one(ctx, func() (directory.Observation, directory.Stamp, error) {
		u, stamp, err := ask(ctx, v.Lane, v.p, func(ctx context.Context) (directory.User, error) { return v.deps.Directory.User(ctx, id) })
		return directory.Observation{User: &u}, stamp, err
	})
}

// group reads a group. One that is watched, and that a complete read did not show, takes two reads, however the first
// turns out: a feed that began with that read will never tell that the group is gone (see checkVanishing).
func (v *proving) group(ctx context.Context, id string) error {
	if _, watched := v.feeds.Watched[id]; watched && v.snapshot != "" {
		v.beginVanish(id, v.p.cause)
		v.unproven++
		v.between(ctx)
		return ctx.Err()
	}
	return v.one(ctx, func() (directory.Observation, directory.Stamp, error) {
		g, stamp, err := ask(ctx, v.Lane, v.p, func(ctx context.Context) (directory.Group, error) { return v.deps.Directory.Group(ctx, id) })
		return directory.Observation{Group: &g}, stamp, err
	})
}

// one reads and publishes one candidate. It returns only errors of our own side.
func (v *proving) one(ctx context.Context, read func() (directory.Observation, directory.Stamp, error)) error {
	if v.failures >= hopeless {
		v.unproven++
		return nil
	}
	if v.asked++; v.asked > unpaced {
		if err := v.pause(ctx, pace); err != nil {
			return err
		}
	}
	seen, stamp, err := read()
	if err := v.settle(ctx, err, 1, stamp, []directory.Observation{seen}); err != nil {
		return err
	}
	v.between(ctx)
	return ctx.Err()
}

// memberships answers each candidate by itself where the provider can, or else from one complete list of its group's
// members.
func (v *proving) memberships(ctx context.Context, asked []event.Membership) error {
	var all []directory.Membership
	for _, m := range asked {
		one, err := m.Directory()
		if err != nil {
			v.unproven++
			continue
		}
		single, err := v.membership(ctx, one)
		if err != nil {
			return err
		}
		if !single {
			all = append(all, one)
		}
	}
	for _, group := range groupsOf(all) {
		of := slices.DeleteFunc(slices.Clone(all), func(m directory.Membership) bool { return m.GroupID != group })
		if v.failures >= hopeless {
			v.unproven += len(of)
			continue
		}
		members, stamp, err := v.members(ctx, v.p, group)
		if len(members) > 0 {
			delete(v.empty, group)
		}
		if err == nil && len(members) == 0 && len(of) > suspicious {
			err = v.emptied(group)
		}
		answers, _ := answer(of, members) // candidates from the ledger are of known kinds
		if err := v.settle(ctx, err, len(of), stamp, answers); err != nil {
			return err
		}
	}
	return nil
}

// emptied returns nil where a group that has nobody, as its list says now, had nobody Config.Vanish ago either, by the list of
// another proof, and nothing has shown anybody in it since. It comes: what could not be proved is asked about again.
func (v *proving) emptied(group string) error {
	now := v.deps.Clock.Now()
	first, before := v.empty[group]
	if !before {
		v.empty[group] = now
	}
	if !before || now.Sub(first) < v.cfg.Vanish {
		return errors.New("one list without anybody proves nothing against so many")
	}
	return nil
}

// membership reads and publishes one candidate, and reports whether that is possible.
func (v *proving) membership(ctx context.Context, m directory.Membership) (bool, error) {
	if !v.lists() || v.wholeOnly || m.ID == "" {
		return false, nil
	}
	supported := true
	err := v.one(ctx, func() (directory.Observation, directory.Stamp, error) {
		answer, stamp, err := v.member(ctx, v.p, m)
		supported = !errors.Is(err, errors.ErrUnsupported)
		if !answer.Present {
			answer = m
			answer.Present = false
		}
		return directory.Observation{Membership: &answer}, stamp, err
	})
	if !supported {
		v.failures, v.unproven = 0, v.unproven-1
	}
	return supported, err
}

// settle publishes what a read of n candidates showed, or counts them as unproven.
func (v *proving) settle(ctx context.Context, err error, n int, stamp directory.Stamp, seen []directory.Observation) error {
	var admitted []directory.Observation
	if err == nil {
		admitted, err = v.admit(ctx, v.p, seen)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		v.failures++
		v.unproven += n
		v.deps.Logger.DebugContext(ctx, "candidates could not be read", "candidates", n, "error", err)
		return nil
	}
	v.failures = 0
	v.unproven += len(seen) - len(admitted) // held back until more is proved
	return v.publish(ctx, v.p, stamp, admitted)
}
