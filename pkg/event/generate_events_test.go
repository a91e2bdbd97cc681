package event_test

import (
	"encoding/json"

	"pgregory.net/rapid"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

// drawn is what New is to be called with.
type drawn struct {
	eventType string
	meta      event.Meta
	data      any
}

// draw draws an event of a type.
func draw(t *rapid.T, eventType string) drawn {
	d := drawn{eventType: eventType, meta: event.Meta{
		ID: eventIDs.Draw(t, "id"), Time: instants.Draw(t, "time"), Tenant: slugs.Draw(t, "tenant"),
		Cause:       rapid.OneOf(rapid.Just(""), eventIDs).Draw(t, "cause"),
		TraceParent: rapid.OneOf(rapid.Just(""), rapid.StringMatching(`00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]`)).Draw(t, "trace"),
	}}
	generate := generators[eventType]
	if generate == nil {
		t.Fatalf("no generator for %s", eventType)
	}
	d.data = generate(t, &d)
	return d
}

// generators draw the data of each type, and the attributes that depend on it.
var generators = map[string]func(*rapid.T, *drawn) any{
	event.TypeLicenseGranted:       drawLicense(false, true),
	event.TypeLicenseRevoked:       drawLicense(true, false),
	event.TypeLicenseReasonChanged: drawReasonChanged,
	event.TypePolicyChanged:        drawPolicy,
	event.TypeSettingsChanged:      drawSettingsChanged,
	event.TypeSeatsChanged:         drawSeatsChanged,
	event.TypeSeatsExceeded:        drawSeatsUse(true),
	event.TypeSeatsWithin:          drawSeatsUse(false),
	event.TypeLineChanged:          drawLineChanged,
	event.TypeUserActivated:        drawActivated,
	event.TypeHeldOpened:           drawHeldOpened,
	event.TypeHeldListed:           drawHeldListed,
	event.TypeHeldClosed:           drawHeldClosed,
	event.TypeConnectionObserved:   drawConnectionObserved,
	event.TypeConnectionDegraded:   drawDegraded,
	event.TypeConnectionRecovered:  drawRecovered,
	event.TypeCredentialExpiring:   drawExpiring,
	event.TypeCredentialReplaced:   drawReplaced,
	event.TypeNotificationReceived: drawNotification,
	event.TypeDirectoryObserved:    drawObserved,
	event.TypeSnapshotEnded:        drawSnapshotEnded,
	event.TypeCandidatesRead:       drawCandidatesRead,
	event.TypeRoundEnded:           drawRoundEnded,
	event.TypeRefreshRequested:     drawRefreshRequested,
	event.TypeReadRequested:        drawReadRequested,
	event.TypeRefreshCompleted:     drawRefreshCompleted,
	event.TypeApproveRequested:     drawApproveRequested,
	event.TypeRejectRequested:      drawRejectRequested,
	event.TypeSeatsRequested:       drawSeatsRequested,
	event.TypeSettingsRequested:    drawSettingsRequested,
	event.TypeDisconnectRequested:  drawDisconnectRequested,
	event.TypeConnectRequested:     drawConnectRequested,
	event.TypeEraseRequested:       drawEraseRequested,
	event.TypeActivationReported:   drawActivationReported,
	event.TypeAnswered:             drawAnswered,
	event.TypeDeadLetter:           drawDeadLetter,
}

func drawNotification(t *rapid.T, d *drawn) any {
	d.meta.Source = event.NotificationSource(d.meta.Tenant)
	data := event.NotificationReceived{
		Provider:       rapid.SampledFrom([]string{"entra", "google-workspace"}).Draw(t, "provider"),
		SubscriptionID: tokens.Draw(t, "subscription"), Channel: tokens.Draw(t, "channel"),
	}
	if rapid.Bool().Draw(t, "is of lifecycle") {
		data.Lifecycle = rapid.SampledFrom([]string{"opened", "expires", "removed", "missed"}).Draw(t, "lifecycle")
		return data
	}
	data.Resource = rapid.SampledFrom([]string{"user", "group", "activity"}).Draw(t, "resource")
	data.ID = rapid.OneOf(rapid.Just(""), tokens).Draw(t, "object")
	data.Change = rapid.SampledFrom([]string{"", "created", "updated", "deleted"}).Draw(t, "change")
	return data
}

func drawObserved(t *rapid.T, d *drawn) any {
	d.meta.Source = event.DirectorySource(d.meta.Tenant)
	return event.DirectoryObserved{
		Stamp: event.StampOf(stamps.Draw(t, "stamp")), Snapshot: rapid.OneOf(rapid.Just(""), eventIDs).Draw(t, "snapshot"),
		Observations: event.FromObservations(rapid.SliceOfN(observations, 0, 5).Draw(t, "page")),
	}
}

func drawSnapshotEnded(t *rapid.T, d *drawn) any {
	d.meta.Source = event.DirectorySource(d.meta.Tenant)
	return event.SnapshotEnded{
		Snapshot: eventIDs.Draw(t, "snapshot"), Began: event.StampOf(stamps.Draw(t, "began")),
		Users: rapid.Bool().Draw(t, "users"), Groups: rapid.Bool().Draw(t, "groups"),
		Members: some(tokens).Draw(t, "members"), Pages: counts.Draw(t, "pages"), SetAside: some(tokens).Draw(t, "aside"),
	}
}

func drawCandidatesRead(t *rapid.T, d *drawn) any {
	d.meta.Source = event.DirectorySource(d.meta.Tenant)
	return event.CandidatesRead{
		Snapshot: eventIDs.Draw(t, "snapshot"), Request: eventIDs.Draw(t, "request"), Unproven: counts.Draw(t, "unproven"),
	}
}

func drawRoundEnded(t *rapid.T, d *drawn) any {
	d.meta.Source = event.DirectorySource(d.meta.Tenant)
	return event.RoundEnded{
		Began: instants.Draw(t, "began"), Stamp: event.StampOf(stamps.Draw(t, "stamp")), Requests: counts.Draw(t, "requests"),
		Vanishing: some(tokens).Draw(t, "vanishing"),
	}
}

func drawRefreshRequested(t *rapid.T, d *drawn) any {
	d.meta.Source = event.CommandSource(d.meta.Tenant)
	return event.RefreshRequested{
		RequestedBy: rapid.SampledFrom([]string{"cli", "schedule", "connect"}).Draw(t, "requested by"), Preview: rapid.Bool().Draw(t, "preview"),
		By: rapid.OneOf(rapid.Just(""), actors).Draw(t, "by"),
	}
}

func drawReadRequested(t *rapid.T, d *drawn) any {
	d.meta.Source = event.CommandSource(d.meta.Tenant)
	if rapid.Bool().Draw(t, "is for one round") {
		return event.ReadRequested{}
	}
	return event.ReadRequested{
		Snapshot: eventIDs.Draw(t, "snapshot"), Users: some(tokens).Draw(t, "users"), Groups: some(tokens).Draw(t, "groups"),
		Members: some(rapid.Map(memberships, event.FromMembership)).Draw(t, "members"),
	}
}

func drawRefreshCompleted(t *rapid.T, d *drawn) any {
	d.meta.Source = event.CommandSource(d.meta.Tenant)
	return event.RefreshCompleted{
		Snapshot: eventIDs.Draw(t, "snapshot"), Users: counts.Draw(t, "users"), Groups: counts.Draw(t, "groups"),
		Granted: counts.Draw(t, "granted"), Revoked: counts.Draw(t, "revoked"), Removed: counts.Draw(t, "removed"),
		Unproven: counts.Draw(t, "unproven"), Error: rapid.OneOf(rapid.Just(""), texts).Draw(t, "error"),
		Holds: some(refreshHolds).Draw(t, "holds"),
	}
}

func drawDeadLetter(t *rapid.T, d *drawn) any {
	d.meta.Source = event.DeadLetterSource("LEDGER_IN")
	letter := event.DeadLetter{
		Stream: "LEDGER_IN", Sequence: rapid.Uint64Min(1).Draw(t, "sequence"), Subject: event.DirectorySubject(d.meta.Tenant, "page"),
		Consumer: "worker-p07", Deliveries: rapid.Uint64Min(1).Draw(t, "deliveries"), Reason: texts.Draw(t, "reason"),
	}
	if rapid.Bool().Draw(t, "was JSON") {
		letter.Event = json.RawMessage(`{"specversion":"1.0"}`)
	} else {
		letter.Body = rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(t, "body")
	}
	return letter
}
