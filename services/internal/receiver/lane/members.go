package lane

import (
	"context"
	"fmt"
	"slices"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

// members reads all direct members of a group, and returns the stamp of the first request.
func (l *Lane) members(ctx context.Context, p *pass, group string) ([]directory.Membership, directory.Stamp, error) {
	var all []directory.Membership
	var began directory.Stamp
	var came trail
	for cursor := ""; !came.circles(cursor); {
		page, stamp, err := ask(ctx, l, p, func(ctx context.Context) (receiver.Page, error) {
			return l.deps.Directory.Members(ctx, group, cursor)
		})
		if err != nil {
			return nil, began, fmt.Errorf("list the members of group %s: %w", group, err)
		}
		if cursor == "" {
			began = stamp
		}
		for _, o := range page.Observations {
			if o.Membership != nil && o.Membership.GroupID == group {
				all = append(all, *o.Membership)
			}
		}
		switch {
		case len(page.SetAside) > 0:
			return nil, began, fmt.Errorf("list the members of group %s: %d cannot be understood", group, len(page.SetAside))
		case !page.More:
			return all, began, nil
		}
		cursor = page.Cursor
		if p.patient {
			l.between(ctx)
		}
	}
	return nil, began, fmt.Errorf("list the members of group %s: %w", group, errEndless)
}

// clarify asks the groups themselves about memberships that a page left open. A member that the list does not have is none.
func (l *Lane) clarify(ctx context.Context, p *pass, unclear []directory.Membership) error {
	for _, group := range groupsOf(unclear) {
		members, stamp, err := l.members(ctx, p, group)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && p.snapshot != "":
			return err
		case err != nil:
			l.deps.Logger.WarnContext(ctx, "a group's members are unclear and are read anew", "group", group, "error", err)
			l.forgetMembers(group)
			continue
		}
		of := slices.DeleteFunc(slices.Clone(unclear), func(m directory.Membership) bool { return m.GroupID != group })
		answers, all := answer(of, members)
		if !all { // the list shows who is in the group, but not who was meant to have left it
			answers = observations(members)
			l.readAnew(p, group)
		}
		if err := l.report(ctx, p, stamp, answers); err != nil {
			return err
		}
	}
	return nil
}

// readAnew makes a round's group be read from the beginning: only a snapshot finds who is not in it any more. A read that is
// one already does so by itself.
func (l *Lane) readAnew(p *pass, group string) {
	if p.snapshot == "" {
		l.forgetMembers(group)
	}
}

// answer says of each asked membership whether a complete list of the group's members has it. It reports false when one of
// them names nobody, or somebody of unknown kind who is not in the list.
func answer(asked, members []directory.Membership) ([]directory.Observation, bool) {
	there := map[string]directory.Membership{}
	for _, m := range members {
		if m.Present {
			there[m.ID] = m
		}
	}
	answers := make([]directory.Membership, 0, len(asked))
	for _, m := range asked {
		found, ok := there[m.ID]
		switch {
		case ok:
			m = found
		case m.Kind == "" || (m.ID == "" && m.Kind != directory.CustomerMember):
			return nil, false
		default:
			m.Present = false
		}
		answers = append(answers, m)
	}
	return observations(answers), true
}

func observations(members []directory.Membership) []directory.Observation {
	seen := make([]directory.Observation, len(members))
	for i := range members {
		seen[i] = directory.Observation{Membership: &members[i]}
	}
	return seen
}

// groupsOf returns the ids of the groups, each once, in order of appearance.
func groupsOf(members []directory.Membership) []string {
	var ids []string
	for _, m := range members {
		if !slices.Contains(ids, m.GroupID) {
			ids = append(ids, m.GroupID)
		}
	}
	return ids
}
