package lane

import (
	"context"
	"math/rand/v2"
	"sync"
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

// Budget is a bucket of requests, on the clock of whoever asks: one lane, or all lanes of an application, see Deps.App. A nil
// Budget has no bounds.
type Budget struct {
	limiter *rate.Limiter

	mu      sync.Mutex // of those who share it
	reserve float64
}

// NewBudget returns a full bucket of what is granted in a minute, or nil where that is not known.
func NewBudget(perMinute int) *Budget {
	if perMinute <= 0 {
		return nil
	}
	burst := max(2, int(atOnce*float64(perMinute)))
	return &Budget{limiter: rate.NewLimiter(rate.Limit(steady*float64(perMinute)/60), burst), reserve: reserve * float64(burst)}
}

// perSecond is how many requests come evenly; 0: as many as one likes.
func (b *Budget) perSecond() float64 {
	if b == nil {
		return 0
	}
	return float64(b.limiter.Limit())
}

// at returns when the next request may be sent: now, or later.
func (b *Budget) at(now time.Time, background bool) time.Time {
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
func (b *Budget) twice(requests int) time.Duration {
	if b == nil {
		return 0
	}
	return time.Duration(2 * float64(requests) / b.perSecond() * float64(time.Second))
}

// spend takes one request.
func (b *Budget) spend(now time.Time) {
	if b != nil {
		b.limiter.ReserveN(now, 1) // never in vain: burst is at least one
	}
}

// apart is how far those who wait for a shared budget in the background are spread, so that they do not all ask at once.
const apart = 250 * time.Millisecond

// take is for a budget that others share. Work in haste has its request in any case, and may send it at that time; background
// work has it only where the reserve is there, and asks again at that time otherwise.
func (b *Budget) take(now time.Time, background bool) (at time.Time, taken bool) {
	if b == nil {
		return now, true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	at = b.at(now, background)
	if at.After(now) && background {
		return at.Add(rand.N(apart)), false //nolint:gosec // G404: nobody gains by guessing it
	}
	b.spend(now)
	return at, true
}

// afford waits until a request of the pass may be sent, and takes it: from the tenant's own budget, and from that of the
// application. What has more haste goes before a patient pass meanwhile.
func (l *Lane) afford(ctx context.Context, p *pass) error {
	for {
		now, background := l.deps.Clock.Now(), p.background || p.patient
		at, taken := l.budget.at(now, background), false
		if !at.After(now) {
			if at, taken = l.deps.App.take(now, background); taken {
				l.budget.spend(now)
			}
		}
		switch {
		case taken && !at.After(now):
			return nil
		case taken:
			return l.pause(ctx, at.Sub(now))
		case !p.patient:
			if err := l.pause(ctx, at.Sub(now)); err != nil {
				return err
			}
		default:
			l.wait(ctx, at)
			if err := ctx.Err(); err != nil {
				return err
			}
			l.between(ctx)
		}
	}
}
