package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// UsagePoints is how many points Usage gives at most.
const UsagePoints = 1_000

// ErrManyPoints says that a step is too small for the time that is asked for.
var ErrManyPoints = errors.New("too many points: want a longer step or a shorter time")

// UsagePoint is how many users were licensed at a moment.
type UsagePoint struct {
	At   time.Time
	Used int
}

// Usage returns how many users were licensed for a product at from, a step later, and so on until to, which is the last point.
// A moment is as exact as a minute. It costs the same however many users there are: the ledger keeps the number for each
// minute in which it changed.
func (r *Reader) Usage(ctx context.Context, tenant, product string, from, to time.Time, step time.Duration) (points []UsagePoint, err error) {
	if step <= 0 || to.Sub(from)/step >= UsagePoints-1 {
		return nil, fmt.Errorf("steps of %s from %s to %s: %w", step, from.Format(time.RFC3339), to.Format(time.RFC3339), ErrManyPoints)
	}
	id, err := r.productID(ctx, tenant, product)
	if err != nil {
		return nil, err
	}
	err = r.snapshot(ctx, func(s snapshot) error {
		for at := from; !at.After(to); at = at.Add(step) {
			point, err := s.usage(id, at)
			if err != nil {
				return err
			}
			points = append(points, point)
		}
		if n := len(points); n > 0 && points[n-1].At.Equal(to) || from.After(to) {
			return nil
		}
		point, err := s.usage(id, to)
		points = append(points, point)
		return err
	})
	return points, err
}

func (s snapshot) usage(product int64, at time.Time) (UsagePoint, error) {
	p := UsagePoint{At: at}
	_, err := s.one(`SELECT used FROM usage WHERE product = $1 AND minute <= $2 ORDER BY minute DESC LIMIT 1`, []any{product, minuteOf(at)}, &p.Used)
	return p, err
}
