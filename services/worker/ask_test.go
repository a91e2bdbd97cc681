package worker_test

import (
	"strconv"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
)

// publishCommand gives one, and returns its id.
func (h *house) publishCommand(tenantID, verb, eventType string, data any) (id string) {
	h.t.Helper()
	h.pages++
	id = event.CommandID(tenantID, verb, strconv.Itoa(h.pages))
	ev, err := event.New(eventType, event.Meta{
		ID: id, Source: event.CommandSource(tenantID), Time: time.Now(), Tenant: tenantID,
	}, data)
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.bus.Publish(h.t.Context(), event.CommandSubject(tenantID, verb), ev); err != nil {
		h.t.Fatal(err)
	}
	return id
}

// command gives one that is answered, and waits until it is done.
func (h *house) command(tenantID, verb, eventType string, data any) {
	h.t.Helper()
	id := h.publishCommand(tenantID, verb, eventType, data)
	all := h.await(bus.LedgerIn, func(all []event.Event) bool {
		last := all[len(all)-1]
		return last.Type() == event.TypeAnswered && event.Cause(last) == id
	})
	answer, err := event.Data[event.Answered](all[len(all)-1])
	if err != nil || answer.Outcome != event.OutcomeDone {
		h.t.Fatalf("%s: %+v, %v", verb, answer, err)
	}
}

// approve waits for a held change of a kind and approves it as it is on its first list.
func (h *house) approve(tenantID, kind string) {
	h.t.Helper()
	h.command(tenantID, event.VerbApprove, event.TypeApproveRequested, event.ApproveRequested{
		Product: "secure-share", Held: h.held(kind).Held, Revision: 1, By: "operator",
	})
}

// held waits for a held change of a kind to be announced with its list, and returns the last one.
func (h *house) held(kind string) (opened event.HeldOpened) {
	h.t.Helper()
	h.await(bus.Licenses, func(all []event.Event) bool {
		last := all[len(all)-1]
		if last.Type() == event.TypeHeldOpened {
			data, err := event.Data[event.HeldOpened](last)
			if err != nil {
				h.t.Fatal(err)
			}
			if data.Kind == kind {
				opened = data
			}
		}
		return opened.Held != "" && last.Type() == event.TypeHeldListed
	})
	return opened
}
