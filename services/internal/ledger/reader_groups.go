package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// ErrNoGroup says that no group of the directory has that id or address.
var ErrNoGroup = errors.New("no such group in the directory")

// GroupsQuery says which groups of a tenant's directory are listed, by name.
type GroupsQuery struct {
	Tenant string
	// Search is what a name or an address begins with, without regard to case; empty: all.
	Search string
	After  string // GroupsPage.Next of the page before; empty: the first
	Limit  int
}

// GroupRow is one group of a list.
type GroupRow struct {
	ID        string // the provider's
	Name      string
	Addresses []string // the group's own first
	Kind      directory.GroupKind
	// Provisions are the products whose provisioning group it is, in force. Named are those that it would be of by its address.
	Provisions, Named []string
	// Kept: the mirror keeps the members. Of all other groups the counts are zero and say nothing.
	Kept      bool
	Direct    UsersCount // users who are members themselves; counted to 10,000
	Groups    int        // groups that are
	Effective UsersCount // users in it or in a group inside it, each once; counted to 10,000
	Whole     bool       // it holds the whole customer, directly or through a group

	number int64
	key    string
}

// GroupsPage is one page of a list.
type GroupsPage struct {
	Groups []GroupRow
	Next   string // for the page behind this one; empty: there is none
}

// Groups returns up to Limit groups of a list.
func (r *Reader) Groups(ctx context.Context, q GroupsQuery) (page GroupsPage, err error) {
	err = r.snapshot(ctx, func(s snapshot) error {
		g, err := s.groupsOf(q.Tenant)
		if err != nil {
			return err
		}
		page, err = g.page(q)
		return err
	})
	return page, err
}

// groups answers questions about the groups of a tenant.
type groups struct {
	snapshot
	tenant     int64
	kept       map[int64]bool
	provisions map[int64][]string
	named      map[int64][]string
}

func (s snapshot) groupsOf(tenant string) (g *groups, err error) {
	g = &groups{snapshot: s, kept: map[int64]bool{}, provisions: map[int64][]string{}, named: map[int64][]string{}}
	found, err := s.one(`SELECT id FROM tenants WHERE name = $1`, []any{storable(tenant)}, &g.tenant)
	if err == nil && !found {
		err = fmt.Errorf("tenant %s: %w", tenant, ErrNoTenant)
	}
	if err != nil {
		return nil, err
	}
	kept, err := s.keptGroups(g.tenant)
	if err != nil {
		return nil, err
	}
	for _, id := range kept {
		g.kept[id] = true
	}
	for into, query := range map[*map[int64][]string]string{
		&g.provisions: `SELECT g.id, p.name FROM products p JOIN groups g ON g.tenant = p.tenant AND g.ref = p.policy_group
			WHERE p.tenant = $1 AND p.mode = 'group-members' ORDER BY p.name`,
		&g.named: `SELECT a.group_id, p.name FROM products p JOIN group_addresses a ON a.tenant = p.tenant AND a.address = p.address
			WHERE p.tenant = $1 ORDER BY p.name`,
	} {
		err = errors.Join(err, s.each(query, []any{g.tenant}, func(row scanner) error {
			var id int64
			var product string
			err := row.Scan(&id, &product)
			(*into)[id] = append((*into)[id], product)
			return err
		}))
	}
	return g, err
}

const groupColumns = `g.id, g.ref, g.name, g.addresses, g.kind, g.name_key`

func (g *groups) read(query string, args ...any) (rows []GroupRow, err error) {
	err = g.each(query, args, func(row scanner) error {
		var r GroupRow
		err := row.Scan(&r.number, &r.ID, &r.Name, scanLines(&r.Addresses), &r.Kind, &r.key)
		rows = append(rows, r)
		return err
	})
	if err == nil {
		err = g.describe(rows)
	}
	return rows, err
}

func (g *groups) page(q GroupsQuery) (page GroupsPage, err error) {
	limit := max(q.Limit, 1)
	key, number, err := afterGroup(q.After)
	if err != nil {
		return page, err
	}
	name, address := sought{text: nameKey(storable(q.Search)), prefix: true}, sought{text: storable(directory.Address(q.Search)), prefix: true}
	const from, order = `SELECT ` + groupColumns + ` FROM `, ` g.tenant = $1 AND (g.name_key, g.id) > ($2, $3) AND g.state = 'live'
		ORDER BY g.name_key, g.id LIMIT $4`
	query, args := from+`groups g WHERE`+order, []any{g.tenant, key, number, limit + 1}
	if q.Search != "" {
		query = from + `(SELECT id FROM groups WHERE tenant = $1 AND name_key >= $5 AND name_key < $6
			UNION SELECT group_id FROM group_addresses WHERE tenant = $1 AND address >= $7 AND address < $8) AS f
			CROSS JOIN groups g WHERE g.id = f.id AND` + order
		args = append(args, name.text, name.end(), address.text, address.end())
	}
	rows, err := g.read(query, args...)
	if len(rows) > limit {
		last := rows[limit-1]
		rows, page.Next = rows[:limit], place{Order: "groups", Text: last.key, Number: last.number}.String()
	}
	page.Groups = rows
	return page, err
}

func afterGroup(next string) (key string, number int64, err error) {
	if next == "" {
		return "", 0, nil
	}
	p, err := readPlace(next, "groups")
	return p.Text, p.Number, err
}

// describe fills in what else is told of groups.
func (g *groups) describe(rows []GroupRow) error {
	var kept []int64
	at := map[int64]*GroupRow{}
	for i := range rows {
		r := &rows[i]
		if r.Provisions, r.Named, r.Kept = g.provisions[r.number], g.named[r.number], g.kept[r.number]; r.Kept {
			kept, at[r.number] = append(kept, r.number), r
		}
	}
	if len(kept) == 0 {
		return nil
	}
	const of = ` FROM memberships m WHERE m.group_id = g.id AND `
	err := g.each(`SELECT g.id, (SELECT COUNT(*) FROM (SELECT 1`+of+`m.kind = 1 AND `+counted+` LIMIT $1) AS a),
		(SELECT COUNT(*)`+of+`m.kind = 2 AND `+counted+`), (SELECT COUNT(*)`+of+`m.kind = 3 AND `+counted+`)
		FROM groups g WHERE g.id IN (`+numberList(kept)+`)`, []any{bounds.most + 1}, func(row scanner) error {
		var id int64
		var direct, inside int
		var whole bool
		if err := row.Scan(&id, &direct, &inside, &whole); err != nil {
			return err
		}
		r := at[id]
		r.Direct, r.Groups, r.Whole = UsersCount{min(direct, bounds.most), direct > bounds.most}, inside, whole
		r.Effective = r.Direct
		return nil
	})
	for _, r := range at {
		if err == nil && r.Groups > 0 {
			err = g.effective(r)
		}
	}
	return err
}

// effective counts who is in a group that others are in: of a large one it is known.
func (g *groups) effective(r *GroupRow) error {
	inside, err := g.inside([]int64{r.number})
	if err != nil {
		return err
	}
	if r.Whole, err = g.whole(inside); err != nil || r.Direct.More {
		return err
	}
	found, seen := 0, 0 // a user as often as there are ways to it: see countMany
	_, err = g.one(`WITH f AS MATERIALIZED (SELECT m.member FROM memberships m JOIN groups g ON g.id = m.group_id
			WHERE m.group_id IN (`+numberList(inside)+`) AND m.kind = 1 AND `+counted+` LIMIT $1)
		SELECT (SELECT COUNT(DISTINCT member) FROM f), (SELECT COUNT(*) FROM f)`, []any{bounds.most + 1}, &found, &seen)
	r.Effective = UsersCount{min(max(found, r.Direct.Users), bounds.most), seen > bounds.most}
	return err
}

// find returns the one group with an id or an address.
func (g *groups) find(named string) (GroupRow, error) {
	rows, err := g.read(`SELECT `+groupColumns+` FROM groups g WHERE g.tenant = $1 AND g.state = 'live' AND (g.ref = $2
		OR g.id IN (SELECT group_id FROM group_addresses WHERE tenant = $1 AND address = $3)) ORDER BY g.id`,
		g.tenant, storable(named), storable(directory.Address(named)))
	switch {
	case err != nil:
		return GroupRow{}, err
	case len(rows) == 0:
		return GroupRow{}, ErrNoGroup
	}
	if i := slices.IndexFunc(rows, func(r GroupRow) bool { return r.ID == named }); i > 0 {
		return rows[i], nil
	}
	return rows[0], nil
}

// GroupNode is a group with the groups that are members of it.
type GroupNode struct {
	GroupRow
	Inside []GroupNode
	// Again: the group is higher up, or has been shown before with all that is inside it.
	Again bool
}

// GroupTreeSize is how many groups GroupTree shows at most.
const GroupTreeSize = 200

// GroupTree returns a group, by its id or address, with the groups inside it, however deep, each with its own members once. It
// shows GroupTreeSize groups at most; more says that there are others.
func (r *Reader) GroupTree(ctx context.Context, tenant, named string) (root GroupNode, more bool, err error) {
	err = r.snapshot(ctx, func(s snapshot) error {
		g, err := s.groupsOf(tenant)
		if err != nil {
			return err
		}
		row, err := g.find(named)
		if err != nil {
			return err
		}
		t := groupTree{groups: g, seen: map[int64]bool{}, left: GroupTreeSize - 1}
		root, err = t.node(row)
		more = t.more
		return err
	})
	return root, more, err
}

type groupTree struct {
	*groups
	seen map[int64]bool
	left int // how many groups may yet be shown
	more bool
}

func (t *groupTree) node(row GroupRow) (n GroupNode, err error) {
	n.GroupRow, n.Again = row, t.seen[row.number]
	if n.Again {
		return n, nil
	}
	t.seen[row.number] = true
	inside, err := t.read(`SELECT c.id, c.ref, c.name, c.addresses, c.kind, c.name_key FROM memberships m JOIN groups g ON g.id = m.group_id
		JOIN groups c ON c.id = m.member WHERE m.group_id = $1 AND m.kind = 2 AND `+counted+` AND c.state <> 'deleted'
		ORDER BY c.name_key, c.id LIMIT $2`, row.number, t.left+1)
	for _, row := range inside {
		if t.more = t.more || t.left == 0; err != nil || t.left == 0 {
			break
		}
		t.left--
		var child GroupNode
		child, err = t.node(row)
		n.Inside = append(n.Inside, child)
	}
	return n, err
}

// GroupMembers returns up to limit users who are members of a group themselves, by its id or address, in the order in which the
// mirror came to know them, behind a page's next. Whoever no read has shown has an id alone.
func (r *Reader) GroupMembers(ctx context.Context, tenant, named, after string, limit int) (users []UserState, next string, err error) {
	limit = max(limit, 1)
	_, number, err := afterGroup(after)
	if err != nil {
		return nil, "", err
	}
	err = r.snapshot(ctx, func(s snapshot) error {
		g, err := s.groupsOf(tenant)
		if err != nil {
			return err
		}
		row, err := g.find(named)
		if err != nil {
			return err
		}
		return s.each(`SELECT `+userColumns+` FROM (SELECT m.member FROM memberships m JOIN groups g ON g.id = m.group_id
				WHERE m.group_id = $1 AND m.kind = 1 AND m.member > $2 AND `+counted+` ORDER BY m.member LIMIT $3) AS l
			CROSS JOIN users u WHERE u.id = l.member ORDER BY u.id`, []any{row.number, number, limit + 1}, func(row scanner) error {
			var u UserState
			err := row.Scan(&u.id, &u.tenant, &u.ID, &u.Name, scanLines(&u.Addresses), &u.Status, &u.Guest, &u.Stamp.Epoch, &u.Stamp.Counter)
			users = append(users, u)
			return err
		})
	})
	if err == nil && len(users) > limit {
		users = users[:limit]
		next = place{Order: "groups", Number: users[limit-1].id}.String()
	}
	return users, next, err
}

// String is the tree by ids: a(b c(d)), with … behind what has been shown before.
func (n GroupNode) String() string {
	text := n.ID
	if n.Again {
		return text + "…"
	}
	if len(n.Inside) > 0 {
		parts := make([]string, len(n.Inside))
		for i, child := range n.Inside {
			parts[i] = child.String()
		}
		text += "(" + strings.Join(parts, " ") + ")"
	}
	return text
}
