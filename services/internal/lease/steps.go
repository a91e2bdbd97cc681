package lease

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// put writes a record if it still has the revision that the view knows. Refused, it is left alone until the view knows
// better. did says that something was written.
func (m *member) put(ctx context.Context, key string, record any, revision uint64) (did bool, err error) {
	if at, is := m.refused[key]; is && at == revision {
		return false, nil
	}
	body, err := json.Marshal(record)
	if err != nil {
		return false, fmt.Errorf("write %s: %w", key, err)
	}
	patience := max(m.cfg.TTL/5, time.Second) // of the machine's own time
	if m.stopping {                           // ctx has ended, and what is held is to be given back
		ctx, patience = context.WithoutCancel(ctx), time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	next, err := m.deps.KV.Update(ctx, key, body, revision)
	switch {
	case errors.Is(err, jetstream.ErrKeyExists), errors.Is(err, jetstream.ErrKeyRevisionMismatch):
		m.refused[key] = revision
		m.expect(revision + 1)
		return false, nil
	case err != nil:
		return false, fmt.Errorf("write %s: %w", key, err)
	}
	delete(m.refused, key)
	m.expect(next)
	m.view.note(key, body, next, m.deps.Clock.Now())
	return true, nil
}

// expect has the watch show a revision, or a later one, in time.
func (m *member) expect(revision uint64) {
	if m.echo == 0 && m.watcher != nil {
		m.echo, m.echoAt = revision, m.deps.Clock.Now().Add(m.cfg.TTL)
	}
}

// join takes a slot: the one that this owner had, or else the first that nobody has.
func (m *member) join(ctx context.Context, now time.Time) (did bool, next time.Time, err error) {
	slot := m.vacancy()
	before := m.view.slots[slot]
	n := before.record.N
	for _, l := range m.view.leases {
		if l.record.Slot == slot {
			n = max(n, l.record.N) // of a slot whose record was lost
		}
	}
	record := slotRecord{N: n + 1, Owner: m.cfg.Owner, Name: m.cfg.Name, TTL: m.cfg.TTL}
	did, err = m.put(ctx, m.slotKey(slot), record, before.revision)
	if did {
		m.session = newSession(context.WithoutCancel(ctx), m.deps.Clock, m.cfg.TTL, slot, n+1, now)
		m.beat, m.beatSent, m.beatAt = 0, now, now.Add(m.cfg.TTL/5)
		go m.session.watch()
	}
	return did, now.Add(m.cfg.TTL), err
}

func (m *member) vacancy() int {
	for slot, s := range m.view.slots {
		if s.record.Owner == m.cfg.Owner && m.view.lives(slot) {
			return slot
		}
	}
	slot := 0
	for m.view.lives(slot) {
		slot++
	}
	return slot
}

// renew shows a sign of life.
func (m *member) renew(ctx context.Context, now time.Time) (did bool, err error) {
	s := m.view.slots[m.session.slot]
	s.record.Beat = max(s.record.Beat, m.beat) + 1 // each is sent once, so that it is known when
	m.beat, m.beatSent = s.record.Beat, now
	if did, err = m.put(ctx, m.slotKey(m.session.slot), s.record, s.revision); did {
		m.session.renewed(now)
		m.beatAt = now.Add(m.cfg.TTL / 5)
	}
	return did, err
}

// bury ends the life of the first member that has shown no sign of it for its TTL. One that has shown one meanwhile is
// another revision, and lives. suspect is when the next may have to go.
func (m *member) bury(ctx context.Context, now time.Time) (did bool, suspect time.Time, err error) {
	for slot, s := range m.view.slots {
		if slot == m.session.slot || !m.view.lives(slot) {
			continue
		}
		if due := s.seen.Add(cmp.Or(s.record.TTL, m.cfg.TTL)); due.After(now) {
			suspect = earliest(due, suspect)
			continue
		}
		name := s.record.Name
		s.record.Ended = true
		did, err = m.put(ctx, m.slotKey(slot), s.record, s.revision)
		if did {
			m.log.WarnContext(ctx, "a member shows no sign of life: its leases are free", "name", name)
		}
		if did || err != nil {
			return did, time.Time{}, err
		}
	}
	return false, suspect, nil
}

// balance gives back one lease too many, or takes one too few. cooled is when a key may be taken that is left alone now.
func (m *member) balance(ctx context.Context, now time.Time) (did bool, cooled time.Time, err error) {
	share := shares(m.keys, m.view.held())[m.session.slot]
	active := 0
	for _, h := range m.holds {
		if h.session == m.session && !h.giving {
			active++
		}
	}
	if active > share {
		m.giveOne()
		return true, time.Time{}, nil
	}
	for i := range m.keys {
		key := (m.session.slot*(m.keys/2+1) + i) % m.keys // members begin at different keys, to be in each other's way less
		if m.holds[key] != nil {
			continue
		}
		l := m.view.leases[key]
		mine := l.record.N == m.session.n && l.record.Slot == m.session.slot
		switch at := m.cool[key]; {
		case !mine && !m.view.free(key):
			continue
		case at.After(now) || active >= share:
			if at.After(now) {
				cooled = earliest(at, cooled)
			}
			if mine { // its hold has returned, or it was stored when it seemed not to be
				did, err = m.release(ctx, key)
			}
		default:
			did, err = m.take(ctx, key, now)
		}
		if did || err != nil {
			return did, time.Time{}, err
		}
	}
	return false, cooled, nil
}

// giveOne has the hold of the last key end. The lease goes when it has returned.
func (m *member) giveOne() {
	for key := m.keys - 1; key >= 0; key-- {
		if h := m.holds[key]; h != nil && h.session == m.session && !h.giving {
			h.stop()
			h.giving = true
			m.log.Info("lease is given back", "key", key)
			return
		}
	}
}

func (m *member) release(ctx context.Context, key int) (did bool, err error) {
	l := m.view.leases[key]
	return m.put(ctx, m.leaseKey(key), leaseRecord{Epoch: l.record.Epoch}, l.revision)
}

// take makes a free key this member's, in its next epoch.
func (m *member) take(ctx context.Context, key int, now time.Time) (did bool, err error) {
	l := m.view.leases[key]
	last := l.record.Epoch
	if l.revision == 0 {
		if last, err = m.earlier(ctx, key); err != nil {
			return false, err
		}
	}
	epoch := max(last+1, now.UnixMilli())
	record := leaseRecord{Epoch: epoch, Slot: m.session.slot, N: m.session.n}
	did, err = m.put(ctx, m.leaseKey(key), record, l.revision)
	if did && m.session.valid() {
		delete(m.cool, key)
		m.start(ctx, key, epoch)
	}
	return did, err
}

// earlier returns the last epoch of a key before there were leases: a bare number under <role>-p<key>.
func (m *member) earlier(ctx context.Context, key int) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, max(m.cfg.TTL/5, time.Second))
	defer cancel()
	entry, err := m.deps.KV.Get(ctx, fmt.Sprintf("%s-p%02d", m.role, key))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the epoch of an earlier version: %w", err)
	}
	epoch, err := strconv.ParseInt(string(entry.Value()), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read the epoch of an earlier version: %w", err)
	}
	return epoch, nil
}

// part gives the slot back, and with it everything that this member held.
func (m *member) part(ctx context.Context) {
	if m.session == nil {
		return
	}
	defer m.session.end()
	s := m.view.slots[m.session.slot]
	if !m.mine(s.record) {
		return
	}
	s.record.Ended = true
	if _, err := m.put(ctx, m.slotKey(m.session.slot), s.record, s.revision); err != nil {
		m.log.WarnContext(ctx, "leases are given back by running out", "error", err)
	}
}
