package apply_test

import (
	"github.com/rollcall-hq/rollcall/pkg/event"
)

const (
	share    = "secure-share"
	operator = "user:ops"
)

func (h *harness) approve(held string, revision int) string {
	h.t.Helper()
	return h.ask("contoso", event.VerbApprove, event.TypeApproveRequested, event.ApproveRequested{
		Product: share, Held: h.alias(held), Revision: revision, By: operator,
	})
}

func (h *harness) reject(held string) string {
	h.t.Helper()
	return h.ask("contoso", event.VerbReject, event.TypeRejectRequested, event.RejectRequested{Product: share, Held: h.alias(held), By: operator})
}

// seats sets how many were purchased, and whether they are a limit.
func (h *harness) seats(purchased int, enforce bool) {
	h.t.Helper()
	h.ask("contoso", event.VerbSeats, event.TypeSeatsRequested, event.SeatsRequested{
		Product: share, Purchased: &purchased, Enforce: &enforce, By: operator,
	})
}

func (h *harness) settings(s event.SettingsRequested) {
	h.t.Helper()
	s.By = operator
	h.ask("contoso", event.VerbSettings, event.TypeSettingsRequested, s)
}

func (h *harness) pause(yes bool) { h.t.Helper(); h.settings(event.SettingsRequested{Paused: &yes}) }

func (h *harness) freeze(yes bool) { h.t.Helper(); h.settings(event.SettingsRequested{Frozen: &yes}) }

func (h *harness) holding(hold event.HoldRequest) {
	h.t.Helper()
	h.settings(event.SettingsRequested{Hold: &hold})
}

func (h *harness) disconnect(licenses string) {
	h.t.Helper()
	h.ask("contoso", event.VerbDisconnect, event.TypeDisconnectRequested, event.DisconnectRequested{Licenses: licenses, By: operator})
}

func (h *harness) connect() {
	h.t.Helper()
	h.ask("contoso", event.VerbConnect, event.TypeConnectRequested, event.ConnectRequested{By: operator})
}

func (h *harness) erase() {
	h.t.Helper()
	h.ask("contoso", event.VerbErase, event.TypeEraseRequested, event.EraseRequested{By: operator})
}

func number(n int) *int { return &n }

func holdRequest(share, least int) event.HoldRequest {
	return event.HoldRequest{Share: &share, Least: &least}
}
