package lane

import (
	"context"
	"errors"
	"slices"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

const (
	// maxGone bounds how many deleted users are remembered, and maxReturned the groups of each.
	maxGone     = 10_000
	maxReturned = 20
)

// gone are users that were told to be deleted, by id, with the groups that they were in. A provider that restores a user
// gives the memberships back without a word of them, so that who is read to be back is asked for in those groups at once,
// and the two are told together: otherwise it would be a matter of luck whether a list or the user comes first, and
// consumers would hear of either.
type gone map[string][]string

// noteGone remembers who was told to be deleted, and forgets who is told to live.
func (l *Lane) noteGone(u directory.User) {
	if u.Status != directory.Deleted {
		delete(l.gone, u.ID)
		return
	}
	groups, known := l.gone[u.ID]
	if !known && len(l.gone) >= maxGone {
		return
	}
	for id, r := range l.rolls {
		if _, in := r.slots[u.ID]; in && len(groups) < maxReturned && !slices.Contains(groups, id) {
			groups = append(groups, id)
		}
	}
	l.gone[u.ID] = groups
}

// returned reads the memberships of a user who was deleted and is back. What cannot be read, the lists will show.
func (l *Lane) returned(ctx context.Context, p *pass, u directory.User) ([]directory.Observation, error) {
	if u.Status == directory.Deleted || !l.lists() {
		return nil, nil
	}
	var back []directory.Observation
	for _, group := range slices.Sorted(slices.Values(l.gone[u.ID])) {
		if w, watched := l.feeds.Watched[group]; !watched || w.Vanish != nil {
			continue
		}
		m, _, err := l.member(ctx, p, directory.Membership{GroupID: group, ID: u.ID})
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err == nil && m.Present:
			back = append(back, directory.Observation{Membership: &m})
		}
	}
	return back, nil
}

// left reads the user of a membership that seems to be no more: one who was deleted has left for that reason, and the two
// are told together, with the stamp of this read. What cannot be read is told by a journal, or by nobody: outsiders have
// memberships too.
func (l *Lane) left(ctx context.Context, p *pass, m directory.Membership) ([]directory.Observation, directory.Stamp, error) {
	if m.Kind != directory.UserMember || !l.deps.Traits.Journals || l.wholeOnly {
		return nil, directory.Stamp{}, nil
	}
	u, stamp, err := ask(ctx, l, p, func(ctx context.Context) (directory.User, error) { return l.deps.Directory.User(ctx, m.ID) })
	if ctx.Err() != nil || errors.Is(err, errNotStored) {
		return nil, stamp, errors.Join(ctx.Err(), err)
	}
	if err != nil || u.ID != m.ID || u.Status != directory.Deleted {
		return nil, stamp, nil
	}
	return []directory.Observation{{User: &u}}, stamp, nil
}
