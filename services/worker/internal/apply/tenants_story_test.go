package apply_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// twins are two tenants that share the ids of their users and groups, their domain and addresses, and all that has happened.
// One of them acts, the other rests.
type twins struct {
	*harness
	acts, rests string
	rows        []string // of the one that rests
}

// newTwins has each with ten members, one of whom has left, some who wait for a seat, a list of five who are to lose theirs, one
// of suspensions that a freeze has parked, a read that is under way and one that waits for proof, something in doubt, and somebody
// who may have moved within the group.
func newTwins(t *testing.T, address, acts, rests string) *twins {
	t.Helper()
	var both []tenant.Tenant
	for _, id := range []string{"contoso", "fabrikam"} {
		twin := contoso()
		twin.ID = id
		both = append(both, twin)
	}
	h := newHarnessOn(t, address, both...)
	h.chunk = 100
	h.restart()
	w := &twins{harness: h}
	for _, w.acts = range []string{"contoso", "fabrikam"} {
		w.begin()
	}
	h.doubt = 52 * week
	h.restart()
	for _, w.acts = range []string{"contoso", "fabrikam"} {
		w.see(group("made-just-now"))
		w.see(noGroup("made-just-now"))
	}
	h.doubt, h.whole, h.again = 0, true, 52*week
	h.restart()
	for _, w.acts = range []string{"contoso", "fabrikam"} {
		w.see(group("within"), nested("g", "within", true))
		w.see(member("g", "u8", false))
	}
	h.whole, h.again = false, 0
	h.restart()
	w.acts, w.rests = acts, rests
	w.see(personAs("u10", "suspended")) // so that the ids of their held changes differ
	w.drain()
	w.rows = w.rowsOf(rests)
	return w
}

func (w *twins) begin() {
	w.t.Helper()
	w.showAll("s1", join(people(13), []obs{group("g", address)}, members("g", true, ids(1, 10)...)))
	w.done(event.VerbSeats, event.TypeSeatsRequested, event.SeatsRequested{Product: share, Purchased: number(10), Enforce: new(true), By: operator})
	w.see(members("g", true, ids(11, 13)...)...)
	w.see(member("g", "u1", false))
	if w.acts == "fabrikam" {
		w.see(personAs("u9", "suspended"))
	}
	w.showAll("s2", join(people(8), people(13)[9:], []obs{group("g", address)}, members("g", true, ids(2, 8)...), members("g", true, ids(10, 13)...)))
	w.at++
	w.snapshotPage(w.acts, "s3", w.at, people(2)...)
	w.see(members("g", false, ids(2, 6)...)...)
	w.settings(event.SettingsRequested{Frozen: new(true)})
	w.see(personAs("u7", "suspended"))
	w.settings(event.SettingsRequested{Hold: &event.HoldRequest{Share: number(25)}})
	w.done(event.VerbActivation, event.TypeActivationReported, event.ActivationReported{Product: share, User: "u8", At: began, By: share})
	w.degrades()
}

// degrades says that the connection of the one that acts does not work.
func (w *twins) degrades() {
	w.t.Helper()
	w.at++
	w.apply(w.acts, event.TypeConnectionObserved, event.ConnectionObserved{
		Stamp: event.Stamp{Epoch: 1, Counter: w.at}, State: event.ConnectionDegraded, Class: event.ClassSilent, Since: w.clock.Now(),
		Detail: "it is silent", Action: "look", Credential: &event.CredentialSeen{Expires: christmas, Days: 30, Detail: "it ends", Action: "look"},
	})
}

func (w *twins) see(observations ...obs) {
	w.t.Helper()
	w.at++
	w.page(w.acts, w.at, observations...)
	w.tick()
}

// showAll is a complete read of the one that acts.
func (w *twins) showAll(snapshot string, observations []obs) {
	w.t.Helper()
	w.at++
	w.snapshotPage(w.acts, snapshot, w.at, observations...)
	w.snapshotEnded(w.acts, snapshot, w.at, 1, "g")
	w.tick()
}

// does gives a command to the one that acts, and does all that follows.
func (w *twins) does(verb, eventType string, data any) (answer event.Answered) {
	w.t.Helper()
	id := w.ask(w.acts, verb, eventType, data)
	w.tick()
	for _, ev := range w.news() {
		if ev.Type() == event.TypeAnswered && event.Cause(ev) == id {
			answer = dataOf[event.Answered](w.t, ev)
		}
	}
	return answer
}

func (w *twins) done(verb, eventType string, data any) {
	w.t.Helper()
	if a := w.does(verb, eventType, data); a.Outcome != event.OutcomeDone {
		w.t.Fatalf("%s by %s: %+v", verb, w.acts, a)
	}
}

func (w *twins) settings(s event.SettingsRequested) {
	w.t.Helper()
	s.By = operator
	w.done(event.VerbSettings, event.TypeSettingsRequested, s)
}

func (w *twins) approves(held string, revision int) event.Answered {
	w.t.Helper()
	return w.does(event.VerbApprove, event.TypeApproveRequested, event.ApproveRequested{Product: share, Held: held, Revision: revision, By: operator})
}

// news are the events since the last look. All are of the one that acts.
func (w *twins) news() []event.Event {
	w.t.Helper()
	fresh := w.drain()
	for _, ev := range fresh {
		if w.rests != "" && (event.Tenant(ev) != w.acts || strings.Contains(ev.Source()+ev.ID()+string(ev.Data()), w.rests)) {
			w.t.Fatalf("%s acts, and this is told: %s", w.acts, ev)
		}
	}
	return fresh
}

// open is the open held change of a kind that a tenant has.
func (w *twins) open(tenantID string, kind ledger.HeldKind) ledger.HeldChange {
	w.t.Helper()
	all, err := w.ledger.Reader().HeldChanges(context.Background(), tenantID, false)
	if err != nil {
		w.t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(h ledger.HeldChange) bool { return h.Kind == kind && h.State == ledger.HeldOpen })
	if i < 0 {
		w.t.Fatalf("%s has no open %s: %+v", tenantID, kind, all)
	}
	return all[i]
}

// ofTenant says which rows of each table are a tenant's. What is empty belongs to nobody.
var ofTenant = map[string]string{
	"tenants": `id = $1`, "products": `tenant = $1`, "users": `tenant = $1`, "user_addresses": `tenant = $1`, "groups": `tenant = $1`,
	"group_addresses": `tenant = $1`, "causes": `tenant = $1`, "proofs": `tenant = $1`, "doubts": `tenant = $1`, "snapshots": `tenant = $1`,
	"memberships":  `group_id IN (SELECT id FROM groups WHERE tenant = $1)`,
	"entitlements": ofProducts, "history": ofProducts, "held": ofProducts, "jobs": ofProducts, "waiting": ofProducts, "leaving": ofProducts,
	"revocations": ofProducts, "records": ofProducts, "connections": ofProducts, "credentials": ofProducts, "activations": ofProducts, "usage": ofProducts,
	"held_users": `held IN (SELECT id FROM held WHERE ` + ofProducts + `)`,
	"outbox":     "", "positions": "", "goose_db_version": "", "sqlite_sequence": "",
}

const ofProducts = `product IN (SELECT id FROM products WHERE tenant = $1)`

// rowsOf are all rows of the ledger that belong to a tenant.
func (w *twins) rowsOf(name string) (lines []string) {
	w.t.Helper()
	db := w.raw()
	defer func() { _ = db.Close() }()
	var id int64
	if err := db.QueryRowContext(context.Background(), `SELECT id FROM tenants WHERE name = $1`, name).Scan(&id); err != nil {
		w.t.Fatal(err)
	}
	tables := `SELECT name FROM sqlite_master WHERE type = 'table'`
	if strings.HasPrefix(w.address, "postgres:") {
		tables = `SELECT tablename FROM pg_tables WHERE schemaname = 'public'`
	}
	for _, table := range w.query(db, tables) {
		condition, known := ofTenant[table]
		if !known {
			w.t.Fatalf("whose are the rows of %s?", table)
		}
		if condition == "" {
			continue
		}
		for _, row := range w.query(db, `SELECT * FROM `+table+` WHERE `+condition, id) {
			lines = append(lines, table+" "+row)
		}
	}
	slices.Sort(lines)
	return lines
}

// query returns rows as lines.
func (w *twins) query(db *sql.DB, query string, args ...any) (lines []string) {
	w.t.Helper()
	rows, err := db.QueryContext(context.Background(), query, args...)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		w.t.Fatal(err)
	}
	for rows.Next() {
		values := make([]sql.NullString, len(columns))
		into := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			w.t.Fatal(err)
		}
		words := make([]string, len(columns))
		for i, v := range values {
			words[i] = v.String
		}
		lines = append(lines, strings.Join(words, "|"))
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	return lines
}

// untouched checks that nothing of the one that rests is another than it was.
func (w *twins) untouched(when string) {
	w.t.Helper()
	w.news()
	if diff := cmp.Diff(w.rows, w.rowsOf(w.rests)); diff != "" {
		w.t.Fatalf("%s: %s acts, and of %s (-before +after):\n%s", when, w.acts, w.rests, diff)
	}
}

// Two directories that were copied from each other: whatever one tenant does or has done to it, of the other not a row is changed
// and nothing is told, and what it waits for can be approved as it was.
func TestTwinsNeverMeet(t *testing.T) {
	t.Parallel()
	ledgertest.Each(t, func(t *testing.T, b ledgertest.Backend) {
		for acts, rests := range map[string]string{"contoso": "fabrikam", "fabrikam": "contoso"} {
			t.Run(acts, func(t *testing.T) {
				t.Parallel()
				w := newTwins(t, b.Address(t), acts, rests)
				w.everyTableHasRows()
				w.heldChanges(t)
				w.otherCommands()
				w.endOfOne()
				w.wakes(t)
			})
		}
	})
}

// everyTableHasRows sees to it that the comparison compares something.
func (w *twins) everyTableHasRows() {
	w.t.Helper()
	for table, condition := range ofTenant {
		if condition != "" && table != "jobs" && !slices.ContainsFunc(w.rows, func(row string) bool { return strings.HasPrefix(row, table+" ") }) {
			w.t.Fatalf("no row of %s is %s's", table, w.rests)
		}
	}
}

func (w *twins) heldChanges(t *testing.T) {
	t.Helper()
	w.settings(event.SettingsRequested{Frozen: new(false)})
	w.untouched("no longer frozen")
	mine, others := w.open(w.acts, ledger.HeldRevocations), w.open(w.rests, ledger.HeldRevocations)
	if mine.Ref == others.Ref {
		t.Fatalf("both are called %s", mine.Ref)
	}
	if a := w.approves(others.Ref, others.Revision); a.Code != event.CodeNoSuchHeld {
		t.Errorf("approved the other's %s: %+v", others.Ref, a)
	}
	a := w.does(event.VerbReject, event.TypeRejectRequested, event.RejectRequested{Product: share, Held: others.Ref, By: operator})
	if a.Code != event.CodeNoSuchHeld {
		t.Errorf("rejected the other's %s: %+v", others.Ref, a)
	}
	if _, err := w.ledger.Reader().HeldChange(t.Context(), w.acts, share, others.Ref); !errors.Is(err, ledger.ErrNoHeld) {
		t.Errorf("read the other's %s: %v", others.Ref, err)
	}
	w.untouched("the other's held change")
	w.see(member("g", "u2", true))
	w.untouched("a list has changed")
	mine = w.open(w.acts, ledger.HeldRevocations)
	if a := w.approves(mine.Ref, mine.Revision); a.Outcome != event.OutcomeDone {
		t.Errorf("approved: %+v", a)
	}
	w.untouched("a list is approved and carried out")
	w.see(noGroup("g"))
	w.untouched("a flip is proposed")
	flip := w.open(w.acts, ledger.HeldFlip)
	w.done(event.VerbReject, event.TypeRejectRequested, event.RejectRequested{Product: share, Held: flip.Ref, By: operator})
	w.see(group("g", address), member("g", "u3", true))
	w.clock.Advance(settle)
	w.roundEnded(w.acts)
	w.tick()
	w.untouched("the group is back")
}

func (w *twins) otherCommands() {
	w.t.Helper()
	w.at++
	w.apply(w.acts, event.TypeConnectionObserved, event.ConnectionObserved{
		Stamp: event.Stamp{Epoch: 1, Counter: w.at}, State: event.ConnectionWorking, Since: w.clock.Now(),
	})
	w.untouched("the connection has recovered")
	for _, seats := range []int{20, 1, event.SeatsNotSet} {
		w.done(event.VerbSeats, event.TypeSeatsRequested, event.SeatsRequested{Product: share, Purchased: &seats, By: operator})
		w.see(person(fmt.Sprint("new", seats)), member("g", fmt.Sprint("new", seats), true))
		w.untouched(fmt.Sprintf("%d seats", seats))
	}
	w.settings(event.SettingsRequested{Paused: new(true), Hold: &event.HoldRequest{Share: number(0)}})
	w.see(join(people(12), members("g", true, ids(1, 12)...))...)
	w.settings(event.SettingsRequested{Paused: new(false)})
	w.untouched("a pause is over")
	w.settings(event.SettingsRequested{Frozen: new(true)})
	w.see(members("g", false, ids(1, 6)...)...)
	w.settings(event.SettingsRequested{Frozen: new(false)})
	w.untouched("a freeze is over")
	snapshot := w.ask(w.acts, "refresh", event.TypeRefreshRequested, event.RefreshRequested{RequestedBy: "cli", Preview: true})
	w.showAll(snapshot, join(people(4), []obs{group("g", address)}, members("g", true, ids(1, 2)...)))
	w.untouched("a refresh is previewed")
}

func (w *twins) endOfOne() {
	w.t.Helper()
	w.done(event.VerbDisconnect, event.TypeDisconnectRequested, event.DisconnectRequested{Licenses: event.LicensesKeep, By: operator})
	w.untouched("disconnected")
	w.done(event.VerbConnect, event.TypeConnectRequested, event.ConnectRequested{By: operator})
	w.showAll("s4", join(people(12), []obs{group("g", address)}, members("g", true, ids(1, 12)...)))
	w.untouched("connected again")
	w.done(event.VerbDisconnect, event.TypeDisconnectRequested, event.DisconnectRequested{Licenses: event.LicensesRevoke, By: operator})
	w.untouched("disconnected without its licenses")
	w.done(event.VerbErase, event.TypeEraseRequested, event.EraseRequested{By: operator})
	w.erased(w.acts)
	w.untouched("erased")
	left := slices.DeleteFunc(w.rowsOf(w.acts), func(row string) bool {
		return strings.HasPrefix(row, "tenants ") || strings.HasPrefix(row, "products ")
	})
	if len(left) > 0 {
		w.t.Fatalf("left of %s: %v", w.acts, left)
	}
}

// wakes has the one that rests go on from where it stood.
func (w *twins) wakes(t *testing.T) {
	t.Helper()
	w.acts, w.rests = w.rests, w.acts
	w.clock.Advance(time.Minute)
	if a := w.approves(w.open(w.acts, ledger.HeldRevocations).Ref, 1); a.Code != event.CodeFrozen {
		t.Errorf("approved while frozen: %+v", a)
	}
	w.settings(event.SettingsRequested{Frozen: new(false)})
	h := w.open(w.acts, ledger.HeldRevocations)
	if a := w.approves(h.Ref, h.Revision); a.Outcome != event.OutcomeDone {
		t.Fatalf("approved: %+v", a)
	}
	if diff := cmp.Diff(eachOf("%s false not-a-member", ids(2, 6)...), w.standing(ids(2, 6)...)); diff != "" {
		t.Errorf("of those who were on the list (-want +got):\n%s", diff)
	}
}

// standing says what was told last of users of the one that acts.
func (w *twins) standing(users ...string) (lines []string) {
	r := w.records[event.LicenseSource(w.acts, share)]
	for _, id := range users {
		lines = append(lines, fmt.Sprintf("%s %v %s", id, r.users[id].Licensed, r.users[id].Reason))
	}
	return lines
}
