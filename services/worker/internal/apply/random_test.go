package apply_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/event/eventtest"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// twoProducts is a tenant whose second product has another group.
func twoProducts() (t tenant.Tenant, addresses map[string]string) {
	t = contoso()
	second := tenant.SecureShare()
	second.ID, second.Group = "mail-gate", "mail-gate-users"
	t.Products = append(t.Products, second)
	return t, addressesOf(t)
}

func addressesOf(t tenant.Tenant) map[string]string {
	addresses := map[string]string{}
	for _, p := range t.Products {
		addresses[p.ID] = t.GroupAddress(p)
	}
	return addresses
}

// Whatever is observed and whatever is commanded, in whatever order, with redeliveries and restarts between: what was told are
// exactly the transitions, without a gap; nothing of it may not be told at its time; and when all is done, everybody stands as a
// plain recomputation says. As many histories as -rapid.checks says, five times over; few with the race detector.
func TestRandomHistoriesFollowTheModel(t *testing.T) {
	t.Parallel()
	for n := range 5 {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			randomHistories(t, ledgertest.SQLite(t), raceless(20, 0))
		})
	}
}

func TestRandomHistoriesFollowTheModelOnPostgres(t *testing.T) {
	t.Parallel()
	randomHistories(t, ledgertest.Postgres(t), raceless(10, 30))
}

// randomHistories plays histories, each of a tenant of its own; at most so many, if a number is given.
func randomHistories(t *testing.T, address string, most int) {
	t.Helper()
	h := newHarnessAt(t, address, eventtest.Shared(t))
	defer func() { h.close() }()
	db := h.raw()
	defer func() { _ = db.Close() }()
	stmts := map[string]*sql.Stmt{}
	checkFew(t, most, func(rt *rapid.T, run int) { newScenario(rt, h, db, stmts, run).play() })
}

// checkFew checks a property on as many cases as -rapid.checks says, or at most so many, if a number is given. It tells each its number.
func checkFew(t *testing.T, most int, property func(rt *rapid.T, run int)) {
	t.Helper()
	runs, failed := 0, false
	rapid.Check(t, func(rt *rapid.T) {
		if runs++; most > 0 && runs > most && !failed {
			return
		}
		well := false
		defer func() { failed = failed || !well }()
		property(rt, runs)
		well = true
	})
}

// ledgersToOpen is how many cases a property is tried on at most that opens a ledger for each.
func ledgersToOpen() int { return raceless(8, 0) }

// raceless is few with the race detector, with which SQLite takes seconds for what it does in a tenth of one, and many without it.
func raceless(few, many int) int {
	if raced {
		return few
	}
	return many
}

// scenario is one random history, played to the worker and to the model.
type scenario struct {
	*harness
	t         *rapid.T
	db        *sql.DB
	stmts     map[string]*sql.Stmt
	id        string // of the tenant
	model     *model
	laws      map[string]*law
	domain    string // that the registry names
	stamp     uint64
	snapshots int
	preview   preview
	proofs    []event.Event  // that were asked for, and are not given
	unheard   map[int64]bool // the lists that took effect without a word
	delivered []bus.Message
}

// preview is a refresh that is shown first, as far as it has come.
type preview struct {
	id             string
	began          uint64
	pages, applied int
	ended          bool // its proofs may be still to come
}

func newScenario(t *rapid.T, h *harness, db *sql.DB, stmts map[string]*sql.Stmt, run int) *scenario {
	tn, addresses := twoProducts()
	tn.ID = fmt.Sprintf("t%d", run)
	h.t, h.tenants, h.records, h.sent = t, map[string]tenant.Tenant{tn.ID: tn}, map[string]*record{}, map[string]bus.Message{}
	h.owner.Part, h.events = run, nil
	h.clear() // of a history that failed
	h.begin()
	s := &scenario{harness: h, t: t, db: db, stmts: stmts, id: tn.ID, model: newModel(addresses), laws: map[string]*law{}, unheard: map[int64]bool{}, domain: tn.Domain, stamp: 10}
	for product := range addresses {
		r := newRecord()
		h.records[event.LicenseSource(tn.ID, product)] = r
		s.laws[product] = newLaw(s.model, product, r)
	}
	h.heed = func(ev event.Event) error {
		return s.laws[ev.Source()[strings.LastIndex(ev.Source(), ":")+1:]].heed(ev)
	}
	return s
}

func (s *scenario) play() {
	if !s.once(4) { // connected, with users whom it licenses
		s.randomSettings()
		s.observe("s0", "hint", 5, []obs{person("ann"), person("bob"), person("cid"), person("dan"), s.randomUser("eve"), s.randomGroup("g")})
		s.snapshotIs("s0", 5, 1, 1)
	}
	for range 5 + s.fair(40) {
		s.step()
	}
	s.finish()
	s.verify()
}

// send delivers a message: what it says, do tells the model.
func (s *scenario) send(m bus.Message, preview bool, asked string, do func()) []event.Event {
	previewing := map[string]bool{}
	if preview {
		previewing = s.previewing()
	}
	s.begins(previewing, asked)
	s.delivered = append(s.delivered, m)
	s.t.Logf("%s %s", m.Event.Type(), m.Event.Data())
	if err := s.deliver(m); err != nil {
		s.t.Fatal(err)
	}
	if tn := s.tenants[s.id]; tn.Domain != s.domain {
		s.domain = tn.Domain
		s.model.named(s.clock.Now(), addressesOf(tn))
	}
	do()
	return s.ends()
}

// begins and ends stand around each transaction.
func (s *scenario) begins(previewing map[string]bool, asked string) {
	for product, l := range s.laws {
		l.begin(previewing[product], asked)
	}
}

func (s *scenario) ends() []event.Event {
	s.t.Helper()
	for _, l := range s.laws {
		l.changed()
	}
	fresh := s.drain()
	for _, ev := range fresh {
		s.t.Logf("    %s %s", ev.ID(), line(s.t, ev))
	}
	for _, l := range s.laws {
		if err := l.end(s.clock.Now()); err != nil {
			s.t.Fatal(err)
		}
	}
	for _, ev := range fresh {
		if ev.Type() != event.TypeReadRequested {
			continue
		}
		if r := dataOf[event.ReadRequested](s.t, ev); len(r.Users)+len(r.Groups)+len(r.Members) > 0 {
			s.proofs = append(s.proofs, ev)
		}
	}
	return fresh
}

func (s *scenario) send1(eventType string, data any, do func()) {
	s.send(s.message(s.id, eventType, data), false, "", do)
}

// observe delivers a page.
func (s *scenario) observe(snapshot, cause string, at uint64, observations []directory.Observation) {
	m := s.messageAs(event.Meta{
		ID: fmt.Sprintf("in.%d", s.stream+1), Source: event.DirectorySource(s.id), Tenant: s.id, Cause: cause,
	}, event.TypeDirectoryObserved, event.DirectoryObserved{
		Stamp: event.Stamp{Epoch: 1, Counter: at}, Snapshot: snapshot, Observations: event.FromObservations(observations),
	})
	preview := s.preview.id != "" && (snapshot == s.preview.id || strings.HasPrefix(cause, s.preview.id+".proof."))
	s.send(m, preview, "", func() { s.model.observed(s.clock.Now(), at, observations) })
}

// round delivers the end of a round that began a while ago.
func (s *scenario) round(ago time.Duration, vanishing, unread []string) {
	began := s.clock.Now().Add(-ago)
	s.send1(event.TypeRoundEnded, event.RoundEnded{Began: began, Vanishing: vanishing, Unread: unread}, func() {
		s.model.roundEnded(began, append(vanishing, unread...))
	})
}
