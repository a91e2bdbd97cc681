package event_test

import (
	"pgregory.net/rapid"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

var (
	flips   = shared(rapid.SampledFrom([]string{event.FlipsHold, event.FlipsApply}))
	shares  = shared(rapid.IntRange(0, 100))
	seconds = shared(rapid.IntRange(1, 1<<31))
)

// toWorker makes an event a command with that verb.
func (d *drawn) toWorker(t *rapid.T, verb string) {
	d.meta.Source = event.CommandSource(d.meta.Tenant)
	d.meta.ID = event.CommandID(d.meta.Tenant, verb, eventIDs.Draw(t, "key"))
}

func drawApproveRequested(t *rapid.T, d *drawn) any {
	d.toWorker(t, event.VerbApprove)
	return event.ApproveRequested{
		Product: slugs.Draw(t, "product"), Held: held(t, kinds.Draw(t, "kind")), Revision: revisions.Draw(t, "revision"),
		By: actors.Draw(t, "by"),
	}
}

func drawRejectRequested(t *rapid.T, d *drawn) any {
	d.toWorker(t, event.VerbReject)
	return event.RejectRequested{Product: slugs.Draw(t, "product"), Held: held(t, kinds.Draw(t, "kind")), By: actors.Draw(t, "by")}
}

func drawSeatsRequested(t *rapid.T, d *drawn) any {
	d.toWorker(t, event.VerbSeats)
	seats := event.SeatsRequested{
		Product: slugs.Draw(t, "product"), Purchased: maybe(t, rapid.OneOf(rapid.Just(event.SeatsNotSet), counts), "purchased"),
		By: actors.Draw(t, "by"),
	}
	if seats.Enforce = maybe(t, rapid.Bool(), "enforce"); seats.Purchased == nil && seats.Enforce == nil {
		seats.Enforce = new(bool)
	}
	return seats
}

func drawSettingsRequested(t *rapid.T, d *drawn) any {
	d.toWorker(t, event.VerbSettings)
	settings := event.SettingsRequested{
		Paused: maybe(t, rapid.Bool(), "paused"), Frozen: maybe(t, rapid.Bool(), "frozen"), By: actors.Draw(t, "by"),
	}
	if settings.Paused == nil && settings.Frozen == nil || rapid.Bool().Draw(t, "says what is held") {
		settings.Hold = &event.HoldRequest{
			Flips: rapid.OneOf(rapid.Just(""), flips).Draw(t, "flips"), Share: maybe(t, shares, "share"),
			Least: maybe(t, counts, "least"), ExpirySeconds: maybe(t, seconds, "expiry"),
		}
		if *settings.Hold == (event.HoldRequest{}) {
			settings.Hold.Share = new(int)
		}
	}
	return settings
}

func drawDisconnectRequested(t *rapid.T, d *drawn) any {
	d.toWorker(t, event.VerbDisconnect)
	return event.DisconnectRequested{
		Licenses: rapid.SampledFrom([]string{event.LicensesKeep, event.LicensesRevoke}).Draw(t, "licenses"), By: actors.Draw(t, "by"),
	}
}

func drawConnectRequested(t *rapid.T, d *drawn) any {
	d.toWorker(t, event.VerbConnect)
	return event.ConnectRequested{By: actors.Draw(t, "by")}
}

func drawEraseRequested(t *rapid.T, d *drawn) any {
	d.toWorker(t, event.VerbErase)
	return event.EraseRequested{By: actors.Draw(t, "by")}
}

func drawActivationReported(t *rapid.T, d *drawn) any {
	d.toWorker(t, event.VerbActivation)
	return event.ActivationReported{
		Product: slugs.Draw(t, "product"), User: tokens.Draw(t, "user"), At: instants.Draw(t, "at"), By: actors.Draw(t, "by"),
	}
}

func drawAnswered(t *rapid.T, d *drawn) any {
	d.toWorker(t, event.VerbAnswered)
	d.meta.Cause = eventIDs.Draw(t, "command")
	answer := event.Answered{
		Command: d.meta.Cause, Outcome: event.OutcomeDone, Message: rapid.OneOf(rapid.Just(""), texts).Draw(t, "message"),
	}
	if rapid.Bool().Draw(t, "names a held change") {
		answer.Held, answer.Revision = held(t, kinds.Draw(t, "kind")), revisions.Draw(t, "revision")
	}
	if rapid.Bool().Draw(t, "is refused") {
		answer.Outcome = event.OutcomeRefused
		answer.Code = rapid.SampledFrom([]string{
			event.CodeNoSuchHeld, event.CodeNotOpen, event.CodeRevision, event.CodeListing, event.CodeBadRequest,
			event.CodeNotDisconnected, event.CodeFrozen,
		}).Draw(t, "code")
		if answer.Held != "" {
			answer.Changes = rapid.OneOf(rapid.Just[[]event.HeldUser](nil), lists).Draw(t, "changes")
		}
	}
	return answer
}
