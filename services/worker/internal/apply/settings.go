package apply

import (
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// settingsRequested sets how a tenant's changes are treated.
func (s *session) settingsRequested(data event.SettingsRequested) error {
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

// longest is how long a held change may wait.
const longest = 10 * 365 * 24 * time.Hour

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
		h.Expiry = time.Duration(min(*data.ExpirySeconds, int(longest/time.Second)+1)) * time.Second
	}
	switch {
	case h.Guard.Share < 0 || h.Guard.Share > 100:
		return h, "a share is 0 to 100 percent"
	case h.Guard.Least < 0:
		return h, "the fewest revocations that are a bulk are 0 or more"
	case h.Expiry < time.Second || h.Expiry > longest:
		return h, "a held change waits for a second at least, and for ten years at most"
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

// resume has decided what was left undecided: after a pause, and what was parked by a freeze.
func (s *session) resume(before ledger.Tenant) error {
	s.result.Timers = true
	thawed, resumed := before.Frozen && !s.tenant.Frozen, before.Paused && !s.tenant.Paused
	for _, p := range s.products {
		freeze, err := s.hold(p, ledger.HeldFreeze)
		if err != nil {
			return err
		}
		if thawed && freeze != nil {
			if err := s.withdraw(p, freeze, s.origin.cause); err != nil {
				return err
			}
		}
		if s.decides(p) && (resumed || thawed && freeze != nil) {
			if err := s.startJob(p, ledger.JobReview, 0, s.origin.cause); err != nil {
				return err
			}
		}
	}
	return nil
}
