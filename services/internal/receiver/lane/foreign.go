package lane

import (
	"context"
	"errors"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

var (
	errNotOurs = errors.New("the nested group is of another directory")
	errIsGone  = errors.New("the group is said to be gone")
)

// listNew lists a group as a part of a snapshot. A nested group of another directory is none that could be listed, and
// nobody waits for it; a complete read or the next start tries again.
func (l *Lane) listNew(ctx context.Context, p *pass, group string) error {
	err := l.nameNested(ctx, p, group)
	if err == nil {
		err = l.listAll(ctx, p, group)
	}
	switch {
	case err == nil:
		delete(l.foreign, group)
	case errors.Is(err, receiver.ErrForeign) && l.isForeign(ctx, p, group):
		l.foreign[group] = struct{}{}
		l.dropRoll(group)
		return errNotOurs
	}
	return err
}

// nameNested reads a nested group whose addresses are not known, though journals name groups by them.
func (l *Lane) nameNested(ctx context.Context, p *pass, group string) error {
	if w := l.feeds.Watched[group]; !l.deps.Traits.Journals || !w.Nested() || len(w.Names) > 0 {
		return nil
	}
	g, stamp, err := ask(ctx, l, p, func(ctx context.Context) (directory.Group, error) { return l.deps.Directory.Group(ctx, group) })
	if err != nil {
		return err
	}
	if err := l.report(ctx, p, stamp, []directory.Observation{{Group: &g}}); err != nil {
		return err
	}
	if g.Deleted {
		return errIsGone
	}
	return nil
}

// isForeign reports whether a nested group that is said to be foreign is: where we may not see groups at all, they all seem
// to be, and so does the one that holds it.
func (l *Lane) isForeign(ctx context.Context, p *pass, group string) bool {
	for _, holds := range l.holding(group) {
		if _, foreign := l.foreign[holds.GroupID]; foreign {
			continue
		}
		_, _, err := ask(ctx, l, p, func(ctx context.Context) (directory.Group, error) { return l.deps.Directory.Group(ctx, holds.GroupID) })
		return err == nil
	}
	return false
}
