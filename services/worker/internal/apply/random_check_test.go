package apply_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// mine is what ends a query on the scenario's tenant, with products p.
const mine = `JOIN tenants t ON t.id = p.tenant WHERE t.name = $1 `

// lines returns the rows of a query on the tenant.
func (s *scenario) lines(query string, args ...any) (lines []string) {
	s.t.Helper()
	rows, err := s.stmt(query).QueryContext(context.Background(), append([]any{s.id}, args...)...) //nolint:sqlclosecheck // the statement ends with the database
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			s.t.Fatal(err)
		}
		lines = append(lines, line)
	}
	if err := rows.Err(); err != nil {
		s.t.Fatal(err)
	}
	return lines
}

// stmt is a query that was prepared: there are few of them, and they come again and again.
func (s *scenario) stmt(query string) *sql.Stmt {
	s.t.Helper()
	if s.stmts[query] == nil {
		stmt, err := s.db.PrepareContext(context.Background(), query) //nolint:sqlclosecheck // it ends with the database
		if err != nil {
			s.t.Fatal(err)
		}
		s.stmts[query] = stmt
	}
	return s.stmts[query]
}

// previewing are the products whose part of the preview in hand is not announced yet.
func (s *scenario) previewing() map[string]bool {
	products := map[string]bool{}
	for _, line := range s.lines(`SELECT p.name || ' ' || h.snapshot FROM held h JOIN products p ON p.id = h.product ` + mine +
		`AND h.state = 'listing' AND h.kind = 'refresh'`) {
		if product, snapshot, _ := strings.Cut(line, " "); snapshot == s.preview.id {
			products[product] = true
		}
	}
	return products
}

// takeUnheard takes the lists that took effect without a word. Nothing tells of them, so they are looked up.
func (s *scenario) takeUnheard() {
	s.t.Helper()
	lists := map[string][]string{}
	for _, line := range s.lines(`SELECT h.id || ' ' || p.name || ' ' || h.kind || ' ' || h.grants || ' ' || h.revocations || ' ' ||
		COALESCE(u.ref, '') FROM held h JOIN products p ON p.id = h.product
		LEFT JOIN held_users l ON l.held = h.id AND l.listed = 1 AND l.licensed = 0 LEFT JOIN users u ON u.id = l.user_id ` + mine +
		`AND h.ref LIKE 'unheard-%'`) {
		list, user := line[:strings.LastIndex(line, " ")], line[strings.LastIndex(line, " ")+1:]
		lists[list] = append(lists[list], user)
	}
	for list, users := range lists {
		var id int64
		var product, kind string
		var grants, revoked int
		if _, err := fmt.Sscan(list, &id, &product, &kind, &grants, &revoked); err != nil {
			s.t.Fatal(err)
		}
		if s.unheard[id] {
			continue
		}
		s.unheard[id] = true
		if err := s.laws[product].unheard(kind, s.clock.Now(), grants, revoked, users); err != nil {
			s.t.Fatal(err)
		}
	}
}

// finish brings everything to an end: the tenant is followed, whole and free, previews are over, and proofs are given.
func (s *scenario) finish() {
	no := false
	s.setting(event.SettingsRequested{Paused: &no, Frozen: &no}, func() { s.model.paused, s.model.frozen = false, false })
	if !s.model.follows() {
		s.connect()
	}
	s.previewPage()
	s.previewEnd(s.once(2))
	s.randomSnapshot()
	for len(s.proofs) > 0 {
		s.prove()
	}
	s.check()
	s.clock.Advance(time.Minute) // who stood while a group was gone is looked at again
	s.check()
	if n := s.lines(`SELECT h.ref FROM held h JOIN products p ON p.id = h.product ` + mine + `AND h.state = 'listing'`); len(n) > 0 {
		s.t.Fatalf("lists are made and never told: %v", n)
	}
}

// check lets the worker finish and compares.
func (s *scenario) check() {
	s.t.Helper()
	for n := 0; s.tickOnce(); n++ {
		if n > 10_000 {
			s.t.Fatal("the work does not end")
		}
	}
	state, err := s.ledger.Reader().Tenant(context.Background(), s.id)
	if err != nil && len(s.delivered) > 0 {
		s.t.Fatal(err)
	}
	quiet := s.quiet()
	for _, p := range state.Products {
		if diff := cmp.Diff(s.model.policies[p.ID], p.State); diff != "" {
			s.t.Fatalf("policy of %s (-model +ledger):\n%s", p.ID, diff)
		}
		l := s.laws[p.ID]
		if l.record.policy != (licensing.Policy{}) && l.record.policy != p.State.Policy || p.Licensed != len(l.record.licensed()) {
			s.t.Fatalf("%s stands at %+v, told was %+v of %d", p.ID, p, l.record.policy, len(l.record.licensed()))
		}
		if quiet {
			clear(l.approved)
			s.checkHolds(l)
		}
		if quiet && s.model.decides() && !s.previewing()[p.ID] && p.State.Phase == licensing.InForce {
			s.checkUsers(l)
			s.checkSeats(l)
		}
	}
}

// checkUsers compares everybody with what the rules say.
func (s *scenario) checkUsers(l *law) {
	s.t.Helper()
	state, holds := s.model.policies[l.product], l.record.holds
	leave := s.lines(`SELECT COALESCE(u.ref, '') FROM leaving l JOIN products p ON p.id = l.product LEFT JOIN users u ON u.id = l.user_id ` +
		mine + `AND p.name = '` + l.product + `'`)
	gone := s.model.groups[state.Policy.Group].what.Deleted
	for user := range s.model.users {
		d := s.model.rule(state.Policy, user)
		stands, known := l.record.users[user]
		_, waits := l.record.line[user]
		var so bool
		switch {
		case stands.Licensed && d.Licensed:
			so = stands.Reason == string(d.Reason) && slices.Equal(stands.Path, d.Path)
		case stands.Licensed:
			so = listedAs(holds[event.HeldRefresh], user, d) || stands.Reason == string(licensing.Held) &&
				(listedAs(holds[event.HeldRevocations], user, d) || listedAs(holds[event.HeldFreeze], user, d) || l.pardoned[user+" "+string(d.Reason)]) ||
				gone && d.Reason == licensing.NotAMember && (slices.Contains(leave, user) || slices.Contains(leave, ""))
		case d.Licensed:
			so = waits || listedAs(holds[event.HeldRefresh], user, d)
		default:
			so = !known || stands.Reason == string(d.Reason)
		}
		if !so || waits && (stands.Licensed || !d.Licensed) {
			s.t.Fatalf("%s of %s stands at %+v (waits: %v), the rules say %+v", user, l.product, stands, waits, d)
		}
		s.checkFlip(l, user, stands.Licensed || waits)
	}
}

// listedAs reports whether a user is on a list as the rules say.
func listedAs(h *heldRecord, user string, d licensing.Decision) bool {
	if h == nil {
		return false
	}
	line, listed := h.list[user]
	return listed && line.Licensed == d.Licensed && line.Reason == string(d.Reason)
}

// checkFlip checks that on the list of a flip is whose license it would change.
func (s *scenario) checkFlip(l *law, user string, has bool) {
	s.t.Helper()
	flip, state := l.record.holds[event.HeldFlip], s.model.policies[l.product]
	if flip == nil {
		return
	}
	would := s.model.rule(state.Target(), user)
	_, waits := l.record.line[user]
	_, listed := flip.list[user]
	if wanted := would.Licensed != has && !waits; listed != wanted || listed && !listedAs(flip, user, would) {
		s.t.Fatalf("%s of %s would be %+v and has a license: %v; the list says %+v", user, l.product, would, has, flip.list[user])
	}
}

// checkHolds checks that what waits for somebody is what there is to wait for.
func (s *scenario) checkHolds(l *law) {
	s.t.Helper()
	state := s.model.policies[l.product]
	if flip := l.record.holds[event.HeldFlip]; (flip != nil) != state.Proposes() || flip != nil && flip.Group != state.Target().Group {
		s.t.Fatalf("%s proposes %+v, held is %+v", l.product, state.Change, flip)
	}
	for kind, h := range l.record.holds {
		if kind != event.HeldFlip && len(h.list) == 0 || kind != event.HeldFreeze && !h.Expires.After(s.clock.Now()) {
			s.t.Fatalf("%s of %s is over: %+v at %v", h.Held, l.product, h, s.clock.Now())
		}
		if kind == event.HeldFreeze && !s.model.frozen || s.model.disconnected != ledger.Connected {
			s.t.Fatalf("%s of %s has no ground", h.Held, l.product)
		}
	}
}

// checkSeats checks that nobody waits for a seat that is free, and that over-use is told.
func (s *scenario) checkSeats(l *law) {
	s.t.Helper()
	free, limited := l.limit()
	if len(l.record.line) > 0 && (free > 0 || !limited) {
		s.t.Fatalf("%v wait for %s, and %d seats are free of %+v", l.record.line, l.product, free, l.record.seats)
	}
	used := len(l.record.licensed())
	if over := l.record.seats.Purchased != nil && used > *l.record.seats.Purchased; over != l.record.exceeded {
		s.t.Fatalf("%d licenses for %s, seats %+v, exceeded: %v", used, l.product, l.record.seats, l.record.exceeded)
	}
}
