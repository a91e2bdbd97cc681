package ledger

import (
	"context"
	"fmt"
	"math"
)

// ActivityQuery says which events of a tenant are listed, the newest first.
type ActivityQuery struct {
	Tenant  string
	Product string // empty: of all
	Area    string // of their types, such as "held" of io.rollcall.held.opened.v1; empty: all
	Before  string // ActivityPage.Next of the page before; empty: the newest
	Limit   int
}

// ActivityPage is one page of events. Of an event.TypeHeldListed, which can be very long, there is no Data. Where an area is
// asked for that is rare among many others, it may come out short, or empty, and go on all the same.
type ActivityPage struct {
	Events []Audited
	Next   string // for the page of older ones; empty: there is none
}

// Activity returns up to Limit events of a tenant's products, the newest first: license events, and all others that went to
// LICENSES. It costs the same however many there are.
func (r *Reader) Activity(ctx context.Context, q ActivityQuery) (page ActivityPage, err error) {
	return r.activityPage(ctx, q, activityScan)
}

// activityScan is how many records of a product are looked at for a page of one area. Decisions, of which there are most, have
// an area of their own, and are not looked at for another.
const activityScan = 10_000

func (r *Reader) activityPage(ctx context.Context, q ActivityQuery, scan int) (page ActivityPage, err error) {
	limit, before := max(q.Limit, 1), place{Key: math.MaxInt64}
	if q.Before != "" {
		if before, err = readPlace(q.Before, "activity"); err != nil {
			return page, err
		}
	}
	a := activity{q: q, limit: limit + 1, scan: scan}
	err = r.snapshot(ctx, func(s snapshot) error {
		products, err := s.productsOf(q.Tenant, q.Product)
		for id, name := range products {
			if err == nil {
				err = a.read(s, id, name, before.bound(id))
			}
		}
		return err
	})
	if err != nil {
		return ActivityPage{}, err
	}
	page = a.page(limit)
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
