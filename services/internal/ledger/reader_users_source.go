package ledger

import (
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/search"
)

// source is one way to find, by an index, all users that may satisfy a part of a search.
type source struct {
	find  func(*statement) string // their numbers, as id
	exact bool                    // they all do, and are listed
}

// estimates is how many sources of a search are tried: counting what they find takes time too.
const estimates = 8

// estimate looks for the sources that find the fewest of all that find everybody.
func (l *usersList) estimate() error {
	e := &estimator{list: l, left: estimates}
	l.few, l.found = e.of(l.Search, l.set+1)
	return e.err
}

// estimator counts what sources find.
type estimator struct {
	list *usersList
	left int
	err  error
}

// of returns the sources of a part, and how many users they find, up to limit. It returns none where no index finds them.
func (e *estimator) of(n search.Node, limit int) (few []source, size int) {
	switch n := n.(type) {
	case search.All:
		size = limit
		for _, part := range n {
			if sources, s := e.of(part, size); sources != nil && (few == nil || s < size) {
				few, size = sources, s
			}
		}
		return few, size
	case search.Any:
		for _, part := range n {
			sources, s := e.of(part, limit)
			if sources == nil {
				return nil, 0
			}
			few, size = append(few, sources...), min(size+s, limit)
		}
		return few, size
	case search.Term:
		few = e.list.sources(n)
		for _, s := range few {
			size = min(size+e.count(s, limit-size), limit)
		}
		return few, size
	default:
		return nil, 0
	}
}

func (e *estimator) count(s source, limit int) (n int) {
	if e.err != nil || limit <= 0 {
		return limit
	}
	if e.left--; e.left < 0 {
		return limit
	}
	q := e.list.statement()
	_, e.err = e.list.one(`SELECT COUNT(*) FROM (SELECT id FROM (`+s.find(q)+`) AS a LIMIT `+q.arg(limit)+`) AS b`, q.args, &n)
	return n
}

// sources finds who may satisfy a term, or returns none.
func (l *usersList) sources(t search.Term) []source {
	names := source{find: func(q *statement) string {
		return `SELECT s.id AS id FROM users s WHERE ` + ofTheTenant(q) + ` AND ` + q.is("s.name_key", nameSought(t))
	}}
	addresses := source{find: func(q *statement) string {
		return `SELECT s.user_id AS id FROM user_addresses s WHERE ` + ofTheTenant(q) + ` AND ` + q.is("s.address", addressSought(t))
	}}
	switch t.Field {
	case search.Word:
		return []source{names, addresses}
	case search.Name:
		return []source{names}
	case search.Email:
		return []source{addresses}
	case search.ID:
		return []source{{find: func(q *statement) string {
			return `SELECT s.id AS id FROM users s WHERE ` + ofTheTenant(q) + ` AND s.ref = ` + q.arg(storable(t.Value))
		}}}
	case search.Group:
		return l.groups[t.Value].sources()
	case search.Reason:
		return l.because(licensing.Reason(t.Value))
	case search.Is:
		return l.inState(search.State(t.Value))
	default:
		return nil
	}
}

func (l *usersList) inState(s search.State) []source {
	switch s {
	case search.Licensed:
		return l.decided(is(`s.licensed = 1`), true)
	case search.Waiting:
		return []source{ofProduct("waiting")}
	case search.Activated:
		return []source{ofProduct("activations")}
	case search.Held:
		return append(l.because(licensing.Held), source{find: func(q *statement) string {
			return `SELECT s.user_id AS id FROM held_users s WHERE s.listed = 1 AND s.held IN (` + q.open() + `)`
		}})
	case search.Guest:
		return []source{inDirectory(`s.guest = 1 AND s.status IN (` + everyStatus + `)`)}
	default:
		return []source{inDirectory(`s.guest IN (0, 1) AND s.status IN (` + statuses[s] + `)`)}
	}
}

var everyStatus = quoted(directory.Active, directory.Archived, directory.Deleted, directory.Suspended)

func quoted[T ~string](all ...T) string {
	texts := make([]string, len(all))
	for i, one := range all {
		texts[i] = `'` + string(one) + `'`
	}
	return strings.Join(texts, ", ")
}

func inDirectory(where string) source {
	return source{exact: !strings.Contains(where, string(directory.Deleted)), find: func(q *statement) string {
		return `SELECT s.id AS id FROM users s WHERE ` + ofTheTenant(q) + ` AND ` + where
	}}
}

func ofProduct(table string) source {
	return source{find: func(q *statement) string {
		return `SELECT s.user_id AS id FROM ` + table + ` s WHERE ` + ofTheProduct(q)
	}}
}

// decided finds those about whom the decision is such a one; at another moment than now, also everybody about whom it
// has changed since.
func (l *usersList) decided(where func(*statement) string, exact bool) []source {
	stands := source{exact: exact && l.at == 0, find: func(q *statement) string {
		return ofProduct("entitlements").find(q) + ` AND ` + where(q)
	}}
	if l.at == 0 {
		return []source{stands}
	}
	return []source{stands, {find: func(q *statement) string {
		return `SELECT s.user_id AS id FROM history s WHERE ` + ofTheProduct(q) + ` AND s.from_at > ` + q.arg(l.at)
	}}}
}

// because finds who is, or is not, licensed for a reason, but those of whom the rules alone say that they are no members:
// nearly everybody may be such a one.
func (l *usersList) because(r licensing.Reason) []source {
	sources := l.decided(func(q *statement) string { return `s.licensed IN (0, 1) AND s.reason = ` + q.arg(storable(string(r))) }, false)
	if l.at != 0 {
		if r == "" {
			return nil
		}
		return sources
	}
	switch r {
	case licensing.NotAMember, ReasonNotDecided:
		return nil
	case licensing.Suspended:
		return append(sources, inDirectory(`s.guest IN (0, 1) AND s.status IN (`+statuses[search.Suspended]+`)`))
	case licensing.Deleted:
		return append(sources, inDirectory(`s.guest IN (0, 1) AND s.status = 'deleted'`))
	case licensing.Guest:
		return append(sources, inDirectory(`s.guest = 1 AND s.status IN (`+everyStatus+`)`))
	case licensing.OverSeatLimit:
		return append(sources, ofProduct("waiting"))
	default:
		return sources
	}
}

// count counts the list.
func (l *usersList) count() (UsersCount, error) {
	_, term := l.Search.(search.Term)
	switch {
	case l.Search == nil:
		return l.countExact(inDirectory(`s.guest IN (0, 1) AND s.status IN (`+quoted(directory.Active, directory.Archived, directory.Suspended)+`)`),
			inDirectory(`s.guest IN (0, 1) AND s.status = 'deleted'`))
	case term && len(l.few) == 1 && l.few[0].exact:
		return l.countExact(l.few[0])
	case l.selective():
		return l.countMany(l.few, l.set+1)
	case l.few != nil:
		return l.countMany(l.few, l.scan)
	default:
		return l.countMany([]source{inDirectory(`s.guest IN (0, 1) AND s.status IN (` + everyStatus + `)`)}, l.scan)
	}
}

// countExact counts what an index finds, all of whom are on the list, and who else is.
func (l *usersList) countExact(exact source, others ...source) (c UsersCount, err error) {
	e := &estimator{list: l, left: 1}
	if c.Users = e.count(exact, l.most+1); c.Users > l.most || e.err != nil {
		return UsersCount{Users: l.most, More: true}, e.err
	}
	if len(others) == 0 {
		return c, nil
	}
	rest, err := l.countMany(others, l.set+1)
	return UsersCount{Users: c.Users + rest.Users, More: rest.More}, err
}

// countMany counts among those whom indexes find, and looks at no more than so many. It ends before it looks for who was found
// twice: some databases find all of them first.
func (l *usersList) countMany(found []source, most int) (c UsersCount, err error) {
	q, seen := l.statement(), 0
	_, err = l.one(`WITH f AS MATERIALIZED (SELECT id FROM (`+q.all(found)+`) AS a LIMIT `+q.arg(most)+`), c AS MATERIALIZED (SELECT DISTINCT id FROM f)
		SELECT (SELECT COUNT(*) FROM f), (SELECT COUNT(*) FROM c CROSS JOIN users u`+q.decision()+` WHERE u.id = c.id AND `+q.listed()+`)`,
		q.args, &seen, &c.Users)
	c.More = seen >= most
	return c, err
}
