package lane

import (
	"context"
	"time"

	"golang.org/x/time/rate"
)

// How the requests that the provider grants a minute are spent. A burst and what comes in a minute after it are together
// 0.95 of them, whatever minute one looks at: others may read the same directory too.
const (
	steady  = 0.80 // of the requests come evenly
	atOnce  = 0.15 // of them may be saved up and sent in a burst
	reserve = 0.50 // of the burst is for work in haste: background work waits until that much is there
)

// budget is a bucket of requests on the lane's clock. A nil budget has no bounds.
type budget struct {
	limiter *rate.Limiter
	reserve float64
}

func newBudget(perMinute int) *budget {
	if perMinute <= 0 {
		return nil
	}
	burst := max(2, int(atOnce*float64(perMinute)))
	return &budget{limiter: rate.NewLimiter(rate.Limit(steady*float64(perMinute)/60), burst), reserve: reserve * float64(burst)}
}

// perSecond is how many requests come evenly; 0: as many as one likes.
func (b *budget) perSecond() float64 {
	if b == nil {
		return 0
	}
	return float64(b.limiter.Limit())
}

// at returns when the next request may be sent: now, or later.
func (b *budget) at(now time.Time, background bool) time.Time {
	if b == nil {
		return now
	}
	need := 1.0
	if background {
		need += b.reserve
	}
	missing := need - b.limiter.TokensAt(now)
	if missing <= 1e-9 {
		return now
	}
	return now.Add(time.Duration(missing/float64(b.limiter.Limit())*float64(time.Second)) + time.Microsecond)
}

// twice returns in which time twice as many requests come in.
func (b *budget) twice(requests int) time.Duration {
	if b == nil {
		return 0
	}
	return time.Duration(2 * float64(requests) / b.perSecond() * float64(time.Second))
}

// spend takes one request.
func (b *budget) spend(now time.Time) {
	if b != nil {
		b.limiter.ReserveN(now, 1) // never in vain: burst is at least one
	}
}

// afford waits until a request of the pass may be sent, and takes it. What has more haste goes before a patient pass
// meanwhile.
func (l *Lane) afford(ctx context.Context, p *pass) error {
	for {
		now := l.deps.Clock.Now()
		at := l.budget.at(now, p.background || p.patient)
		if !at.After(now) {
			l.budget.spend(now)
			return nil
		}
		if !p.patient {
			if err := l.pause(ctx, at.Sub(now)); err != nil {
				return err
			}
			continue
		}
		l.wait(ctx, at)
		if err := ctx.Err(); err != nil {
			return err
		}
		l.between(ctx)
	}
}
