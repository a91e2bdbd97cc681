package api

import (
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/api/openapi"
	"github.com/rollcall-hq/rollcall/services/internal/answer"
)

// What other packages say, in the words of the document. Lists that have to be there are never null.

func listed[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}

func mapped[From, To any](all []From, to func(From) To) []To {
	list := make([]To, len(all))
	for i, one := range all {
		list[i] = to(one)
	}
	return list
}

func standingOf(s *answer.Standing) openapi.Standing {
	out := openapi.Standing{
		Frozen: s.Frozen, Paused: s.Paused, Disconnected: s.Disconnected, Licenses: openapi.StandingLicenses(s.Licenses),
		Restoring: s.Restoring, StaleSince: s.StaleSince,
		Held: mapped(s.Held, func(h answer.OpenHeld) openapi.OpenHeld {
			return openapi.OpenHeld{Product: h.Product, Held: h.Held, Kind: openapi.HeldKind(h.Kind), State: openapi.HeldState(h.State)}
		}),
	}
	if s.Degraded != nil {
		out.Degraded = degradedOf(*s.Degraded)
	}
	out.Credential = credentialOf(s.Credential)
	return out
}

func credentialOf(c *answer.Credential) openapi.Credential {
	if c == nil {
		return openapi.Credential{}
	}
	return openapi.Credential{Expires: c.Expires, Detail: c.Detail, Action: c.Action}
}

func degradedOf(d answer.Degraded) openapi.Degraded {
	return openapi.Degraded{Class: d.Class, Since: d.Since, Check: d.Check, Detail: d.Detail, Action: d.Action}
}

func decisionOf(d answer.Decision) openapi.Decision {
	out := openapi.Decision{
		Product: d.Product, Licensed: d.Licensed, Reason: d.Reason, Why: d.Why, Mode: openapi.Mode(d.Mode), GroupAddress: d.Group,
		Path: stepsOf(d.Path), Removed: d.Removed,
	}
	if d.Since != nil {
		out.Since = *d.Since
	}
	if d.Parked != nil {
		out.Parked = parkedOf(*d.Parked)
	}
	return out
}

func stepsOf(path []answer.Step) []openapi.Step {
	if path == nil {
		return nil
	}
	return mapped(path, func(s answer.Step) openapi.Step { return openapi.Step{ID: s.ID, Name: s.Name} })
}

func parkedOf(p answer.Parked) openapi.Parked {
	out := openapi.Parked{Against: p.Against}
	for _, h := range p.Held {
		out.Held = append(out.Held, openapi.ParkedBy{
			Held: h.Held, Kind: openapi.HeldKind(h.Kind), WouldBeLicensed: h.Would, WouldBeReason: h.Reason, Expires: h.Expires,
		})
	}
	if p.Waiting != nil {
		out.Waiting = openapi.InLine{Place: p.Waiting.Place, InLine: p.Waiting.InLine}
	}
	if r := p.Rejected; r != nil {
		out.Rejected = openapi.RejectedBy{Held: r.Held, Outcome: openapi.RejectedByOutcome(r.Outcome), By: r.By, At: r.At}
	}
	return out
}

func seatsSet(s licensing.Seats) openapi.SeatsSet {
	return openapi.SeatsSet{Purchased: purchased(s), Enforce: s.Enforce}
}

// purchased is nil where nobody has said how many seats were bought.
func purchased(s licensing.Seats) *int {
	if s.Purchased < 0 {
		return nil
	}
	return &s.Purchased
}
