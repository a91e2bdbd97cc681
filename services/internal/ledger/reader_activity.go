package ledger

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

// ActivityQuery says which events of a tenant are listed, the newest first.
type ActivityQuery struct {
	Tenant  string
	Product string // empty: of all
	Before  string // ActivityPage.Next of the page before; empty: the newest
	Limit   int
}

// ActivityPage is one page of events. Of an event.TypeHeldListed, which can be very long, there is no Data.
type ActivityPage struct {
	Events []Audited
	Next   string // for the page of older ones; empty: there is none
}

// Activity returns up to Limit events of a tenant's products, the newest first: license events, and all others that went to
// LICENSES. It costs the same however many there are.
func (r *Reader) Activity(ctx context.Context, q ActivityQuery) (page ActivityPage, err error) {
	limit, before := max(q.Limit, 1), place{Key: math.MaxInt64}
	if q.Before != "" {
		if before, err = readPlace(q.Before, "activity"); err != nil {
			return page, err
		}
	}
	err = r.snapshot(ctx, func(s snapshot) error {
		products, err := s.productsOf(q.Tenant, q.Product)
		for id, name := range products {
			if err == nil {
				err = s.activity(&page, id, name, before.bound(id), limit+1)
			}
		}
		return err
	})
	if err != nil {
		return ActivityPage{}, err
	}
	slices.SortFunc(page.Events, func(a, b Audited) int {
		return -cmp.Or(a.At.Compare(b.At), cmp.Compare(a.product, b.product), cmp.Compare(a.Sequence, b.Sequence))
	})
	if len(page.Events) > limit {
		page.Events = page.Events[:limit]
		last := page.Events[limit-1]
		page.Next = place{Order: "activity", Key: micros(last.At), Segment: int(last.product), Number: int64(last.Sequence)}.String() //nolint:gosec // a sequence stays far below 2^63
	}
	known := map[int64]PathGroup{}
	for i := range page.Events {
		e := &page.Events[i]
		if e.Path, err = r.pathGroups(ctx, e.path, known); err != nil {
			return ActivityPage{}, err
		}
	}
	return page, nil
}

// bound is the place of a page's end among the events of one product: those before it are older. Events of one moment come in
// the order of their products.
func (p place) bound(product int64) place {
	switch {
	case product < int64(p.Segment):
		p.Number = math.MaxInt64
	case product > int64(p.Segment):
		p.Number = 0
	}
	return p
}

// productsOf returns the names of one product, or of all products, of a tenant.
func (s snapshot) productsOf(tenant, product string) (names map[int64]string, err error) {
	var id int64
	found, err := s.one(`SELECT id FROM tenants WHERE name = $1`, []any{storable(tenant)}, &id)
	if err == nil && !found {
		err = fmt.Errorf("tenant %s: %w", tenant, ErrNoTenant)
	}
	if err != nil {
		return nil, err
	}
	names = map[int64]string{}
	err = s.each(`SELECT id, name FROM products WHERE tenant = $1 AND (name = $2 OR $2 = '')`, []any{id, storable(product)}, func(row scanner) error {
		var id int64
		var name string
		err := row.Scan(&id, &name)
		names[id] = name
		return err
	})
	if err == nil && len(names) == 0 && product != "" {
		err = fmt.Errorf("tenant %s: %w: %q", tenant, ErrNoProduct, product)
	}
	return names, err
}

// activity adds the newest events of a product before a place.
func (s snapshot) activity(page *ActivityPage, product int64, name string, before place, limit int) error {
	add := func(row scanner) error {
		a := Audited{Product: name, product: product}
		var data string
		err := row.Scan(&a.Sequence, &a.Type, scanMicros(&a.At), &a.Cause, &a.User, &a.Name, &a.Licensed, &a.Reason, scanPath(&a.path), &data)
		if data != "" {
			a.Data = json.RawMessage(data)
		}
		page.Events = append(page.Events, a)
		return err
	}
	args := []any{product, before.Key, before.Number, limit}
	return errors.Join(
		s.each(`SELECT a.sequence, CASE
				WHEN a.licensed = (SELECT b.licensed FROM history b WHERE b.product = a.product AND b.user_id = a.user_id
					AND b.sequence < a.sequence ORDER BY b.sequence DESC LIMIT 1) THEN '`+event.TypeLicenseReasonChanged+`'
				WHEN a.licensed = 1 THEN '`+event.TypeLicenseGranted+`' ELSE '`+event.TypeLicenseRevoked+`' END,
				a.from_at, a.cause, u.ref, u.name, a.licensed, a.reason, a.path, ''
			FROM (SELECT * FROM history WHERE product = $1 AND (from_at, sequence) < ($2, $3)
				ORDER BY from_at DESC, sequence DESC LIMIT $4) AS a CROSS JOIN users u WHERE u.id = a.user_id`, args, add),
		s.each(`SELECT sequence, type, at, cause, '', '', 0, '', '', CASE WHEN type = '`+event.TypeHeldListed+`' THEN '' ELSE data END
			FROM records WHERE product = $1 AND (at, sequence) < ($2, $3) ORDER BY at DESC, sequence DESC LIMIT $4`, args, add))
}
