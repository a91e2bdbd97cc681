package lane

import (
	"context"
	"errors"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// maxGone bounds how many deleted users are remembered.
const maxGone = 10_000

// gone are users that were told to be deleted, by id. A provider that restores a user gives the memberships back without a
// word of them, so that who is read to be back is asked for in the watched groups at once, and the two are told together:
// otherwise it would be a matter of luck whether a list or the user comes first, and consumers would hear of either.
type gone map[string]struct{}

// note remembers who was told to be deleted, and forgets who is told to live.
func (g gone) note(u directory.User) {
	switch {
	case u.Status != directory.Deleted:
		delete(g, u.ID)
	case len(g) < maxGone:
		g[u.ID] = struct{}{}
	}
}

// returned reads the memberships of a user who was deleted and is back. What cannot be read, the lists will show.
func (l *Lane) returned(ctx context.Context, p *pass, u directory.User) ([]directory.Observation, error) {
	if _, was := l.gone[u.ID]; !was || u.Status == directory.Deleted || !l.lists() {
		return nil, nil
	}
	var back []directory.Observation
	for _, group := range l.living() {
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
