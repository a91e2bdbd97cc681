package ledger

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/rollcall-hq/rollcall/services/internal/search"
)

// found is a user on the list, or, with edge, the last one of those that were looked at.
type found struct {
	UserRow
	edge  bool
	place place
	seen  int // how many were looked at
}

// page returns the users behind a page.
func (l *usersList) page(after string, limit int) (UsersPage, error) {
	page := UsersPage{Unknown: l.unknown, Unread: l.unread}
	from, err := l.sort.placeOf(after)
	if err != nil {
		return page, err
	}
	var all []found
	var cut *place
	if l.selective() {
		all, err = l.sorted(from, limit+1)
	} else {
		all, cut, err = l.walk(from, limit+1)
	}
	if err != nil {
		return page, err
	}
	switch {
	case len(all) > limit:
		all = all[:limit]
		page.Next = all[limit-1].place.String()
	case cut != nil:
		page.Cut, page.Next = true, cut.String()
	}
	for _, f := range all {
		page.Users = append(page.Users, f.UserRow)
	}
	return page, nil
}

// sorted returns the first users of few that indexes find.
func (l *usersList) sorted(from *place, limit int) ([]found, error) {
	q := l.statement()
	direction := l.direction()
	s := l.sort
	where := q.listed()
	if from != nil {
		seg, compare := q.arg(from.Segment), fmt.Sprintf(`(%s, %s) %s (%s, %s)`, s.key, s.number, l.behind(), q.arg(s.keyOf(*from)), q.arg(from.Number))
		where += fmt.Sprintf(` AND (%s > %s OR %s = %s AND %s)`, s.segment(q), seg, s.segment(q), seg, compare)
	}
	query := `WITH c AS MATERIALIZED (` + q.union(l.few) + `),
		hits AS MATERIALIZED (SELECT u.id AS id, ` + s.segment(q) + ` AS seg, ` + s.key + ` AS k, ` + s.number + ` AS n
			FROM c CROSS JOIN users u` + q.decision() + q.period(s.period) + ` WHERE u.id = c.id AND ` + where + `
			ORDER BY seg, k` + direction + `, n` + direction + ` LIMIT ` + q.arg(limit) + `),
		page AS (SELECT id, seg, k, n, 0 AS edge, 0 AS seen FROM hits)
		` + q.details() + ` ORDER BY page.seg, page.k` + direction + `, page.n` + direction
	return l.read(query, q.args)
}

// walk returns the first users behind a place in the order of the list, and where it has stopped before it had so many.
func (l *usersList) walk(from *place, limit int) (all []found, cut *place, err error) {
	first := 0
	if from != nil {
		first = from.Segment
	}
	left := l.scan
	for i := first; i < len(l.sort.segments); i++ {
		if !l.sort.segments[i].facts.allow(l.Search) {
			from = nil
			continue
		}
		here, seen := len(all), 0
		for size := l.first; ; {
			size = min(size, left)
			part, edge, err := l.step(i, from, size, limit-len(all))
			if err != nil {
				return nil, nil, err
			}
			all = append(all, part...)
			if len(all) >= limit {
				return all, nil, nil
			}
			left -= edge.seen
			if edge.seen < size {
				break
			}
			from = &edge.place
			if left <= 0 {
				return all, from, nil
			}
			seen += edge.seen
			size *= 4
			if hits := len(all) - here; hits > 0 { // by what was found so far, half as many again should do
				size = min(size, max(l.first, (limit-len(all))*seen/hits*3/2))
			}
		}
		from = nil
	}
	return all, nil, nil
}

// step looks at some users of a segment behind a place, and returns those on the list and the last one that it looked at.
func (l *usersList) step(number int, from *place, size, limit int) (all []found, edge found, err error) {
	q, direction := l.statement(), l.direction()
	s := l.sort.segments[number]
	where := s.where(q) + q.narrowed(s)
	order := s.key + direction + `, ` + s.number + direction
	switch constant := s.key == "0" || s.key == "''"; {
	case constant && from != nil:
		where += fmt.Sprintf(` AND %s %s %s`, s.number, l.behind(), q.arg(from.Number))
		fallthrough
	case constant:
		order = s.number + direction
	case from != nil:
		where += fmt.Sprintf(` AND (%s, %s) %s (%s, %s)`, s.key, s.number, l.behind(), q.arg(l.sort.keyOf(*from)), q.arg(from.Number))
	}
	need := ""
	if s.need != "" {
		need = ` AND ` + s.need
	}
	query := `WITH s AS MATERIALIZED (SELECT ` + s.id + ` AS id, ` + s.key + ` AS k, ` + s.number + ` AS n FROM ` + s.table + ` s
			WHERE ` + where + ` ORDER BY ` + order + ` LIMIT ` + q.arg(size) + `),
		hits AS MATERIALIZED (SELECT s.id AS id, s.k AS k, s.n AS n FROM s CROSS JOIN users u` + q.decision() + `
			WHERE u.id = s.id AND ` + q.listed() + need + ` ORDER BY k` + direction + `, n` + direction + ` LIMIT ` + q.arg(limit) + `),
		page AS (SELECT id, k, n, 0 AS edge, 0 AS seen, ` + strconv.Itoa(number) + ` AS seg FROM hits
			UNION ALL SELECT id, k, n, 1, (SELECT COUNT(*) FROM s), ` + strconv.Itoa(number) + ` FROM (
				SELECT id, k, n FROM s ORDER BY k ` + l.backward() + `, n ` + l.backward() + ` LIMIT 1) AS t)
		` + q.details() + ` ORDER BY page.edge, page.k` + direction + `, page.n` + direction
	all, err = l.read(query, q.args)
	if n := len(all); n > 0 && all[n-1].edge {
		all, edge = all[:n-1], all[n-1]
	}
	return all, edge, err
}

// narrowed is what the index of a segment can find of the search: its users are sorted by what a part of that names.
func (q *statement) narrowed(s segment) (where string) {
	for _, t := range q.list.required() {
		switch column := s.facts.column; {
		case t.Field == search.Name && s.key == "s.name_key":
			where += ` AND ` + q.is("s.name_key", nameSought(t))
		case t.Field == search.Reason && column == search.Reason:
			where += ` AND s.reason = ` + q.arg(storable(t.Value))
		case t.Field == search.Is && column == search.Is && statuses[search.State(t.Value)] != "":
			where += ` AND s.status IN (` + statuses[search.State(t.Value)] + `)`
		}
	}
	return where
}

// period joins the period that began with the decision, as p.
func (q *statement) period(needed bool) string {
	switch {
	case !needed:
		return ""
	case q.list.at != 0: // the decision is one
		return ` LEFT JOIN history p ON p.product = e.product AND p.user_id = e.user_id AND p.sequence = e.sequence`
	default:
		return ` LEFT JOIN history p ON p.product = ` + q.arg(q.list.product) + ` AND p.user_id = u.id AND p.sequence = e.sequence`
	}
}

// details reads all that is shown of the users of a page.
func (q *statement) details() string {
	since := `COALESCE(e.since, 0)`
	if q.list.at != 0 { // the begin of the first period since which it was so
		since = `COALESCE((SELECT b.from_at FROM history b WHERE b.product = e.product AND b.user_id = e.user_id AND b.sequence <= e.sequence
			AND b.sequence > COALESCE((SELECT MAX(c.sequence) FROM history c WHERE c.product = e.product AND c.user_id = e.user_id
				AND c.sequence < e.sequence AND c.licensed <> e.licensed), 0) ORDER BY b.sequence LIMIT 1), 0)`
	}
	activated := `COALESCE(x.at, 0)`
	if q.list.at != 0 {
		activated = `CASE WHEN x.at <= ` + q.arg(q.list.at) + ` THEN x.at ELSE 0 END`
	}
	return `SELECT page.edge, page.seen, page.seg, page.k, page.n, u.ref, u.name, u.addresses, u.status, u.guest,
		COALESCE(e.licensed, 0), ` + since + `, ` + q.reason() + `, COALESCE(e.path, ''), COALESCE(p.from_at, 0), COALESCE(p.cause, ''),
		COALESCE(e.sequence, 0), ` + activated + `
		FROM page CROSS JOIN users u` + q.decision() + q.period(true) + `
		LEFT JOIN activations x ON x.product = ` + q.arg(q.list.product) + ` AND x.user_id = u.id
		WHERE u.id = page.id`
}

func (l *usersList) read(query string, args []any) (all []found, err error) {
	err = l.each(query, args, func(row scanner) error {
		var f found
		var key any
		err := row.Scan(&f.edge, &f.seen, &f.place.Segment, &key, &f.place.Number, &f.ID, &f.Name, scanLines(&f.Addresses), &f.Status, &f.Guest,
			&f.Licensed, scanMicros(&f.Since), &f.Reason, scanPath(&f.path), scanMicros(&f.Changed), &f.Cause, &f.Sequence, scanMicros(&f.Activated))
		if err == nil {
			f.place.Order = l.sort.name
			err = f.place.take(key)
		}
		all = append(all, f)
		return err
	})
	return all, err
}

// take stores the key that a database has given.
func (p *place) take(key any) (err error) {
	if n, isNumber := key.(int64); isNumber {
		p.Key = n
		return nil
	}
	p.Text, err = asText(key)
	return err
}

func (l *usersList) direction() string {
	if l.Descending {
		return " DESC"
	}
	return ""
}

func (l *usersList) backward() string {
	if l.Descending {
		return "ASC"
	}
	return "DESC"
}

// behind compares what comes later in the list with what comes before.
func (l *usersList) behind() string {
	if l.Descending {
		return "<"
	}
	return ">"
}

// union reads what several sources find, each user once.
func (q *statement) union(few []source) string {
	return `SELECT DISTINCT id FROM (` + q.all(few) + `) AS found`
}

// all reads what several sources find, a user as often as it is found.
func (q *statement) all(sources []source) string {
	texts := make([]string, len(sources))
	for i, s := range sources {
		texts[i] = s.find(q)
	}
	return strings.Join(texts, ` UNION ALL `)
}
