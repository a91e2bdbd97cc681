package apply_test

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// give gives a command, and returns its answer, of which there must be one.
func (s *scenario) give(verb, eventType string, data any, do func()) event.Answered {
	s.t.Helper()
	id := event.CommandID(s.id, verb, fmt.Sprintf("key%d", s.stream+1))
	m := s.messageAs(event.Meta{ID: id, Source: event.CommandSource(s.id), Tenant: s.id}, eventType, data)
	var answers []event.Answered
	for _, ev := range s.send(m, false, operator, do) {
		if ev.Type() == event.TypeAnswered {
			answers = append(answers, dataOf[event.Answered](s.t, ev))
		}
	}
	if len(answers) != 1 || answers[0].Command != id {
		s.t.Fatalf("%s was answered by %+v", id, answers)
	}
	return answers[0]
}

func (s *scenario) command(what string) {
	switch what {
	case "approve":
		s.randomApproval()
	case "reject":
		product, held := s.someHeld()
		s.give(event.VerbReject, event.TypeRejectRequested, event.RejectRequested{Product: product, Held: held, By: operator}, func() {})
	case "seats":
		s.randomSeats()
	case "settings":
		s.randomSettings()
	case "freeze":
		frozen := s.once(2)
		s.setting(event.SettingsRequested{Frozen: &frozen}, func() { s.model.frozen = frozen })
	case "pause":
		paused := s.once(2)
		s.setting(event.SettingsRequested{Paused: &paused}, func() { s.model.paused = paused })
	case "preview":
		s.previewBegin()
	case "disconnect":
		s.disconnect(one(s, []string{event.LicensesKeep, event.LicensesKeep, event.LicensesRevoke}))
	case "connect":
		s.connect()
	}
}

func (s *scenario) setting(r event.SettingsRequested, do func()) {
	r.By = operator
	if a := s.give(event.VerbSettings, event.TypeSettingsRequested, r, do); a.Outcome != event.OutcomeDone {
		s.t.Fatalf("%+v: %+v", r, a)
	}
}

func (s *scenario) randomSettings() {
	hold := event.HoldRequest{
		Flips: one(s, []string{event.FlipsHold, event.FlipsHold, event.FlipsApply}),
		Share: number(one(s, []int{0, 20, 20, 50})), Least: number(s.fair(4)),
		ExpirySeconds: number(one(s, []int{600, 3600, 604800})),
	}
	s.setting(event.SettingsRequested{Hold: &hold}, func() {
		s.model.hold = ledger.Hold{
			Flips: hold.Flips == event.FlipsHold, Guard: licensing.Guard{Share: *hold.Share, Least: *hold.Least},
			Expiry: time.Duration(*hold.ExpirySeconds) * time.Second,
		}
	})
}

func (s *scenario) randomSeats() {
	product := one(s, []string{share, "mail-gate"})
	enforce := !s.once(4)
	s.give(event.VerbSeats, event.TypeSeatsRequested, event.SeatsRequested{
		Product: product, Purchased: number(s.fair(7) - 1), Enforce: &enforce, By: operator,
	}, func() {})
}

// someHeld is a held change that is open, if one is.
func (s *scenario) someHeld() (product, held string) {
	var all [][2]string
	for name, l := range s.laws {
		for _, h := range l.record.holds {
			all = append(all, [2]string{name, h.Held})
		}
	}
	slices.SortFunc(all, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	if len(all) == 0 || s.once(12) {
		return share, "revocations-7"
	}
	some := one(s, all)
	return some[0], some[1]
}

// randomApproval approves, of what was looked at or of what was there before, and checks what becomes of it.
func (s *scenario) randomApproval() {
	product, held := s.someHeld()
	revision, open := 1+s.fair(3), false
	for _, h := range s.laws[product].record.holds {
		if h.Held == held {
			open = true
			if !s.once(4) {
				revision = h.revision
			}
		}
	}
	quiet, right := s.quiet() && s.tenants[s.id].Domain == s.domain, open && revision == s.revision(product, held)
	able := s.model.decides() && !s.model.frozen
	a := s.give(event.VerbApprove, event.TypeApproveRequested, event.ApproveRequested{
		Product: product, Held: held, Revision: revision, By: operator,
	}, func() {})
	switch done := a.Outcome == event.OutcomeDone; {
	case done && !(open && right && able):
		s.t.Fatalf("%s at revision %d is not what is open, and was approved: %+v", held, revision, a)
	case !done && quiet && open && right && able:
		s.t.Fatalf("%s at revision %d is what is open, and was not approved: %+v", held, revision, a)
	case a.Code == event.CodeRevision && right:
		s.t.Fatalf("%s at revision %d is as it was: %+v", held, revision, a)
	}
}

func (s *scenario) revision(product, held string) int {
	for _, h := range s.laws[product].record.holds {
		if h.Held == held {
			return h.revision
		}
	}
	return 0
}

// quiet reports whether no work is left.
func (s *scenario) quiet() bool {
	return len(s.lines(`SELECT j.kind FROM jobs j JOIN products p ON p.id = j.product `+mine)) == 0
}

func (s *scenario) disconnect(licenses string) {
	next := ledger.LicensesKept
	if licenses == event.LicensesRevoke {
		next = ledger.LicensesEnded
	}
	refused := next == ledger.LicensesEnded && s.model.frozen && s.model.disconnected != next
	a := s.give(event.VerbDisconnect, event.TypeDisconnectRequested, event.DisconnectRequested{Licenses: licenses, By: operator}, func() {
		if refused || s.model.disconnected == next {
			return
		}
		s.model.disconnected, s.model.paused, s.model.restoring = next, false, false
		for product, state := range maps.All(s.model.policies) {
			state.Change = nil
			s.model.policies[product] = state
		}
	})
	if (a.Outcome == event.OutcomeRefused) != refused {
		s.t.Fatalf("disconnected with %s: %+v", licenses, a)
	}
}

func (s *scenario) connect() {
	refused := s.model.follows()
	a := s.give(event.VerbConnect, event.TypeConnectRequested, event.ConnectRequested{By: operator}, func() {
		if !refused {
			s.model.disconnected, s.model.restoring = ledger.Connected, true
		}
	})
	if (a.Outcome == event.OutcomeRefused) != refused {
		s.t.Fatalf("connected: %+v", a)
	}
}

func (s *scenario) previewBegin() {
	id := event.CommandID(s.id, "refresh", fmt.Sprintf("key%d", s.stream+1))
	m := s.messageAs(event.Meta{ID: id, Source: event.CommandSource(s.id), Tenant: s.id}, event.TypeRefreshRequested,
		event.RefreshRequested{RequestedBy: "cli", Preview: true})
	s.send(m, false, "", func() {})
	s.stamp++
	s.preview = preview{id: id, began: s.stamp}
}

func (s *scenario) previewPage() {
	if s.preview.id == "" || s.preview.ended {
		return
	}
	at := s.preview.began
	if s.preview.pages > 0 {
		s.stamp++
		at = s.stamp
	}
	s.observe(s.preview.id, "hint", at, s.randomObservations(8))
	s.preview.pages++
	if s.model.follows() {
		s.preview.applied++
	}
}

func (s *scenario) previewEnd(lost bool) {
	if s.preview.pages == 0 || s.preview.ended {
		return
	}
	pages := s.preview.pages
	if lost {
		pages++
	}
	s.snapshotIs(s.preview.id, s.preview.began, pages, s.preview.applied)
	if lost || s.preview.applied < pages {
		s.preview = preview{}
		return
	}
	s.preview.ended = true
}
