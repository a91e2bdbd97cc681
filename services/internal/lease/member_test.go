package lease

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
)

// A process that was stopped wakes up, and the work on one of its leases notices before the member does: it was lost all the
// same, with the others.
func TestLeaseWhoseWorkNoticesFirstIsLostToo(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC))
	m := &member{
		cfg: Config{TTL: 15 * time.Second}, deps: Deps{Clock: fake}, metrics: newMetrics(prometheus.NewRegistry()), role: "worker",
		log: slog.New(slog.DiscardHandler), view: newView("worker", 3), holds: map[int]*holding{}, cool: map[int]time.Time{},
	}
	m.session = newSession(t.Context(), fake, m.cfg.TTL, 0, 1, fake.Now())
	for key := range 3 {
		_, stop := context.WithCancel(m.session.ctx)
		m.holds[key] = &holding{session: m.session, stop: stop, giving: key == 2}
	}
	fake.Advance(m.cfg.TTL)
	for key := range 3 {
		m.returned(t.Context(), ended{key: key})
	}
	if lost := testutil.ToFloat64(m.metrics.losses.WithLabelValues("worker")); lost != 2 {
		t.Errorf("%v leases are lost, want the two that were not being given back", lost)
	}
	if m.session != nil || len(m.holds) != 0 || len(m.cool) != 0 {
		t.Errorf("left: session %v, %d holds, %d keys that are left alone", m.session, len(m.holds), len(m.cool))
	}
}
