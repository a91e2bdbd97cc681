package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

// AuditQuery says which changes are asked for. Empty fields are no limit, but Tenant has to be there.
type AuditQuery struct {
	Tenant  string
	Product string
	User    string // the provider's id
	Since   time.Time
	Until   time.Time // not included
}

// Audited is one event of a product on LICENSES, as the ledger remembers it.
type Audited struct {
	Product  string
	Sequence uint64
	Type     string
	At       time.Time
	Cause    string // id of the event that caused it

	// Of license events.
	User     string // the provider's id
	Name     string // as the mirror knows it now
	Licensed bool
	Reason   string
	Path     []PathGroup

	Data json.RawMessage // of all others: the event's

	product int64
	path    []int64
}

// auditPage is how many changes one query finds. There is no index by time, which would cost every decision a row: each
// page scans what it looks for anew, and is large for that.
const auditPage = 50_000

// Audit calls each for every change that is asked for, in the order of time. Of a user these are its license events, and
// the records that name it.
func (r *Reader) Audit(ctx context.Context, q AuditQuery, each func(Audited) error) error {
	return r.audit(ctx, q, auditPage, each)
}

func (r *Reader) audit(ctx context.Context, q AuditQuery, size int, each func(Audited) error) error {
	query, args, err := r.auditQuery(ctx, q, size)
	if err != nil {
		return err
	}
	groups := map[int64]PathGroup{}
	last := Audited{At: q.Since.Add(-time.Microsecond), product: math.MaxInt64}
	if q.Since.IsZero() {
		last.At = time.Time{}
	}
	for more := true; more; {
		page, err := r.audited(ctx, query, append(args, micros(last.At), last.product, int64(last.Sequence))...) //nolint:gosec // a sequence stays far below 2^63
		if err != nil {
			return err
		}
		more = len(page) == size
		for _, a := range page {
			last = a
			if a.Path, err = r.pathGroups(ctx, a.path, groups); err != nil {
				return err
			}
			names, err := r.recall(ctx, &a, q.User)
			if err == nil && names {
				err = each(a)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// auditQuery returns the query for one page, and all of its arguments but where the page begins.
func (r *Reader) auditQuery(ctx context.Context, q AuditQuery, size int) (query string, args []any, err error) {
	tenant, err := r.tenantID(ctx, q.Tenant)
	if err != nil {
		return "", nil, err
	}
	if q.Product != "" {
		if _, err := r.productID(ctx, q.Tenant, q.Product); err != nil {
			return "", nil, err
		}
	}
	until := int64(math.MaxInt64)
	if !q.Until.IsZero() {
		until = micros(q.Until)
	}
	args = []any{tenant, q.Product, until, size}
	ofUser, naming := "", ""
	if q.User != "" {
		u, err := r.FindUsers(ctx, q.Tenant, q.User)
		switch {
		case err != nil:
			return "", nil, err
		case len(u) != 1 || u[0].ID != q.User:
			return "", nil, fmt.Errorf("tenant %s: %w", q.Tenant, ErrNoUser)
		}
		args = append(args, u[0].id, `%"user":"`+likely(q.User)+`"%`)
		ofUser = ` AND h.user_id = $5`
		naming = fmt.Sprintf(` AND c.type IN ('%s', '%s', '%s') AND c.data LIKE $6`,
			event.TypeLineChanged, event.TypeUserActivated, event.TypeHeldListed)
	}
	n := len(args)
	begin := fmt.Sprintf("($%d, $%d, $%d)", n+1, n+2, n+3)
	const products = `(SELECT id FROM products WHERE tenant = $1 AND (name = $2 OR $2 = ''))`
	return `SELECT p.name, a.product, a.sequence, CASE
			WHEN a.type <> '' THEN a.type
			WHEN a.licensed = (SELECT b.licensed FROM history b WHERE b.product = a.product AND b.user_id = a.user_id
				AND b.sequence < a.sequence ORDER BY b.sequence DESC LIMIT 1) THEN '` + event.TypeLicenseReasonChanged + `'
			WHEN a.licensed = 1 THEN '` + event.TypeLicenseGranted + `' ELSE '` + event.TypeLicenseRevoked + `' END,
			a.moment, a.cause, COALESCE(u.ref, ''), COALESCE(u.name, ''), a.licensed, a.reason, a.path, a.data
		FROM (
			SELECT h.product, h.sequence, '' AS type, h.from_at AS moment, h.cause, h.user_id, h.licensed, h.reason, h.path, '' AS data
			FROM history h WHERE h.product IN ` + products + ofUser + ` AND h.from_at < $3 AND (h.from_at, h.product, h.sequence) > ` + begin + `
			UNION ALL SELECT c.product, c.sequence, c.type, c.at, c.cause, 0, 0, '', '',
				CASE WHEN c.type = '` + event.TypeHeldListed + `' THEN '' ELSE c.data END
			FROM records c WHERE c.product IN ` + products + naming + ` AND c.at < $3 AND (c.at, c.product, c.sequence) > ` + begin + `
			ORDER BY moment, product, sequence LIMIT $4
		) AS a JOIN products p ON p.id = a.product LEFT JOIN users u ON u.id = a.user_id
		ORDER BY a.moment, a.product, a.sequence`, args, nil
}

// recall reads a record that is too large to come with others, and says whether a record is of a user, where one is asked
// for. Of a list only the user's own lines are of interest then.
func (r *Reader) recall(ctx context.Context, a *Audited, user string) (bool, error) {
	if a.Type == event.TypeHeldListed {
		var data string
		if _, err := r.one(ctx, `SELECT data FROM records WHERE product = $1 AND sequence = $2`, []any{a.product, int64(a.Sequence)}, //nolint:gosec // as above
			&data); err != nil {
			return false, err
		}
		a.Data = json.RawMessage(data)
	}
	if user == "" || a.Data == nil {
		return true, nil
	}
	if a.Type == event.TypeLineChanged || a.Type == event.TypeUserActivated {
		var of struct{ User string }
		err := json.Unmarshal(a.Data, &of)
		return of.User == user, err
	}
	var list event.HeldListed
	if err := json.Unmarshal(a.Data, &list); err != nil {
		return false, err
	}
	list.Users = slices.DeleteFunc(list.Users, func(u event.HeldUser) bool { return u.User != user })
	data, err := json.Marshal(list)
	a.Data = data
	return len(list.Users) > 0, err
}

// likely is text for LIKE. What it finds too much, with letters of another case, is sorted out by whom it names.
func likely(text string) string {
	return strings.NewReplacer(`\`, `_`, `%`, `_`).Replace(text)
}

func (r *Reader) audited(ctx context.Context, query string, args ...any) (page []Audited, err error) {
	rows, err := r.db.QueryContext(ctx, query, args...)
	err = eachRow(query, rows, err, func(row scanner) error {
		var a Audited
		var data string
		err := row.Scan(&a.Product, &a.product, &a.Sequence, &a.Type, scanMicros(&a.At), &a.Cause, &a.User, &a.Name,
			&a.Licensed, &a.Reason, scanPath(&a.path), &data)
		if data != "" {
			a.Data = json.RawMessage(data)
		}
		page = append(page, a)
		return err
	})
	return page, err
}
