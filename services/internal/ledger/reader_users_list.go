package ledger

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/search"
)

// usersList answers one question about a list of users.
//
// An index finds few users for a selective part of the search: they are looked at one by one, and sorted. Where no part is
// selective enough, so that what is asked for is common, the users are walked in the order of the list until a page is full.
type usersList struct {
	snapshot
	UsersQuery
	userBounds
	sort    usersSort
	tenant  int64
	product int64
	mode    licensing.Mode
	at      int64 // 0: now
	groups  map[string]groupSought
	unknown []string
	unread  []string
	few     []source // that find everybody who is asked for; none: no index does
	found   int      // by few, and counted no further than one more than set
}

func (r *Reader) usersList(s snapshot, q UsersQuery, b userBounds) (*usersList, error) {
	l := &usersList{snapshot: s, UsersQuery: q, userBounds: b, at: micros(q.At), groups: map[string]groupSought{}}
	found, err := s.one(`SELECT id FROM tenants WHERE name = $1`, []any{storable(q.Tenant)}, &l.tenant)
	if err == nil && !found {
		err = fmt.Errorf("tenant %s: %w", q.Tenant, ErrNoTenant)
	}
	if err != nil {
		return nil, err
	}
	found, err = s.one(`SELECT id, mode FROM products WHERE tenant = $1 AND name = $2`, []any{l.tenant, storable(q.Product)}, &l.product, &l.mode)
	if err == nil && !found {
		err = fmt.Errorf("tenant %s: %w: %q", q.Tenant, ErrNoProduct, q.Product)
	}
	if err != nil {
		return nil, err
	}
	if l.sort, err = l.sortOf(); err != nil {
		return nil, err
	}
	if err = l.seek(q.Search); err != nil {
		return nil, err
	}
	return l, l.estimate()
}

// selective reports whether indexes find everybody who is asked for, and those are few.
func (l *usersList) selective() bool { return l.few != nil && l.found <= l.set }

// statement is a query in the making, with its arguments.
type statement struct {
	list *usersList
	args []any
}

func (l *usersList) statement() *statement { return &statement{list: l} }

// arg adds an argument and returns how it is written.
func (q *statement) arg(v any) string {
	q.args = append(q.args, v)
	return "$" + strconv.Itoa(len(q.args))
}

// decision joins the decision about a user, as e. It has no row for one who was never licensed.
func (q *statement) decision() string { return ` LEFT JOIN ` + q.decided("e", "ON") }

// decided is the decision about a user, as is said, if there is one.
func (q *statement) decided(as, on string) string {
	of := fmt.Sprintf(` %s %s %s.product = %s AND %s.user_id = u.id`, as, on, as, q.arg(q.list.product), as)
	if q.list.at == 0 {
		return `entitlements` + of
	}
	return `history` + of + ` AND ` + q.then(as)
}

// then is what is so of the period of a user that the moment is in. The plus signs keep planners from an index by time: each
// user has a few periods, which the key finds.
func (q *statement) then(period string) string {
	at := q.arg(q.list.at)
	return fmt.Sprintf(`+%s.from_at <= %s AND (+%s.to_at IS NULL OR +%s.to_at > %s)`, period, at, period, period, at)
}

// listed is what is so of every user of the list. Only of one who is deleted is the decision looked up for it.
func (q *statement) listed() string {
	var in string
	switch {
	case search.Mentions(q.list.Search, asksForDeleted):
		in = `u.status <> ''`
	default:
		in = `(u.status NOT IN ('', 'deleted') OR u.status = 'deleted' AND ` + some(q.decided("d", "WHERE")+` AND d.licensed = 1`) + `)`
	}
	in = `u.tenant = ` + q.arg(q.list.tenant) + ` AND ` + in
	if q.list.Search != nil {
		in += ` AND ` + q.where(q.list.Search)
	}
	return in
}

func asksForDeleted(t search.Term) bool {
	switch t.Field {
	case search.Is, search.Reason:
		return t.Value == string(directory.Deleted)
	case search.ID:
		return true
	default:
		return false
	}
}

// where is an expression as a condition on u and e, which is never NULL.
func (q *statement) where(n search.Node) string {
	switch n := n.(type) {
	case search.All:
		return q.each(n, ` AND `)
	case search.Any:
		return q.each(n, ` OR `)
	case search.Not:
		return `NOT ` + q.where(n.Node)
	case search.Term:
		return `(` + q.term(n) + `)`
	default:
		panic(fmt.Sprintf("a search expression has a %T in it", n))
	}
}

func (q *statement) each(parts []search.Node, by string) string {
	texts := make([]string, len(parts))
	for i, part := range parts {
		texts[i] = q.where(part)
	}
	return `(` + strings.Join(texts, by) + `)`
}

func (q *statement) term(t search.Term) string {
	switch t.Field {
	case search.Word:
		return q.is("u.name_key", nameSought(t)) + ` OR ` + q.addressed(addressSought(t))
	case search.Name:
		return q.is("u.name_key", nameSought(t))
	case search.Email:
		return q.addressed(addressSought(t))
	case search.ID:
		return `u.ref = ` + q.arg(storable(t.Value))
	case search.Group:
		return q.inGroup(q.list.groups[t.Value])
	case search.Reason:
		if licensedBy[licensing.Reason(t.Value)] { // which was decided
			return `COALESCE(e.reason, '') = ` + q.arg(storable(t.Value))
		}
		return q.reason() + ` = ` + q.arg(storable(t.Value))
	case search.Is:
		return q.state(search.State(t.Value))
	default:
		panic("a search expression has the field " + string(t.Field) + " in it")
	}
}

// some reports whether there is such a row. The offset keeps planners from finding all such rows first, of everybody, to look
// them up there.
func some(rows string) string { return `EXISTS (SELECT 1 FROM ` + rows + ` LIMIT 1 OFFSET 0)` }

// is compares a column with a text, or with what it begins with.
func (q *statement) is(column string, s sought) string {
	if !s.prefix {
		return column + ` = ` + q.arg(s.text)
	}
	return column + ` >= ` + q.arg(s.text) + ` AND ` + column + ` < ` + q.arg(s.end())
}

// addressed reports whether one of the addresses of a user, a line each, is what is sought. They are at hand, where each of them
// had to be looked up; and REPLACE finds in every database what is there to the byte.
func (q *statement) addressed(s sought) string {
	if strings.Contains(s.text, "\n") {
		return `1 = 0`
	}
	lines, line := "'\n' || u.addresses", "\n"+s.text
	if !s.prefix {
		lines, line = lines+" || '\n'", line+"\n"
	}
	return `u.addresses <> '' AND REPLACE(` + lines + `, ` + q.arg(line) + `, '') <> ` + lines
}

func (q *statement) state(s search.State) string {
	product := func() string { return q.arg(q.list.product) }
	switch s {
	case search.Licensed:
		return `COALESCE(e.licensed, 0) = 1`
	case search.Guest:
		return `u.guest = 1`
	case search.Waiting:
		return some(`waiting w WHERE w.product = ` + product() + ` AND w.user_id = u.id`)
	case search.Activated:
		seen := `activations x WHERE x.product = ` + product() + ` AND x.user_id = u.id`
		if q.list.at != 0 {
			seen += ` AND x.at <= ` + q.arg(q.list.at)
		}
		return some(seen)
	case search.Held:
		held := `COALESCE(e.reason, '') = 'held'`
		if q.list.at == 0 {
			held += ` OR ` + some(`held_users y WHERE y.held IN (`+q.open()+`) AND y.user_id = u.id AND y.listed = 1`)
		}
		return held
	default:
		return `u.status IN (` + statuses[s] + `)`
	}
}

// statuses are those of a user who is in a state that the directory alone tells.
var statuses = map[search.State]string{
	search.Active: `'active'`, search.Suspended: `'archived', 'suspended'`, search.Archived: `'archived'`, search.Deleted: `'deleted'`,
}

// open are the held changes of the product that wait.
func (q *statement) open() string {
	return `SELECT id FROM held WHERE product = ` + q.arg(q.list.product) + ` AND state = 'open'`
}

// reason is why a decision is as it is. Of one who was never licensed it is what licensing.Decide says.
func (q *statement) reason() string {
	if q.list.at != 0 {
		return `COALESCE(e.reason, '')`
	}
	otherwise := licensing.NotAMember
	if q.list.mode == licensing.AllUsers {
		otherwise = ReasonNotDecided
	}
	return fmt.Sprintf(`CASE WHEN e.reason IS NOT NULL THEN e.reason
		WHEN %s THEN '%s'
		WHEN u.status IN ('suspended', 'archived') THEN '%s' WHEN u.status = 'deleted' THEN '%s' WHEN u.guest = 1 THEN '%s' ELSE '%s' END`,
		q.state(search.Waiting), licensing.OverSeatLimit, licensing.Suspended, licensing.Deleted, licensing.Guest, otherwise)
}
