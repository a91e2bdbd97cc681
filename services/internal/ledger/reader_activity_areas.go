package ledger

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

// licenseArea is the area of decisions: the ledger keeps them apart from all other events.
const licenseArea = "license"

// activity collects the events of one page.
type activity struct {
	q      ActivityQuery
	limit  int // of each product and kind
	scan   int
	events []Audited
	cut    *place // behind which nothing was looked at; nil: everything was
}

// read adds the newest events of a product before a place.
func (a *activity) read(s snapshot, product int64, name string, before place) error {
	add := func(row scanner) error {
		e := Audited{Product: name, product: product}
		var data string
		err := row.Scan(&e.Sequence, &e.Type, scanMicros(&e.At), &e.Cause, &e.User, &e.Name, &e.Licensed, &e.Reason, scanPath(&e.path), &data)
		if data != "" {
			e.Data = json.RawMessage(data)
		}
		a.events = append(a.events, e)
		return err
	}
	args := []any{product, before.Key, before.Number, a.limit}
	switch a.q.Area {
	case licenseArea:
		return s.each(activityDecisions, args, add)
	case "":
		if err := s.each(activityDecisions, args, add); err != nil {
			return err
		}
		return s.each(activityRecords+activityNewest, args, add)
	}
	least := place{Key: -1}
	found, err := s.one(`SELECT at, sequence FROM records WHERE product = $1 AND (at, sequence) < ($2, $3)`+activityNewest+` OFFSET $5`,
		[]any{product, before.Key, before.Number, 1, a.scan - 1}, &least.Key, &least.Number)
	if err != nil {
		return err
	}
	if least.Order, least.Segment = "activity", int(product); found && (a.cut == nil || a.cut.before(least)) {
		a.cut = &least
	}
	return s.each(activityRecords+` AND (at, sequence) >= ($5, $6) AND type LIKE $7`+activityNewest,
		append(args, least.Key, least.Number, "io.rollcall."+likely(a.q.Area)+".%"), add)
}

// before reports whether a place is before another one, in the order of time.
func (p place) before(other place) bool {
	return cmp.Or(cmp.Compare(p.Key, other.Key), cmp.Compare(p.Segment, other.Segment), cmp.Compare(p.Number, other.Number)) < 0
}

func placeOfEvent(e Audited) place {
	return place{Order: "activity", Key: micros(e.At), Segment: int(e.product), Number: int64(e.Sequence)} //nolint:gosec // a sequence stays far below 2^63
}

// page makes a page of what was collected. What stands behind the place up to which all products were looked at is left for the next.
func (a *activity) page(limit int) (page ActivityPage) {
	slices.SortFunc(a.events, func(x, y Audited) int {
		return -cmp.Or(x.At.Compare(y.At), cmp.Compare(x.product, y.product), cmp.Compare(x.Sequence, y.Sequence))
	})
	page.Events = a.events
	if a.cut != nil {
		page.Events = slices.DeleteFunc(page.Events, func(e Audited) bool { return placeOfEvent(e).before(*a.cut) })
		page.Next = a.cut.String()
	}
	if len(page.Events) > limit {
		page.Events = page.Events[:limit]
		page.Next = placeOfEvent(page.Events[limit-1]).String()
	}
	return page
}

const (
	activityDecisions = `SELECT a.sequence, CASE
			WHEN a.licensed = (SELECT b.licensed FROM history b WHERE b.product = a.product AND b.user_id = a.user_id
				AND b.sequence < a.sequence ORDER BY b.sequence DESC LIMIT 1) THEN '` + event.TypeLicenseReasonChanged + `'
			WHEN a.licensed = 1 THEN '` + event.TypeLicenseGranted + `' ELSE '` + event.TypeLicenseRevoked + `' END,
			a.from_at, a.cause, u.ref, u.name, a.licensed, a.reason, a.path, ''
		FROM (SELECT * FROM history WHERE product = $1 AND (from_at, sequence) < ($2, $3)
			ORDER BY from_at DESC, sequence DESC LIMIT $4) AS a CROSS JOIN users u WHERE u.id = a.user_id`
	activityRecords = `SELECT sequence, type, at, cause, '', '', 0, '', '', CASE WHEN type = '` + event.TypeHeldListed + `' THEN '' ELSE data END
		FROM records WHERE product = $1 AND (at, sequence) < ($2, $3)`
	activityNewest = ` ORDER BY at DESC, sequence DESC LIMIT $4`
)
