package apply

import (
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// answer tells what has become of the command in hand.
func (s *session) answer(a event.Answered) error {
	a.Command = s.origin.cause
	if a.Outcome == "" {
		a.Outcome = event.OutcomeDone
	}
	id := event.CommandID(s.tenant.Name, event.VerbAnswered, strings.TrimPrefix(a.Command, s.tenant.Name+"."))
	return s.command(event.TypeAnswered, event.VerbAnswered, id, a.Command, a)
}

func (s *session) refuse(code, message string) error {
	return s.answer(event.Answered{Outcome: event.OutcomeRefused, Code: code, Message: message})
}

// approveRequested lets a held change take effect, if its list is still the one that was looked at.
func (s *session) approveRequested(data event.ApproveRequested) error {
	s.origin.by = data.By
	p, h, err := s.held(data.Product, data.Held)
	if h == nil || err != nil {
		return err
	}
	switch {
	case s.tenant.Frozen:
		return s.refuse(event.CodeFrozen, "the tenant is frozen: nothing is revoked until it is not")
	case h.Revision != data.Revision:
		return s.refuseRevision(h, data.Revision)
	}
	if _, surveying, err := s.tx.Job(p.ID, ledger.JobSurvey); err != nil || surveying && h.Kind == ledger.HeldFlip {
		if err != nil {
			return err
		}
		return s.refuse(event.CodeListing, "the list is being made anew: look again in a moment")
	}
	if err := s.approve(p, h, data.By); err != nil {
		return err
	}
	return s.answer(event.Answered{Held: h.Ref, Revision: h.Revision})
}

func (s *session) approve(p *product, h *hold, by string) error {
	if h.Kind == ledger.HeldFlip {
		_, err := s.approveFlip(p, h, by, s.origin.cause)
		return err
	}
	id, err := s.close(p, h, ledger.HeldApproved, by, s.origin.cause)
	if err != nil {
		return err
	}
	return s.startJob(p, ledger.JobClose, h.ID, id)
}

// held finds the held change that a command names, and refuses the command where it is not open.
func (s *session) held(product, ref string) (*product, *hold, error) {
	p := s.named(product)
	if p == nil {
		return nil, nil, s.refuse(event.CodeBadRequest, "the tenant has no such product")
	}
	known, found, err := s.tx.HeldByRef(p.ID, ref)
	switch {
	case err != nil:
		return nil, nil, err
	case !found:
		return nil, nil, s.refuse(event.CodeNoSuchHeld, "the product has no such held change")
	case known.State == ledger.HeldListing:
		return nil, nil, s.refuse(event.CodeListing, "its list is not complete yet")
	case known.State != ledger.HeldOpen:
		return nil, nil, s.answer(event.Answered{
			Outcome: event.OutcomeRefused, Code: event.CodeNotOpen, Held: ref, Revision: known.Revision,
			Message: "it is not open any more: it was " + string(known.State),
		})
	}
	h, err := s.hold(p, known.Kind)
	return p, h, err
}

// refuseRevision says what has changed on a list since somebody looked at it.
func (s *session) refuseRevision(h *hold, since int) error {
	lines, err := s.tx.ListedSince(h.ID, since, event.MaxAnswerChanges)
	if err != nil {
		return err
	}
	a := event.Answered{
		Outcome: event.OutcomeRefused, Code: event.CodeRevision, Held: h.Ref, Revision: h.Revision,
		Message: "its list has changed since that revision",
	}
	for _, line := range lines {
		a.Changes = append(a.Changes, event.HeldUser{User: line.Ref, Listed: line.Listed, Licensed: line.Licensed, Reason: line.Reason})
	}
	return s.answer(a)
}

// rejectRequested leaves the licenses on a list as they are.
func (s *session) rejectRequested(data event.RejectRequested) error {
	s.origin.by = data.By
	p, h, err := s.held(data.Product, data.Held)
	if h == nil || err != nil {
		return err
	}
	if h.Kind == ledger.HeldFreeze {
		return s.refuse(event.CodeBadRequest, "what a freeze has parked is decided when the tenant is no longer frozen")
	}
	if err := s.reject(p, h, ledger.HeldRejected, data.By, s.origin.cause); err != nil {
		return err
	}
	return s.answer(event.Answered{Held: h.Ref, Revision: h.Revision})
}

func (s *session) reject(p *product, h *hold, state ledger.HeldState, by, cause string) error {
	id, err := s.close(p, h, state, by, cause)
	switch {
	case err != nil:
		return err
	case h.Kind == ledger.HeldFlip:
		s.rejectFlip(p)
		return nil
	case h.Kind == ledger.HeldFreeze:
		return nil // it opens again with the next revocation
	default:
		return s.startJob(p, ledger.JobClose, h.ID, id)
	}
}

// seatsRequested sets how many seats were purchased, and whether they are a limit.
func (s *session) seatsRequested(data event.SeatsRequested) error {
	s.origin.by = data.By
	p := s.named(data.Product)
	if p == nil {
		return s.refuse(event.CodeBadRequest, "the tenant has no such product")
	}
	next := p.Seats
	if data.Purchased != nil {
		next.Purchased = *data.Purchased
	}
	if data.Enforce != nil {
		next.Enforce = *data.Enforce
	}
	switch {
	case next.Purchased < licensing.Unlimited:
		return s.refuse(event.CodeBadRequest, "a number of seats is not below 0")
	case next == p.Seats:
		return s.answer(event.Answered{})
	}
	p.Seats, p.dirty = next, true
	id, err := s.tell(p, event.TypeSeatsChanged, event.SeatsSubject(s.tenant.Name, p.Name), s.origin.cause, event.SeatsChanged{
		Tenant: s.tenant.Name, Product: p.Name, By: data.By, Purchased: purchased(next), Enforce: next.Enforce, Used: p.Used,
	})
	if err != nil {
		return err
	}
	if p.Line > 0 { // by a job, which rests while the tenant is paused
		if err := s.startJob(p, ledger.JobSeats, 0, id); err != nil {
			return err
		}
	}
	return s.answer(event.Answered{})
}

// settingsRequested sets how a tenant's changes are treated.
func (s *session) settingsRequested(data event.SettingsRequested) error {
	s.origin.by = data.By
	next := s.tenant
	if data.Paused != nil {
		next.Paused = *data.Paused
	}
	if data.Frozen != nil {
		next.Frozen = *data.Frozen
	}
	if data.Hold != nil {
		var fault string
		if next.Hold, fault = holdOf(next.Hold, *data.Hold); fault != "" {
			return s.refuse(event.CodeBadRequest, fault)
		}
	}
	before := s.tenant
	if next == before {
		return s.answer(event.Answered{})
	}
	s.tenant = next
	if err := s.tellSettings(data.By); err != nil {
		return err
	}
	if err := s.resume(before); err != nil {
		return err
	}
	return s.answer(event.Answered{})
}

func holdOf(h ledger.Hold, data event.HoldRequest) (next ledger.Hold, fault string) {
	switch data.Flips {
	case "":
	case event.FlipsHold, event.FlipsApply:
		h.Flips = data.Flips == event.FlipsHold
	default:
		return h, "flips are either held or applied"
	}
	if data.Share != nil {
		h.Guard.Share = *data.Share
	}
	if data.Least != nil {
		h.Guard.Least = *data.Least
	}
	if data.ExpirySeconds != nil {
		h.Expiry = time.Duration(*data.ExpirySeconds) * time.Second
	}
	switch {
	case h.Guard.Share < 0 || h.Guard.Share > 100:
		return h, "a share is 0 to 100 percent"
	case h.Guard.Least < 1:
		return h, "the fewest revocations that are a bulk are 1 or more"
	case h.Expiry < time.Minute:
		return h, "a held change waits for a minute at least"
	}
	return h, ""
}

// tellSettings tells in the record of each product how the tenant's changes are treated from here on.
func (s *session) tellSettings(by string) error {
	flips := event.FlipsApply
	if s.tenant.Hold.Flips {
		flips = event.FlipsHold
	}
	for _, p := range s.products {
		_, err := s.tell(p, event.TypeSettingsChanged, event.PolicySubject(s.tenant.Name, p.Name), s.origin.cause, event.SettingsChanged{
			Tenant: s.tenant.Name, Product: p.Name, By: by, Paused: s.tenant.Paused, Frozen: s.tenant.Frozen,
			Connected: s.tenant.Disconnected == ledger.Connected,
			Hold: event.HoldSettings{
				Flips: flips, Share: s.tenant.Hold.Guard.Share, Least: s.tenant.Hold.Guard.Least,
				ExpirySeconds: int(s.tenant.Hold.Expiry / time.Second),
			},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// resume has decided what was left undecided: everything after a pause, what was parked after a freeze.
func (s *session) resume(before ledger.Tenant) error {
	s.result.Timers = true
	for _, p := range s.products {
		if !p.decides() {
			continue
		}
		thawed, err := s.hold(p, ledger.HeldFreeze)
		if err != nil {
			return err
		}
		switch {
		case before.Frozen && !s.tenant.Frozen && thawed != nil:
			id, err := s.close(p, thawed, ledger.HeldWithdrawn, "", s.origin.cause)
			if err != nil {
				return err
			}
			if err := s.startJob(p, ledger.JobClose, thawed.ID, id); err != nil {
				return err
			}
		case before.Paused && !s.tenant.Paused:
			if err := s.startJob(p, ledger.JobReview, 0, s.origin.cause); err != nil {
				return err
			}
		}
	}
	return nil
}
