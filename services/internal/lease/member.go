package lease

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// member is one Run. Everything but the holds happens in its one goroutine.
type member struct {
	cfg     Config
	deps    Deps
	metrics *metrics
	role    string
	keys    int
	hold    Hold
	log     *slog.Logger

	watcher  jetstream.KeyWatcher
	view     view
	session  *session  // nil: not a member now
	beatAt   time.Time // when the next sign of life is due
	beat     int64     // the number of the last one, and when it was sent
	beatSent time.Time

	holds    map[int]*holding // by key, until the hold has returned
	ended    chan ended
	stopping bool
	fault    error

	refused map[string]uint64 // the revision of a record that was another one when it was to be written, by its key
	echo    uint64            // a revision that is known to be there and the watch has yet to show; 0: none
	echoAt  time.Time         // by when it must, or the watch is dead
	restAt  time.Time         // after trouble: nothing is written before
	cool    map[int]time.Time // keys whose hold returned early are left alone until then
}

// holding is a lease at work.
type holding struct {
	session  *session
	stop     context.CancelFunc
	giving   bool        // stop was called
	returned atomic.Bool // the hold has
}

// ended says that a hold has returned.
type ended struct {
	key int
	err error
}

func (m *member) run(ctx context.Context) error {
	defer m.closeWatcher()
	m.metrics.held.WithLabelValues(m.role).Set(0)
	m.metrics.losses.WithLabelValues(m.role).Add(0)
	stop := ctx.Done()
	for {
		next := m.work(ctx)
		if m.stopping && len(m.holds) == 0 {
			m.part(ctx)
			return m.fault
		}
		timer := m.deps.Clock.NewTimer(next.Sub(m.deps.Clock.Now()))
		select {
		case <-stop:
			stop = nil
			m.stop()
		case <-m.over():
			m.lost(ctx)
		case entry, open := <-m.updates():
			m.heard(entry, open)
		case e := <-m.ended:
			m.returned(ctx, e)
		case <-timer.C():
		}
		timer.Stop()
	}
}

// work does all that can be done now, and returns when there may be more to do by itself.
func (m *member) work(ctx context.Context) time.Time {
	for {
		now := m.deps.Clock.Now()
		if m.restAt.After(now) {
			return m.restAt
		}
		did, next, err := m.step(ctx, now)
		switch {
		case err != nil:
			m.log.WarnContext(ctx, "leases wait for NATS", "error", err)
			m.restAt = now.Add(m.cfg.TTL / 15)
		case !did:
			return next
		case len(m.updates()) > 0: // what was heard comes first
			return now
		}
	}
}

// step does the first thing that is due, if any; if not, next is when something will be.
func (m *member) step(ctx context.Context, now time.Time) (did bool, next time.Time, err error) {
	later := now.Add(m.cfg.TTL)
	if m.echo != 0 && m.echoAt.Before(now) {
		m.closeWatcher() // it is dead, or its bucket is another one now
	}
	switch {
	case m.isOver():
		m.lost(ctx)
		return true, later, nil
	case m.watcher == nil && !m.stopping:
		return true, later, m.watch(ctx)
	case !m.view.complete, m.session == nil && m.stopping:
		return false, later, nil
	case m.session == nil:
		return m.join(ctx, now)
	case !m.beatAt.After(now):
		if did, err = m.renew(ctx, now); did || err != nil {
			return did, later, err
		}
	default:
		later = m.beatAt
	}
	if m.stopping {
		return false, later, nil
	}
	did, suspect, err := m.bury(ctx, now)
	if did || err != nil {
		return did, later, err
	}
	did, cooled, err := m.balance(ctx, now)
	return did, earliest(later, suspect, cooled), err
}

// isOver reports whether there is a session that must not be acted upon any more.
func (m *member) isOver() bool {
	return m.session != nil && (!m.session.valid() || m.view.complete && !m.mine(m.view.slots[m.session.slot].record))
}

// mine reports whether a slot is in the life that is this session's.
func (m *member) mine(s slotRecord) bool {
	return s.N == m.session.n && s.Owner == m.cfg.Owner && !s.Ended
}

// watch opens the view of the bucket anew.
func (m *member) watch(ctx context.Context) error {
	w, err := m.deps.KV.Watch(ctx, m.role+".>")
	if err != nil {
		return fmt.Errorf("watch the leases: %w", err)
	}
	m.watcher, m.view, m.refused, m.echo = w, newView(m.role, m.keys), map[string]uint64{}, 0
	return nil
}

func (m *member) closeWatcher() {
	if m.watcher != nil {
		_ = m.watcher.Stop()
	}
	m.watcher, m.echo = nil, 0
}

func (m *member) updates() <-chan jetstream.KeyValueEntry {
	if m.watcher == nil {
		return nil
	}
	return m.watcher.Updates()
}

func (m *member) heard(entry jetstream.KeyValueEntry, open bool) {
	switch {
	case !open:
		m.closeWatcher()
	case entry == nil:
		m.view.complete = true
	default:
		if entry.Revision() >= m.echo {
			m.echo = 0
		}
		m.view.note(entry.Key(), entry.Value(), entry.Revision(), m.deps.Clock.Now())
		m.heardSelf()
	}
}

// heardSelf renews the session by a sign of life of its own, the answer to which may have been lost.
func (m *member) heardSelf() {
	if m.session == nil {
		return
	}
	if r := m.view.slots[m.session.slot].record; m.mine(r) && r.Beat == m.beat {
		m.session.renewed(m.beatSent)
	}
}

// over tells of the end of the session.
func (m *member) over() <-chan struct{} {
	if m.session == nil || m.stopping {
		return nil
	}
	return m.session.ctx.Done()
}

// lost gives up the session: its leases are somebody else's to take. The holds end by their context.
func (m *member) lost(ctx context.Context) {
	m.session.end()
	n := 0
	for _, h := range m.holds {
		if h.session == m.session && !h.giving {
			n++
		}
	}
	if r := m.view.slots[m.session.slot].record; r.Owner == m.cfg.Owner && r.N > m.session.n {
		m.log.ErrorContext(ctx, "another process has the same identity: every process needs a data folder of its own")
	}
	m.log.WarnContext(ctx, "could not show a sign of life in time: leases are lost", "leases", n)
	m.metrics.losses.WithLabelValues(m.role).Add(float64(n))
	m.metrics.held.WithLabelValues(m.role).Set(0)
	m.session = nil
	m.closeWatcher() // whoever could not be heard for a while has the whole TTL again
	m.restAt = m.deps.Clock.Now().Add(m.cfg.TTL / 15)
}

// stop ends all holds. The session lives on until they have returned.
func (m *member) stop() {
	m.stopping = true
	for _, h := range m.holds {
		h.stop()
		h.giving = true
	}
}

// start has hold work on a key.
func (m *member) start(ctx context.Context, key int, epoch int64) {
	work, stop := context.WithCancel(m.session.ctx)
	context.AfterFunc(ctx, stop) // the session goes on then, until the holds have returned
	h := &holding{session: m.session, stop: stop}
	m.holds[key] = h
	m.gauge()
	m.log.InfoContext(ctx, "lease taken", "key", key, "epoch", epoch)
	go func() {
		err := m.guarded(work, Lease{Key: key, Epoch: epoch, held: h})
		h.returned.Store(true)
		m.ended <- ended{key: key, err: err}
	}()
}

func (m *member) guarded(ctx context.Context, l Lease) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return m.hold(ctx, l)
}

// returned sees to a hold that has returned. It may have been the first to notice that the session is over: then its lease is
// lost like the others, and none of them is given back.
func (m *member) returned(ctx context.Context, e ended) {
	if m.isOver() {
		m.lost(ctx)
	}
	m.finished(ctx, e)
}

// finished gives a lease back whose hold has returned. While all of this ends, the end of the session does it for all.
func (m *member) finished(ctx context.Context, e ended) {
	h := m.holds[e.key]
	delete(m.holds, e.key)
	h.stop()
	m.gauge()
	if e.err != nil && !errors.Is(e.err, context.Canceled) {
		m.fault = errors.Join(m.fault, fmt.Errorf("%s %d: %w", m.role, e.key, e.err))
		m.stop()
	}
	if !h.giving && h.session == m.session && h.session.valid() && ctx.Err() == nil {
		m.log.WarnContext(ctx, "work on a lease ended by itself", "key", e.key, "again_in", m.cfg.TTL)
		m.cool[e.key] = m.deps.Clock.Now().Add(m.cfg.TTL)
	}
}

func (m *member) gauge() {
	n := 0
	for _, h := range m.holds {
		if h.session == m.session {
			n++
		}
	}
	m.metrics.held.WithLabelValues(m.role).Set(float64(n))
}

func earliest(times ...time.Time) time.Time {
	first := times[0]
	for _, t := range times[1:] {
		if !t.IsZero() && t.Before(first) {
			first = t
		}
	}
	return first
}
