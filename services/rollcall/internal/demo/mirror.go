package demo

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
)

// mirror follows what sync has observed, for changes that cause no license event. It keeps only when each thing was seen.
type mirror struct {
	bus    *bus.Bus
	tenant string

	mu      sync.Mutex
	seen    map[string]time.Time
	changed chan struct{} // closed and replaced with each page
}

func newMirror(b *bus.Bus, tenant string) *mirror {
	return &mirror{bus: b, tenant: tenant, seen: map[string]time.Time{}, changed: make(chan struct{})}
}

// catchUp reads what earlier runs have left; follow goes on behind it until ctx ends.
func (m *mirror) catchUp(ctx context.Context) (last uint64, err error) {
	return m.read(ctx, bus.ReadSpec{})
}

func (m *mirror) follow(ctx context.Context, last uint64) error {
	_, err := m.read(ctx, bus.ReadSpec{FromSequence: last + 1, Follow: true})
	return err
}

func (m *mirror) read(ctx context.Context, spec bus.ReadSpec) (last uint64, err error) {
	spec.Stream = bus.LedgerIn
	spec.Filters = []string{"directory.*." + m.tenant + ".page", "command.*." + m.tenant + ".refreshed"}
	err = m.bus.Read(ctx, spec, func(msg bus.Message) error {
		last = msg.Sequence
		if msg.Fault != nil {
			return nil
		}
		if msg.Event.Type() == event.TypeRefreshCompleted {
			m.see(nil, "refreshed "+event.Cause(msg.Event))
			return nil
		}
		data, err := event.Data[event.DirectoryObserved](msg.Event)
		if err != nil {
			return err
		}
		m.see(data.Observations)
		return nil
	})
	return last, err
}

func (m *mirror) see(observations []event.Observation, more ...string) {
	now := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	note := func(what string) {
		if _, known := m.seen[what]; !known {
			m.seen[what] = now
		}
	}
	for _, what := range more {
		note(what)
	}
	for _, o := range observations {
		switch {
		case o.User != nil:
			for _, a := range o.User.Addresses {
				note("user " + o.User.ID + " " + a)
			}
		case o.Group != nil && o.Group.Deleted:
			note("gone " + o.Group.ID)
		case o.Group != nil:
			note("group " + o.Group.ID)
		case o.Membership != nil && o.Membership.Present:
			note("member " + o.Membership.GroupID + " " + o.Membership.MemberID)
		}
	}
	close(m.changed)
	m.changed = make(chan struct{})
}

// knows reports whether a group was observed.
func (m *mirror) knows(group string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return !m.seen["group "+group].IsZero()
}

// group waits until the group was observed and returns when that was; the others likewise.
func (m *mirror) group(ctx context.Context, id string) (time.Time, error) {
	return m.await(ctx, "group "+id)
}

func (m *mirror) address(ctx context.Context, user, address string) (time.Time, error) {
	return m.await(ctx, "user "+user+" "+address)
}

func (m *mirror) membership(ctx context.Context, group, user string) (time.Time, error) {
	return m.await(ctx, "member "+group+" "+user)
}

func (m *mirror) gone(ctx context.Context, group string) (time.Time, error) {
	return m.await(ctx, "gone "+group)
}

func (m *mirror) refreshed(ctx context.Context, command string) (time.Time, error) {
	return m.await(ctx, "refreshed "+command)
}

func (m *mirror) await(ctx context.Context, what string) (time.Time, error) {
	for {
		m.mu.Lock()
		at, changed := m.seen[what], m.changed
		m.mu.Unlock()
		if !at.IsZero() {
			return at, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return at, fmt.Errorf("wait until it is seen: %w", ctx.Err())
		}
	}
}
