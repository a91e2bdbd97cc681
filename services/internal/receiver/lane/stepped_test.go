package lane

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/receivertest"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/state"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// leap is a clock on which nobody ever waits: a timer takes the clock to its time and fires.
type leap struct{ now time.Time }

func (c *leap) Now() time.Time                         { return c.now }
func (c *leap) After(d time.Duration) <-chan time.Time { return c.NewTimer(d).C() }

func (c *leap) NewTimer(d time.Duration) clock.Timer {
	if d > 0 {
		c.now = c.now.Add(d)
	}
	fired := make(leapt, 1)
	fired <- c.now
	return fired
}

type leapt chan time.Time

func (t leapt) C() <-chan time.Time      { return t }
func (t leapt) Stop() bool               { return false }
func (t leapt) Reset(time.Duration) bool { return false }

// stepped is a lane that does one piece of work at a time, in the test's own goroutine, and a ledger of what it tells.
type stepped struct {
	t       *rapid.T
	id      string
	traits  receiver.Traits
	clock   *leap
	dir     *receivertest.Directory
	kv      jetstream.KeyValue
	lane    *Lane
	epoch   int64
	counter uint64
	seq     uint64

	lose      func() bool             // whether the next event is not stored; nil: all are
	published map[string]bool         // events, by id
	moments   map[directory.Stamp]int // when they were taken, by the directory

	users   map[string]told[directory.User]
	groups  map[string]told[directory.Group]
	members map[[2]string]told[directory.Membership]
	asked   []event.ReadRequested // what a worker would ask for after a snapshot
	// unproven says that a candidate could not be read: it stays until the next complete read.
	unproven bool
}

// told is what was last told of a thing.
type told[T any] struct {
	stamp    directory.Stamp
	snapshot string
	value    T
}

const (
	provisioning = "virtru-secure-share-provisioning-group@contoso.com"
	elsewhere    = "elsewhere@contoso.com"
)

func newStepped(t *rapid.T, kv jetstream.KeyValue, id string, traits receiver.Traits) *stepped {
	return &stepped{
		t: t, id: id, kv: kv, traits: traits, clock: &leap{time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}, epoch: 1,
		dir:       &receivertest.Directory{Journals: traits.Journals, PageSize: rapid.IntRange(1, 4).Draw(t, "page")},
		published: map[string]bool{}, moments: map[directory.Stamp]int{}, users: map[string]told[directory.User]{}, groups: map[string]told[directory.Group]{},
		members: map[[2]string]told[directory.Membership]{},
	}
}

func (s *stepped) Epoch() int64 { return s.epoch }

func (s *stepped) Next() directory.Stamp {
	s.counter++
	stamp := directory.Stamp{Epoch: s.epoch, Counter: s.counter}
	s.moments[stamp] = s.dir.Moment()
	return stamp
}

// start begins anew, as a process does.
func (s *stepped) start() {
	s.epoch++
	s.dir.Overlap()
	s.lane = New(Config{Poll: time.Minute, Vanish: 30 * time.Second}, Deps{
		Tenant: tenant.Tenant{
			ID: s.id, Provider: directory.GoogleWorkspace, Domain: "contoso.com", Products: []tenant.Product{tenant.SecureShare()},
		},
		Directory: s.dir, Traits: s.traits, Connection: "c1", Stamps: s,
		Store: state.New(s.kv), Publisher: s, Logger: slog.New(slog.DiscardHandler), Clock: s.clock,
		Metrics: NewMetrics(prometheus.NewRegistry(), directory.GoogleWorkspace, s.clock.Now),
	})
}

// steps does pieces of work until the time has passed.
func (s *stepped) steps(ctx context.Context, d time.Duration) {
	for until := s.clock.now.Add(d); ; {
		for _, read := range s.asked {
			s.seq++
			err := s.lane.Command(ctx, state.Command{Sequence: s.seq, ID: fmt.Sprintf("read-%d", s.seq), Read: &read})
			if err != nil {
				s.t.Fatal(err)
			}
		}
		s.asked = nil
		kind, at := s.lane.next(s.clock.now)
		if kind == idle || at.After(until) {
			s.clock.now = until
			return
		}
		if at.After(s.clock.now) {
			s.clock.now = at
			continue
		}
		s.lane.do(ctx, kind)
	}
}

// Publish implements Publisher: it is the ledger.
func (s *stepped) Publish(_ context.Context, _ string, ev event.Event, _ ...bus.PublishOption) (bus.Ack, error) {
	if s.lose != nil && s.lose() {
		return bus.Ack{}, bus.ErrUnavailable
	}
	if s.published[ev.ID()] {
		return bus.Ack{Duplicate: true}, nil // and whatever it says is lost, as with NATS
	}
	s.published[ev.ID()] = true
	switch ev.Type() {
	case event.TypeDirectoryObserved:
		page, err := event.Data[event.DirectoryObserved](ev)
		if err != nil {
			return bus.Ack{}, err
		}
		for _, o := range page.Observations {
			seen, err := o.Directory()
			if err != nil {
				s.t.Fatalf("told what nobody can read: %v", err)
			}
			s.take(seen, page)
		}
		s.forget()
	case event.TypeSnapshotEnded:
		ended, err := event.Data[event.SnapshotEnded](ev)
		if err != nil {
			return bus.Ack{}, err
		}
		s.sweep(ended)
	case event.TypeCandidatesRead:
		read, err := event.Data[event.CandidatesRead](ev)
		if err != nil {
			return bus.Ack{}, err
		}
		s.unproven = s.unproven || read.Unproven > 0
	}
	return bus.Ack{}, nil
}

func (s *stepped) take(o directory.Observation, page event.DirectoryObserved) {
	stamp := page.Stamp.Directory()
	switch {
	case o.Group != nil:
		if o.Group.Deleted && s.dir.AlwaysThere(o.Group.ID, s.moments[stamp]) {
			s.t.Fatalf("told that %s is gone, and it is there", o.Group.ID)
		}
		if stamp.Compare(s.groups[o.Group.ID].stamp) >= 0 {
			s.groups[o.Group.ID] = told[directory.Group]{stamp, page.Snapshot, *o.Group}
		}
	case o.User != nil:
		if stamp.Compare(s.users[o.User.ID].stamp) >= 0 {
			s.users[o.User.ID] = told[directory.User]{stamp, page.Snapshot, *o.User}
		}
	case o.Membership != nil:
		m := *o.Membership
		if !m.Present && s.dir.AlwaysMember(m.GroupID, m.ID, s.moments[stamp]) {
			s.t.Fatalf("told that %s is not in %s, and it is", m.ID, m.GroupID)
		}
		key := [2]string{m.GroupID, m.ID}
		if stamp.Compare(s.members[key].stamp) >= 0 {
			s.members[key] = told[directory.Membership]{stamp, page.Snapshot, m}
		}
	}
}

// nest returns the groups whose members matter by what was told, as the worker finds them.
func (s *stepped) nest() map[string]bool {
	nest := map[string]bool{}
	var order []string
	for id, g := range s.groups {
		if !g.value.Deleted && slices.Contains(g.value.Addresses, provisioning) {
			nest[id] = true
			order = append(order, id)
		}
	}
	for i := 0; i < len(order); i++ {
		for key, m := range s.members {
			inside := key[0] == order[i] && m.value.Present && m.value.Kind == directory.GroupMember
			if inside && !nest[key[1]] && !s.groups[key[1]].value.Deleted {
				nest[key[1]] = true
				order = append(order, key[1])
			}
		}
	}
	return nest
}

// forget forgets the memberships of groups that matter no more, as the worker does.
func (s *stepped) forget() {
	nest := s.nest()
	for key := range s.members {
		if !nest[key[0]] {
			delete(s.members, key)
		}
	}
}

// sweep asks for the proof that those are gone whom a snapshot did not show, as the worker does.
func (s *stepped) sweep(ended event.SnapshotEnded) {
	read := event.ReadRequested{Snapshot: ended.Snapshot}
	began := ended.Began.Directory()
	for key, m := range s.members {
		for _, group := range ended.Members {
			if key[0] == group && m.value.Present && m.stamp.Compare(began) < 0 {
				read.Members = append(read.Members, event.FromMembership(m.value))
			}
		}
	}
	for id, u := range s.users {
		if ended.Users && u.value.Status != directory.Deleted && u.stamp.Compare(began) < 0 {
			read.Users = append(read.Users, id)
		}
	}
	for id, g := range s.groups {
		if ended.Groups && !g.value.Deleted && g.stamp.Compare(began) < 0 {
			read.Groups = append(read.Groups, id)
		}
	}
	if len(read.Members)+len(read.Users)+len(read.Groups) > 0 {
		s.asked = append(s.asked, read)
	}
}
