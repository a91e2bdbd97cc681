package lease

import (
	"context"
	"sync"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
)

// session is one life of a member: from when it takes a slot until it gives it back, or could not renew it in time. All its
// leases end with it. It is trusted for two thirds of the TTL after the last sign of life was sent, while others wait for
// the whole after they have seen it: the last third is for what is in hand, and for clocks that run at different speeds.
type session struct {
	slot  int
	n     int64
	life  time.Duration
	clock clock.Clock
	ctx   context.Context //nolint:containedctx // of all the session's leases, which end with it
	end   context.CancelFunc

	mu   sync.Mutex
	sent time.Time // when the last sign of life that was stored was sent
}

// newSession is of a slot that was asked for at the given time.
func newSession(ctx context.Context, c clock.Clock, ttl time.Duration, slot int, n int64, sent time.Time) *session {
	s := &session{slot: slot, n: n, life: ttl * 2 / 3, clock: c, sent: sent}
	s.ctx, s.end = context.WithCancel(ctx)
	return s
}

// watch ends the session's context when it is over, and returns when it has ended.
func (s *session) watch() {
	for {
		left := s.left()
		if left <= 0 {
			s.end()
		}
		timer := s.clock.NewTimer(left)
		select {
		case <-s.ctx.Done():
			timer.Stop()
			return
		case <-timer.C():
		}
	}
}

func (s *session) valid() bool { return s.ctx.Err() == nil && s.left() > 0 }

func (s *session) left() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.life - elapsed(s.sent, s.clock.Now())
}

// renewed notes that a sign of life that was sent at the given time is stored. A session that was over stays so.
func (s *session) renewed(sent time.Time) {
	if !s.valid() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if sent.After(s.sent) {
		s.sent = sent
	}
}

// elapsed is the longer of what the monotonic clock and the calendar say. The first stands still while the machine sleeps,
// the second may be set back.
func elapsed(since, now time.Time) time.Duration {
	return max(now.Sub(since), now.Round(0).Sub(since.Round(0)))
}
