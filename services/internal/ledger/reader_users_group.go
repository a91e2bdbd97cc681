package ledger

import (
	"slices"
	"strconv"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/search"
)

// groupSought is a group that a search names, with all that is in it.
type groupSought struct {
	groups []int64 // it and those inside it; none: there is no such group
	whole  bool    // one of them has the whole customer as a member
}

// counted is what is so of a membership m of a group g that counts.
const counted = `m.present = 1 AND (m.epoch, m.counter) > (g.since_epoch, g.since_counter)`

// seek finds the groups that a search names.
func (l *usersList) seek(n search.Node) (err error) {
	search.Mentions(n, func(t search.Term) bool {
		if _, known := l.groups[t.Value]; err == nil && t.Field == search.Group && !known {
			l.groups[t.Value], err = l.seekGroup(t.Value)
		}
		return false
	})
	return err
}

func (l *usersList) seekGroup(named string) (g groupSought, err error) {
	roots, err := l.numbers(`SELECT group_id FROM group_addresses WHERE tenant = $1 AND address = $2
		UNION SELECT id FROM groups WHERE tenant = $1 AND ref = $3 AND state = 'live'`, l.tenant, storable(directory.Address(named)), storable(named))
	if err != nil {
		return g, err
	}
	if len(roots) == 0 {
		l.unknown = append(l.unknown, named)
		return g, nil
	}
	kept, err := l.keptGroups(l.tenant)
	if err != nil {
		return g, err
	}
	if slices.ContainsFunc(roots, func(root int64) bool { return !slices.Contains(kept, root) }) {
		l.unread = append(l.unread, named)
	}
	if g.groups, err = l.inside(roots); err != nil {
		return g, err
	}
	g.whole, err = l.whole(g.groups)
	return g, err
}

// whole reports whether one of several groups has the whole customer as a member.
func (s snapshot) whole(groups []int64) (bool, error) {
	return s.one(`SELECT 1 FROM memberships m JOIN groups g ON g.id = m.group_id
		WHERE m.group_id IN (`+numberList(groups)+`) AND m.kind = 3 AND `+counted+` LIMIT 1`, nil, new(int))
}

// inside returns groups with all groups that are in them, however deep.
func (s snapshot) inside(roots []int64) ([]int64, error) {
	if len(roots) == 0 {
		return nil, nil
	}
	return s.numbers(`WITH RECURSIVE i AS (SELECT id FROM groups WHERE id IN (` + numberList(roots) + `)
		UNION SELECT m.member FROM i CROSS JOIN memberships m JOIN groups g ON g.id = m.group_id JOIN groups c ON c.id = m.member
			WHERE m.group_id = i.id AND m.kind = 2 AND ` + counted + ` AND c.state <> 'deleted')
		SELECT id FROM i`)
}

// keptGroups returns the groups of a tenant whose members the mirror keeps: provisioning groups, and those inside them.
func (s snapshot) keptGroups(tenant int64) ([]int64, error) {
	roots, err := s.numbers(`SELECT g.id FROM products p JOIN groups g ON g.tenant = p.tenant AND g.ref IN (p.policy_group, p.change_group)
		WHERE p.tenant = $1
		UNION SELECT a.group_id FROM products p JOIN group_addresses a ON a.tenant = p.tenant AND a.address = p.address WHERE p.tenant = $1`, tenant)
	if err != nil {
		return nil, err
	}
	return s.inside(roots)
}

// listed writes numbers into a statement.
func numberList(numbers []int64) string {
	texts := make([]string, len(numbers))
	for i, n := range numbers {
		texts[i] = strconv.FormatInt(n, 10)
	}
	return strings.Join(texts, ", ")
}

func (q *statement) inGroup(g groupSought) string {
	switch {
	case len(g.groups) == 0:
		return `1 = 0`
	case g.whole:
		return `1 = 1`
	default: // the plus sign keeps planners from looking for the user in one group after the other
		return some(`memberships m JOIN groups g ON g.id = m.group_id WHERE m.member = u.id AND m.kind = 1
			AND +m.group_id IN (` + numberList(g.groups) + `) AND ` + counted)
	}
}

// sources finds the members of the group.
func (g groupSought) sources() []source {
	if g.whole {
		return nil
	}
	return []source{{find: func(*statement) string {
		if len(g.groups) == 0 {
			return `SELECT s.id AS id FROM users s WHERE 1 = 0`
		}
		return `SELECT m.member AS id FROM memberships m JOIN groups g ON g.id = m.group_id
			WHERE m.group_id IN (` + numberList(g.groups) + `) AND m.kind = 1 AND ` + counted
	}}}
}
