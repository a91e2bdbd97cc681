package lane_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/event/eventtest"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/lane"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/receivertest"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/state"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

func TestMain(m *testing.M) { bustest.VerifyNoLeaks(m) }

const (
	patience = time.Minute
	poll     = time.Minute
	vanish   = 30 * time.Second
	address  = "virtru-secure-share-provisioning-group@contoso.com"
)

// bench is a lane over a directory in memory and a real NATS server, with a clock that stands still.
type bench struct {
	t       *testing.T
	dir     *receivertest.Directory
	clock   *clock.Fake
	bus     *bus.Bus
	kv      jetstream.KeyValue
	store   *state.Store
	stamps  *stamps
	traits  receiver.Traits
	cfg     lane.Config
	lane    *lane.Lane
	metrics *prometheus.Registry
	refuse  atomic.Pointer[string] // what of an event's subject is not stored
	told    chan bus.Message       // LEDGER_IN
	stop    func()
	seq     uint64
}

type stamps struct {
	epoch   int64
	counter atomic.Uint64
}

func (s *stamps) Epoch() int64 { return s.epoch }

func (s *stamps) Next() directory.Stamp {
	return directory.Stamp{Epoch: s.epoch, Counter: s.counter.Add(1)}
}

func setup(t *testing.T) *bench {
	t.Helper()
	b := &bench{
		t: t, dir: &receivertest.Directory{}, clock: clock.NewFake(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)),
		bus: bustest.New(t), stamps: &stamps{epoch: 7}, traits: receiver.Traits{MemberFeeds: true, MaxFeedGroups: 50},
		cfg: lane.Config{Poll: poll, Vanish: vanish}, told: make(chan bus.Message, 10_000),
	}
	var err error
	if b.kv, err = b.bus.KeyValue(t.Context(), bus.BucketCursors); err != nil {
		t.Fatal(err)
	}
	b.store = state.New(b.kv)
	ctx, cancel := context.WithCancel(context.Background())
	read := make(chan error, 1)
	go func() {
		read <- b.bus.Read(ctx, bus.ReadSpec{Stream: bus.LedgerIn, Filters: []string{"directory.>"}, Follow: true}, func(m bus.Message) error {
			b.told <- m
			return nil
		})
	}()
	t.Cleanup(func() {
		b.halt()
		cancel()
		if err := <-read; !errors.Is(err, context.Canceled) {
			t.Errorf("reading LEDGER_IN: %v", err)
		}
	})
	return b
}

// Publish is the lane's way to NATS; refuse makes it fail.
func (b *bench) Publish(ctx context.Context, subject string, ev event.Event, opts ...bus.PublishOption) (bus.Ack, error) {
	if what := b.refuse.Load(); what != nil && subject == event.DirectorySubject("contoso", *what) {
		return bus.Ack{}, bus.ErrUnavailable
	}
	return b.bus.Publish(ctx, subject, ev, opts...)
}

func contoso() tenant.Tenant {
	return tenant.Tenant{
		ID: "contoso", Provider: directory.Entra, DirectoryID: "d-contoso", Domain: "contoso.com", Products: []tenant.Product{tenant.SecureShare()},
	}
}

// run starts the lane.
func (b *bench) run() {
	b.t.Helper()
	b.runAs(contoso())
}

func (b *bench) runAs(who tenant.Tenant) {
	b.t.Helper()
	b.metrics = prometheus.NewRegistry()
	b.lane = lane.New(b.cfg, lane.Deps{
		Tenant: who, Directory: b.dir, Traits: b.traits, Connection: "c1", Stamps: b.stamps, Store: b.store, Publisher: b,
		Logger: slog.New(slog.NewTextHandler(testWriter{b.t}, nil)), Clock: b.clock,
		Metrics: lane.NewMetrics(b.metrics, directory.Entra, b.clock.Now),
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.lane.Run(ctx)
	}()
	b.stop = func() {
		cancel()
		<-done
		b.stop = nil
	}
}

func (b *bench) halt() {
	if b.stop != nil {
		b.stop()
	}
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("%s", p)
	return len(p), nil
}

// until returns what is told up to the first event of the type, which it must be of the cause.
func (b *bench) until(eventType, cause string) story {
	b.t.Helper()
	var s story
	deadline := time.After(patience)
	for {
		select {
		case m := <-b.told:
			eventtest.Validate(b.t, m.Event)
			s = append(s, m)
			if m.Event.Type() == eventType {
				if event.Cause(m.Event) != cause {
					b.t.Fatalf("%s is caused by %q, want %q", eventType, event.Cause(m.Event), cause)
				}
				return s
			}
		case <-deadline:
			b.t.Fatalf("no %s after %v; requests: %v", eventType, s.types(), b.dir.Calls())
		}
	}
}

// round advances to the next poll and returns what its round tells.
func (b *bench) round() story {
	b.t.Helper()
	b.advance(poll)
	return b.until(event.TypeRoundEnded, "")
}

// advance moves the clock when the lane has gone to wait.
func (b *bench) advance(d time.Duration) {
	b.clock.BlockUntil(1)
	b.clock.Advance(d)
}

// silent fails the test if anything was told since the last event that was taken.
func (b *bench) silent() {
	b.t.Helper()
	b.clock.BlockUntil(1)
	b.sentinel()
}

// sentinel publishes an event and checks that it is the next one.
func (b *bench) sentinel() {
	b.t.Helper()
	if s := b.rest(); len(s) > 0 {
		b.t.Fatalf("told %s %s, want nothing", s.last().Type(), s.last().Data())
	}
}

// rest returns what is told by now and was not taken: up to an event that it publishes.
func (b *bench) rest() (s story) {
	b.t.Helper()
	b.seq++
	ev, err := event.New(event.TypeRoundEnded, event.Meta{
		ID: fmt.Sprintf("sentinel.%d", b.seq), Source: event.DirectorySource("contoso"), Time: b.clock.Now(), Tenant: "contoso", Cause: "sentinel",
	}, event.RoundEnded{Began: b.clock.Now(), Stamp: event.Stamp{Epoch: 1}})
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.bus.Publish(b.t.Context(), event.DirectorySubject("contoso", "round"), ev); err != nil {
		b.t.Fatal(err)
	}
	for {
		select {
		case m := <-b.told:
			if m.Event.ID() == ev.ID() {
				return s
			}
			s = append(s, m)
		case <-time.After(patience):
			b.t.Fatal("the sentinel is lost")
		}
	}
}

func (b *bench) hint(cause, resource, id string) {
	b.t.Helper()
	if err := b.lane.Hint(b.t.Context(), state.Mark{Cause: cause, At: b.clock.Now(), Resource: resource, ID: id}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) command(id string, read *event.ReadRequested) {
	b.t.Helper()
	b.seq++
	if err := b.lane.Command(b.t.Context(), state.Command{Sequence: b.seq, ID: id, Read: read}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) feeds() state.Feeds {
	b.t.Helper()
	f, _, err := b.store.LoadFeeds(b.t.Context(), "contoso")
	if err != nil {
		b.t.Fatal(err)
	}
	return f
}

func (b *bench) mark() *state.Mark {
	b.t.Helper()
	m, err := b.store.LoadMark(b.t.Context(), "contoso")
	if err != nil {
		b.t.Fatal(err)
	}
	return m
}

// story is what was told, in order.
type story []bus.Message

func (s story) types() []string {
	var types []string
	for _, m := range s {
		types = append(types, m.Event.Type())
	}
	return types
}

func (s story) last() event.Event { return s[len(s)-1].Event }

func (s story) pages(t *testing.T) []event.DirectoryObserved {
	t.Helper()
	var pages []event.DirectoryObserved
	for _, m := range s {
		if m.Event.Type() == event.TypeDirectoryObserved {
			pages = append(pages, data[event.DirectoryObserved](t, m.Event))
		}
	}
	return pages
}

// said returns what the pages state, one word an observation: "u1", "-u1", "g1", "-g1", "g1>u1", "g1-u1".
func (s story) said(t *testing.T) []string {
	t.Helper()
	var words []string
	for _, page := range s.pages(t) {
		for _, o := range page.Observations {
			words = append(words, word(o))
		}
	}
	return words
}

func word(o event.Observation) string {
	switch {
	case o.User != nil && o.User.Status == string(directory.Deleted):
		return "-" + o.User.ID
	case o.User != nil:
		return o.User.ID
	case o.Group != nil && o.Group.Deleted:
		return "-" + o.Group.ID
	case o.Group != nil:
		return o.Group.ID
	case o.Membership.Present:
		return o.Membership.GroupID + ">" + o.Membership.MemberID
	default:
		return o.Membership.GroupID + "-" + o.Membership.MemberID
	}
}

func (s story) says(t *testing.T, want ...string) {
	t.Helper()
	if got := s.said(t); !slices.Equal(got, want) {
		t.Errorf("told %v, want %v", got, want)
	}
}

func data[T any](t *testing.T, ev event.Event) T {
	t.Helper()
	d, err := event.Data[T](ev)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func user(id string) directory.User {
	return directory.User{ID: id, Name: "User " + id, Addresses: []string{id + "@contoso.com"}, Status: directory.Active}
}

func group(id string, addresses ...string) directory.Group {
	return directory.Group{ID: id, Addresses: addresses, Kind: directory.Microsoft365}
}

// connected is a bench whose lane has read everything.
func connected(t *testing.T, fill func(*receivertest.Directory)) *bench {
	t.Helper()
	b := setup(t)
	fill(b.dir)
	b.run()
	b.until(event.TypeSnapshotEnded, "")
	b.clock.BlockUntil(1)
	return b
}
