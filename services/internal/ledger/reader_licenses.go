package ledger

import (
	"context"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// License is what a user held at a moment, and how the mirror knows the user now.
type License struct {
	User      string // the provider's id
	Name      string
	Addresses []string
	Status    directory.Status
	Since     time.Time // licensed without a break
	From      time.Time // for that reason
	Reason    string
	Path      []PathGroup
	Cause     string // id of the event that caused it
	Sequence  uint64 // of the license event
}

// PathGroup is one group on the way from the provisioning group to a user.
type PathGroup struct {
	ID   string // the provider's
	Name string
}

// historyPage is how many periods one query reads. A reader that is slow to take them holds up no checkpoint meanwhile.
const historyPage = 10_000

// Licenses calls each for everyone who held a license for a product at a moment, in the order in which the mirror came to
// know them. It reads the history once, from one end to the other, and holds no more of it than a page.
func (r *Reader) Licenses(ctx context.Context, tenant, product string, at time.Time, each func(License) error) error {
	return r.licenses(ctx, tenant, product, at, historyPage, each)
}

func (r *Reader) licenses(ctx context.Context, tenant, product string, at time.Time, size int, each func(License) error) error {
	id, err := r.productID(ctx, tenant, product)
	if err != nil {
		return err
	}
	s := licenseScan{groups: map[int64]PathGroup{}, each: func(l License, path []int64, groups map[int64]PathGroup) error {
		if l.Path, err = r.pathGroups(ctx, path, groups); err != nil {
			return err
		}
		return each(l)
	}}
	for more := true; more; {
		page, err := r.periodsAfter(ctx, id, at, s.user, s.sequence, size)
		if err != nil {
			return err
		}
		more = len(page) == size
		for _, p := range page {
			if err := s.take(p); err != nil {
				return err
			}
		}
	}
	return s.flush()
}

// userPeriod is one row of the history with whose it is.
type userPeriod struct {
	License
	user     int64
	licensed bool
	path     []int64
}

func (r *Reader) periodsAfter(ctx context.Context, product int64, at time.Time, user int64, sequence uint64, size int) (page []userPeriod, err error) {
	const query = `SELECT h.user_id, h.sequence, h.from_at, h.licensed, h.reason, h.path, h.cause, u.ref, u.name, u.addresses, u.status
		FROM (SELECT user_id, sequence, from_at, licensed, reason, path, cause FROM history
			WHERE product = $1 AND (user_id, sequence) > ($2, $3) AND from_at <= $4 ORDER BY user_id, sequence LIMIT $5) AS h
		JOIN users u ON u.id = h.user_id ORDER BY h.user_id, h.sequence`
	rows, err := r.db.QueryContext(ctx, query, product, user, int64(sequence), micros(at), size) //nolint:gosec // a sequence stays far below 2^63
	err = eachRow(query, rows, err, func(row scanner) error {
		var p userPeriod
		err := row.Scan(&p.user, &p.Sequence, scanMicros(&p.From), &p.licensed, &p.Reason, scanPath(&p.path), &p.Cause,
			&p.User, &p.Name, scanLines(&p.Addresses), &p.Status)
		page = append(page, p)
		return err
	})
	return page, err
}

// licenseScan folds the periods of one user after another: the last one that had begun by the moment is what held then.
type licenseScan struct {
	user     int64
	sequence uint64
	last     *userPeriod
	since    time.Time
	groups   map[int64]PathGroup
	each     func(License, []int64, map[int64]PathGroup) error
}

func (s *licenseScan) take(p userPeriod) error {
	if s.last != nil && p.user != s.user {
		if err := s.flush(); err != nil {
			return err
		}
	}
	if s.last == nil || !s.last.licensed {
		s.since = p.From
	}
	s.user, s.sequence, s.last = p.user, p.Sequence, &p
	return nil
}

// flush hands on what the periods of a user come to.
func (s *licenseScan) flush() error {
	last := s.last
	s.last = nil
	if last == nil || !last.licensed {
		return nil
	}
	last.Since = s.since
	return s.each(last.License, last.path, s.groups)
}

// pathGroups names the groups of a path, asking for each group once.
func (r *Reader) pathGroups(ctx context.Context, path []int64, known map[int64]PathGroup) (groups []PathGroup, err error) {
	for _, id := range path {
		g, found := known[id]
		if !found {
			if _, err := r.one(ctx, `SELECT ref, name FROM groups WHERE id = $1`, []any{id}, &g.ID, &g.Name); err != nil {
				return nil, err
			}
			known[id] = g
		}
		groups = append(groups, g)
	}
	return groups, nil
}
