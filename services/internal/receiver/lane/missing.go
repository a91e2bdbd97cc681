package lane

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

// proveMissing asks about one member that a pass has missed: pages shift while they are read. Only what the provider says
// of this one membership removes it. m says that it is absent. If it is one of a sample and has not just left, those whom
// it stands for are asked about too.
func (l *Lane) proveMissing(ctx context.Context, p *pass, r *roll, m directory.Membership) error {
	why, before, err := l.left(ctx, p, m) // first: nothing is read between the proof and its publishing
	if err != nil {
		return err
	}
	answer, stamp, err := l.member(ctx, p, m)
	if slices.Contains(r.sample, m.ID) && (err != nil || answer.Present || len(why) > 0) {
		r.distrust()
	}
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		r.doubt(m.ID, true)
		return nil
	case errors.Is(err, receiver.ErrNoGroup):
		l.beginVanish(m.GroupID, p.cause)
		r.stop()
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil: // it stays, and the next pass asks again
		r.refuse(m.ID)
		if r.refused++; r.refused >= hopeless {
			r.spareAll()
		}
		l.deps.Logger.DebugContext(ctx, "a missing member could not be asked about", "group", m.GroupID, "error", err)
		return nil
	}
	r.refused = 0
	delete(r.hard, m.ID)
	if answer.Present {
		r.spare(m.ID)
		return nil
	}
	if len(why) > 0 {
		stamp = before
	}
	if err := l.report(ctx, p, stamp, append(why, observations([]directory.Membership{m})...)); err != nil {
		return err
	}
	r.spare(m.ID) // in case that it was held back
	return nil
}

// member reads one membership by the member's id. That of a whole customer has none: only the list can tell.
func (l *Lane) member(ctx context.Context, p *pass, m directory.Membership) (directory.Membership, directory.Stamp, error) {
	if m.ID == "" || l.wholeOnly {
		return m, directory.Stamp{}, errors.ErrUnsupported
	}
	answer, stamp, err := ask(ctx, l, p, func(ctx context.Context) (directory.Membership, error) {
		return l.deps.Directory.Member(ctx, m.GroupID, m.ID)
	})
	l.wholeOnly = errors.Is(err, errors.ErrUnsupported)
	if err != nil {
		return m, stamp, fmt.Errorf("read a member of group %s: %w", m.GroupID, err)
	}
	return answer, stamp, nil
}

// refuse leaves a missing member whose proof failed for the end of the next pass, behind all others: some can never be
// proved.
func (r *roll) refuse(id string) {
	if r.hard == nil {
		r.hard = map[string]struct{}{}
	}
	r.hard[id] = struct{}{}
	r.spare(id)
}

// spareAll leaves the rest of the missing for the next pass.
func (r *roll) spareAll() {
	for _, id := range r.missing {
		r.spare(id)
	}
	r.missing = nil
}
