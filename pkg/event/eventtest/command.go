package eventtest

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

// ofCommands checks a command to the worker, or its answer: its id tells the tenant and the verb.
func ofCommands(ev event.Event, verb string) error {
	tenant := event.Tenant(ev)
	var err error
	if begin := event.CommandID(tenant, verb, ""); !strings.HasPrefix(ev.ID(), begin) {
		err = fmt.Errorf("id is %q, want %s<key>", ev.ID(), begin)
	}
	return errors.Join(err, want("source", ev.Source(), event.CommandSource(tenant)))
}

// verbOf returns the verb of a type of command to the worker, "" for any other type.
func verbOf(eventType string) string {
	switch eventType {
	case event.TypeApproveRequested:
		return event.VerbApprove
	case event.TypeRejectRequested:
		return event.VerbReject
	case event.TypeSeatsRequested:
		return event.VerbSeats
	case event.TypeSettingsRequested:
		return event.VerbSettings
	case event.TypeDisconnectRequested:
		return event.VerbDisconnect
	case event.TypeConnectRequested:
		return event.VerbConnect
	case event.TypeEraseRequested:
		return event.VerbErase
	case event.TypeActivationReported:
		return event.VerbActivation
	default:
		return ""
	}
}
