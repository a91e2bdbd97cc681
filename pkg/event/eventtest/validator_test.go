package eventtest_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/event/eventtest"
	"github.com/rollcall-hq/rollcall/schemas"
)

type object = map[string]any

// example returns a valid example of a type with some attributes and some fields of its data changed.
func example(t *testing.T, eventType, name string, attributes, data object) []byte {
	t.Helper()
	valid, _ := schemas.Examples(eventType)
	for _, e := range valid {
		if e.Name != name {
			continue
		}
		var doc object
		if err := json.Unmarshal(e.Body, &doc); err != nil {
			t.Fatal(err)
		}
		maps.Copy(doc, attributes)
		maps.Copy(doc["data"].(object), data)
		body, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	t.Fatalf("%s has no example %s", eventType, name)
	return nil
}

func TestBodyRefusesWhatContradictsItself(t *testing.T) {
	t.Parallel()
	const moved = "2026-11-25T07:30:00.5Z"
	leaving := object{"user": "u-1", "listed": true, "licensed": false, "reason": "deleted"}
	twice := []object{leaving, leaving}
	for name, test := range map[string]struct {
		eventType, example string
		attributes, data   object
		want               string
	}{
		"schema of another type":   {event.TypeLicenseGranted, "first", object{"dataschema": event.SchemaURI(event.TypeLicenseRevoked)}, nil, "dataschema"},
		"subject of another user":  {event.TypeLicenseGranted, "first", object{"subject": "u1"}, nil, "subject"},
		"id of another sequence":   {event.TypeLicenseGranted, "first", object{"id": "contoso.secure-share.2"}, nil, "id is"},
		"source of another tenant": {event.TypeLicenseGranted, "first", object{"source": event.LicenseSource("fabrikam", "secure-share")}, nil, "source"},
		"key of another tenant":    {event.TypeLicenseGranted, "first", object{"partitionkey": "fabrikam"}, nil, "partitionkey"},
		"data of another tenant":   {event.TypeLicenseGranted, "first", nil, object{"tenant": "fabrikam"}, "partitionkey"},
		"data of another product":  {event.TypePolicyChanged, "to-group-members", nil, object{"product": "other"}, "source"},
		"since moved with reason": {
			event.TypeLicenseReasonChanged, "domain-default-to-group-member", nil, object{"since": moved}, "access stayed",
		},
		"since went back":               {event.TypeLicenseRevoked, "suspended", nil, object{"since": "2026-11-23T00:00:00Z"}, "went back"},
		"notification elsewhere":        {event.TypeNotificationReceived, "group-updated", object{"partitionkey": "fabrikam"}, nil, "source"},
		"page elsewhere":                {event.TypeDirectoryObserved, "removed", object{"partitionkey": "fabrikam"}, nil, "source"},
		"command elsewhere":             {event.TypeReadRequested, "one-round", object{"partitionkey": "fabrikam"}, nil, "source"},
		"seats of another product":      {event.TypeSeatsChanged, "set", nil, object{"product": "other"}, "source"},
		"connection of another product": {event.TypeConnectionDegraded, "consent", nil, object{"product": "other"}, "source"},
		"connection of another tenant":  {event.TypeConnectionObserved, "working", object{"partitionkey": "fabrikam"}, nil, "source"},
		"seats exceeded by none":        {event.TypeSeatsExceeded, "by-one", nil, object{"used": 400}, "400 of 400"},
		"seats within by one too few":   {event.TypeSeatsWithin, "again", nil, object{"used": 401}, "401 of 400"},
		"held change of another kind":   {event.TypeHeldClosed, "approved", nil, object{"held": "freeze-2001"}, "of kind"},
		"user listed twice":             {event.TypeHeldListed, "whole-list", nil, object{"users": twice}, "twice"},
		"user changed twice":            {event.TypeAnswered, "list-has-changed", nil, object{"changes": twice}, "twice"},
		"command of another verb":       {event.TypeApproveRequested, "flip", object{"id": "contoso.reject.1"}, nil, "approve"},
		"command of another tenant":     {event.TypeEraseRequested, "all", object{"id": "fabrikam.erase.1"}, nil, "contoso.erase"},
		"answer with another cause":     {event.TypeAnswered, "done", object{"causationid": "contoso.approve.1"}, nil, "causationid"},
		"answer with another id":        {event.TypeAnswered, "done", object{"id": "contoso.approve.1"}, nil, "answered"},
		"another stream's letter": {
			event.TypeDeadLetter, "empty-body", object{"source": event.DeadLetterSource("NOTIFICATIONS")}, nil, "source",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := eventtest.Shared(t).Body(example(t, test.eventType, test.example, test.attributes, test.data))
			if err == nil || !strings.Contains(err.Error(), "contradicts itself") || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want a contradiction that says %q", err, test.want)
			}
		})
	}
}

func TestBodySaysWhereItBreaksTheContract(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		body []byte
		want string
	}{
		"no JSON":  {[]byte("{"), "read event"},
		"a list":   {[]byte("[]"), "envelope"},
		"envelope": {example(t, event.TypeLicenseGranted, "first", object{"time": "now"}, nil), "envelope"},
		"data":     {example(t, event.TypeLicenseGranted, "first", nil, object{"reason": "because"}), "data of " + event.TypeLicenseGranted},
		"unknown type": {
			example(t, event.TypeReadRequested, "one-round", object{"type": "io.rollcall.command.dance-requested.v1"}, nil), "has no schema",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := eventtest.Shared(t).Body(test.body); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want one that says %q", err, test.want)
			}
		})
	}
}

func TestEventChecksWhatWouldBeSent(t *testing.T) {
	t.Parallel()
	if eventtest.Shared(t).Event(event.Event{}) == nil {
		t.Error("an empty event passes")
	}
	ev, err := event.New(event.TypeRefreshRequested, event.Meta{
		ID: "contoso.refresh.1", Source: event.CommandSource("contoso"), Time: time.Unix(0, 0), Tenant: "contoso",
	}, event.RefreshRequested{RequestedBy: "cli"})
	if err != nil {
		t.Fatal(err)
	}
	eventtest.Validate(t, ev)
	ev.SetID("with space")
	if eventtest.Shared(t).Event(ev) == nil {
		t.Error("an id with a space passes")
	}
}
