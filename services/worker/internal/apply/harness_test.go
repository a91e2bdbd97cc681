package apply_test

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/event/eventtest"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/worker/internal/apply"
)

// fataler is what *testing.T, *testing.B and *rapid.T have in common.
type fataler interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

const (
	settle  = 10 * time.Minute
	address = "virtru-secure-share-provisioning-group@contoso.com"
)

var began = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// harness feeds an Applier as the worker does, and reads its outbox as the relay does.
type harness struct {
	t       fataler
	address string
	ledger  *ledger.Ledger
	applier *apply.Applier
	clock   *clock.Fake
	tenants map[string]tenant.Tenant
	last    apply.Result // of the transaction before

	at      uint64 // stamp of the last page that came by see, and of the last read that came by read
	reads   int
	stream  uint64 // sequence of the last message
	created time.Time
	chunk   int
	doubt   time.Duration // after begin
	whole   bool          // likewise
	again   time.Duration // likewise; 0: a minute
	feed    time.Time     // when the feed began that states the pages to come; zero: reads show them
	cursor  time.Time     // when its cursor came; zero: with what was said last
	owner   apply.Owner
	valid   *eventtest.Validator
	heed    func(event.Event) error // is told of every event of LICENSES before it is taken into what was told
	events  []event.Event           // that were in the outbox, in order
	sent    map[string]bus.Message  // that were delivered, by id
	records map[string]*record      // what was told, by source
	cleared bool                    // not all of the outbox was looked at
	aliases map[string]string       // short names of held changes, by their ids, and the other way round
}

func contoso() tenant.Tenant {
	return tenant.Tenant{ID: "contoso", Domain: "contoso.com", Products: []tenant.Product{tenant.SecureShare()}}
}

// on is a test whose ledgers are on one of the databases. Those of other tests are on SQLite.
type on struct {
	*testing.T
	backend ledgertest.Backend
}

// onEach runs a test on each database.
func onEach(t *testing.T, test func(on)) {
	t.Helper()
	t.Parallel()
	ledgertest.Each(t, func(t *testing.T, b ledgertest.Backend) { test(on{T: t, backend: b}) })
}

// newHarness is a harness in which nothing is held.
func newHarness(tb testing.TB, tenants ...tenant.Tenant) *harness {
	tb.Helper()
	address := ledgertest.SQLite
	if t, ok := tb.(on); ok {
		address = t.backend.Address
	}
	h := newHarnessOn(tb, address(tb), tenants...)
	for _, tn := range tenants {
		h.guard(tn.ID, ledger.Hold{Expiry: week})
	}
	return h
}

// newHarnessOn is a harness with the settings that are shipped. What has become of its ledger is checked at the end.
func newHarnessOn(tb testing.TB, address string, tenants ...tenant.Tenant) *harness {
	tb.Helper()
	h := newHarnessAt(tb, address, eventtest.Shared(tb), tenants...)
	tb.Cleanup(func() {
		defer h.close()
		if !tb.Failed() && !h.cleared {
			h.drain()
			h.verify()
		}
	})
	return h
}

// each runs a story on every database, with the settings that are shipped.
func each(t *testing.T, story func(*testing.T, *harness), tenants ...tenant.Tenant) {
	t.Helper()
	if len(tenants) == 0 {
		tenants = []tenant.Tenant{contoso()}
	}
	ledgertest.Each(t, func(t *testing.T, b ledgertest.Backend) { story(t, newHarnessOn(t, b.Address(t), tenants...)) })
}

func newHarnessAt(t fataler, address string, valid *eventtest.Validator, tenants ...tenant.Tenant) *harness {
	h := &harness{
		t: t, address: address, clock: clock.NewFake(began), tenants: map[string]tenant.Tenant{}, created: began, valid: valid, chunk: 2,
		sent: map[string]bus.Message{}, records: map[string]*record{}, aliases: map[string]string{},
	}
	for _, tn := range tenants {
		h.tenants[tn.ID] = tn
	}
	h.open()
	return h
}

const week = 7 * 24 * time.Hour

// guard sets which of a tenant's changes are held.
func (h *harness) guard(tenantID string, hold ledger.Hold) {
	h.t.Helper()
	err := h.ledger.Update(context.Background(), func(tx *ledger.Tx) error {
		tn, err := tx.Tenant(tenantID)
		if err != nil {
			return err
		}
		tn.Hold = hold
		return tx.SaveTenant(tn)
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *harness) open() {
	h.t.Helper()
	var err error
	if h.ledger, err = ledger.Open(context.Background(), h.address); err != nil {
		h.t.Fatal(err)
	}
	h.begin()
}

// begin makes another applier, which remembers nothing.
func (h *harness) begin() {
	h.applier = apply.New(apply.Config{Settle: settle, Chunk: h.chunk, Doubt: h.doubt, Whole: h.whole, AskAgain: h.again}, apply.Deps{
		Ledger: h.ledger, Clock: h.clock, Logger: slog.New(slog.DiscardHandler),
		Partition: func(string) int { return h.owner.Part }, Applied: func(r apply.Result) { h.last = r },
	})
}

func (h *harness) close() { _ = h.ledger.Close() }

func (h *harness) restart() {
	h.t.Helper()
	h.close()
	h.open()
}

// message makes the next message of the stream.
func (h *harness) message(tenantID, eventType string, data any) bus.Message {
	h.t.Helper()
	return h.messageAs(event.Meta{
		ID: fmt.Sprintf("in.%d", h.stream+1), Source: event.DirectorySource(tenantID), Tenant: tenantID, Cause: "hint",
	}, eventType, data)
}

func (h *harness) messageAs(meta event.Meta, eventType string, data any) bus.Message {
	h.t.Helper()
	h.stream++
	meta.Time = h.clock.Now()
	ev, err := event.New(eventType, meta, data)
	if err != nil {
		h.t.Fatal(err)
	}
	return bus.Message{Event: ev, Stream: bus.LedgerIn, StreamCreated: h.created, Sequence: h.stream}
}

func (h *harness) deliver(m bus.Message) error {
	h.t.Helper()
	h.sent[m.Event.ID()] = m
	return h.applier.Message(context.Background(), h.owner, h.tenants[event.Tenant(m.Event)], m)
}

// ask gives a command, and returns its id.
func (h *harness) ask(tenantID, verb, eventType string, data any) string {
	h.t.Helper()
	id := event.CommandID(tenantID, verb, fmt.Sprintf("key%d", h.stream+1))
	m := h.messageAs(event.Meta{ID: id, Source: event.CommandSource(tenantID), Tenant: tenantID}, eventType, data)
	if err := h.deliver(m); err != nil {
		h.t.Fatal(err)
	}
	return id
}

func (h *harness) apply(tenantID, eventType string, data any) {
	h.t.Helper()
	if err := h.deliver(h.message(tenantID, eventType, data)); err != nil {
		h.t.Fatal(err)
	}
}

func (h *harness) page(tenantID string, at uint64, observations ...directory.Observation) {
	h.t.Helper()
	h.apply(tenantID, event.TypeDirectoryObserved, event.DirectoryObserved{
		Stamp: event.Stamp{Epoch: 1, Counter: at}, FeedSince: h.feed, FeedUntil: h.until(), Observations: event.FromObservations(observations),
	})
}

// see delivers a page that is later than all before.
func (h *harness) see(observations ...directory.Observation) {
	h.t.Helper()
	h.at++
	h.page("contoso", h.at, observations...)
}

// read delivers a complete read of contoso, with the members of some groups, and does what follows from it.
func (h *harness) read(observations []directory.Observation, members ...string) {
	h.t.Helper()
	h.at++
	h.reads++
	snapshot := fmt.Sprintf("read%d", h.reads)
	h.snapshotPage("contoso", snapshot, h.at, observations...)
	h.snapshotEnded("contoso", snapshot, h.at, 1, members...)
	h.tick()
}

// settled lets a change settle, and a round show that it has.
func (h *harness) settled() {
	h.t.Helper()
	h.clock.Advance(settle)
	h.roundEnded("contoso")
	h.tick()
}

func (h *harness) snapshotPage(tenantID, snapshot string, at uint64, observations ...directory.Observation) {
	h.t.Helper()
	h.apply(tenantID, event.TypeDirectoryObserved, event.DirectoryObserved{
		Stamp: event.Stamp{Epoch: 1, Counter: at}, Snapshot: snapshot, Observations: event.FromObservations(observations),
	})
}

func (h *harness) snapshotEnded(tenantID, snapshot string, at uint64, pages int, members ...string) {
	h.t.Helper()
	h.apply(tenantID, event.TypeSnapshotEnded, event.SnapshotEnded{
		Snapshot: snapshot, Began: event.Stamp{Epoch: 1, Counter: at}, Users: true, Groups: true, Members: members, Pages: pages,
	})
}

func (h *harness) roundEnded(tenantID string, vanishing ...string) {
	h.t.Helper()
	h.apply(tenantID, event.TypeRoundEnded, event.RoundEnded{Began: h.clock.Now(), Requests: 3, Vanishing: vanishing})
}

// tick does all the work that is due.
func (h *harness) tick() {
	h.t.Helper()
	for n := 0; h.tickOnce(); n++ {
		if n > 10_000 {
			h.t.Fatal("the work does not end")
		}
	}
}

// tickUntil does work that is due until something is so.
func (h *harness) tickUntil(so func() bool) {
	h.t.Helper()
	for more := true; !so(); more = h.tickOnce() {
		if !more {
			h.t.Fatal("all work is done, and it is not so")
		}
	}
}

func (h *harness) tickOnce() (more bool) {
	h.t.Helper()
	more, _, err := h.applier.Tick(context.Background(), h.owner)
	if err != nil {
		h.t.Fatal(err)
	}
	return more
}

// drain empties the outbox, checks every event against its schema and what was told before, and returns what came.
func (h *harness) drain() []event.Event {
	h.t.Helper()
	out, err := h.ledger.Outbox(context.Background(), 1<<20)
	if err != nil {
		h.t.Fatal(err)
	}
	var fresh []event.Event
	var ids []int64
	for _, o := range out {
		if err := h.valid.Body(o.Body); err != nil {
			h.t.Fatalf("%s on %s: %v", o.EventID, o.Subject, err)
		}
		ev, err := event.Decode(o.Body)
		if err != nil {
			h.t.Fatal(err)
		}
		if o.Stream == bus.Licenses {
			h.record(ev)
		}
		fresh = append(fresh, ev)
		ids = append(ids, o.ID)
	}
	if err := h.ledger.Update(context.Background(), func(tx *ledger.Tx) error { return tx.Sent(ids) }); err != nil {
		h.t.Fatal(err)
	}
	h.events = append(h.events, fresh...)
	return fresh
}

// record takes an event of LICENSES into what was told.
func (h *harness) record(ev event.Event) {
	h.t.Helper()
	r := h.records[ev.Source()]
	if r == nil {
		r = newRecord()
		h.records[ev.Source()] = r
	}
	if h.heed != nil {
		if err := h.heed(ev); err != nil {
			h.t.Fatal(err)
		}
	}
	if err := r.fold(ev); err != nil {
		h.t.Fatal(err)
	}
}

// told returns what came since the last call, a short line each.
func (h *harness) told() []string {
	h.t.Helper()
	lines := []string{}
	for _, ev := range h.drain() {
		if ev.Type() == event.TypeHeldOpened {
			h.name(dataOf[event.HeldOpened](h.t, ev))
		}
		lines = append(lines, heldRef.ReplaceAllStringFunc(line(h.t, ev), h.alias))
	}
	return lines
}

var heldRef = regexp.MustCompile(`\b(flip|revocations|refresh|freeze)-\d+\b`)

// name gives a held change a short name that does not depend on how much was told before: flip#1 is the first flip.
func (h *harness) name(o event.HeldOpened) {
	for n := 1; ; n++ {
		if name := fmt.Sprintf("%s#%d", o.Kind, n); h.aliases[name] == "" {
			h.aliases[name], h.aliases[o.Held] = o.Held, name
			return
		}
	}
}

// alias is the other name of a held change, or the one that it was given.
func (h *harness) alias(name string) string {
	if other := h.aliases[name]; other != "" {
		return other
	}
	return name
}

// lost are the users who had a license for Secure Share and have none.
func (h *harness) lost() string {
	h.t.Helper()
	h.drain()
	var users []string
	for id, e := range h.records[event.LicenseSource("contoso", share)].users {
		if !e.Licensed {
			users = append(users, id)
		}
	}
	slices.Sort(users)
	return strings.Join(users, " ")
}

// unread delivers the end of a round that has not shown all members of a group.
func (h *harness) unread(group string) {
	h.t.Helper()
	h.apply("contoso", event.TypeRoundEnded, event.RoundEnded{Began: h.clock.Now(), Unread: []string{group}})
}
