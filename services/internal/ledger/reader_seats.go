package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
)

// SeatsMoment is an event of a product after which other seats are used, or were purchased. They come in the order of
// their sequence.
type SeatsMoment struct {
	Sequence uint64
	At       time.Time
	Delta    int              // of the used seats: 1 or -1, or 0 where Seats are set
	Seats    *licensing.Seats // from here on; nil where Delta is set
}

// SeatsMoments calls each for all changes of the seats of a product, from its first event on. One scan of the history
// finds them, by what each period says other than the one before it, and the database sorts them: nothing here is as large
// as the history.
func (r *Reader) SeatsMoments(ctx context.Context, tenant, product string, each func(SeatsMoment) error) error {
	id, err := r.productID(ctx, tenant, product)
	if err != nil {
		return err
	}
	const query = `SELECT sequence, moment, delta, data FROM (
		SELECT sequence, from_at AS moment,
			licensed - COALESCE(LAG(licensed) OVER (PARTITION BY user_id ORDER BY sequence), 0) AS delta, '' AS data
		FROM history WHERE product = $1
		UNION ALL SELECT sequence, at, 2, data FROM records WHERE product = $1 AND type = $2) AS moments
		WHERE delta <> 0 ORDER BY sequence`
	rows, err := r.db.QueryContext(ctx, query, id, event.TypeSeatsChanged)
	return eachRow(query, rows, err, func(row scanner) error {
		var m SeatsMoment
		var data string
		if err := row.Scan(&m.Sequence, scanMicros(&m.At), &m.Delta, &data); err != nil {
			return err
		}
		if data != "" {
			m.Delta = 0
			if m.Seats, err = seatsOf(data); err != nil {
				return fmt.Errorf("record %d: %w", m.Sequence, err)
			}
		}
		return each(m)
	})
}

func seatsOf(data string) (*licensing.Seats, error) {
	var changed event.SeatsChanged
	if err := json.Unmarshal([]byte(data), &changed); err != nil {
		return nil, err
	}
	seats := licensing.Seats{Purchased: licensing.Unlimited, Enforce: changed.Enforce}
	if changed.Purchased != nil {
		seats.Purchased = *changed.Purchased
	}
	return &seats, nil
}

// InLine is one user who waits for a seat.
type InLine struct {
	Place     int64 // in the order of joining; never used again
	User      string
	Name      string
	Addresses []string
}

// Line returns up to limit users who wait for a seat of a product behind a place, the first in line first, and how many
// wait in all.
func (r *Reader) Line(ctx context.Context, tenant, product string, after int64, limit int) (line []InLine, waiting int, err error) {
	id, err := r.productID(ctx, tenant, product)
	if err != nil {
		return nil, 0, err
	}
	if err := r.db.QueryRowContext(ctx, `SELECT COUNT(*) FROM waiting WHERE product = $1`, id).Scan(&waiting); err != nil {
		return nil, 0, fmt.Errorf("count who waits for %s of %s: %w", product, tenant, err)
	}
	const query = `SELECT w.place, u.ref, u.name, u.addresses FROM waiting w JOIN users u ON u.id = w.user_id
		WHERE w.product = $1 AND w.place > $2 ORDER BY w.place LIMIT $3`
	rows, err := r.db.QueryContext(ctx, query, id, after, limit)
	err = eachRow(query, rows, err, func(row scanner) error {
		var w InLine
		err := row.Scan(&w.Place, &w.User, &w.Name, scanLines(&w.Addresses))
		line = append(line, w)
		return err
	})
	return line, waiting, err
}
