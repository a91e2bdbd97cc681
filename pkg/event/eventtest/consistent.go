package eventtest

import (
	"errors"
	"fmt"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

// consistent checks what no JSON Schema can say: that attributes and data of one event agree.
func consistent(ev event.Event) error {
	errs := []error{want("dataschema", ev.DataSchema(), event.SchemaURI(ev.Type()))}
	tenant := event.Tenant(ev)
	switch ev.Type() {
	case event.TypeLicenseGranted, event.TypeLicenseRevoked, event.TypeLicenseReasonChanged:
		data, err := event.Data[event.Entitlement](ev)
		errs = append(errs, err, want("subject", ev.Subject(), data.User), ofLicenses(ev, data.Tenant, data.Product),
			follows(data))
	case event.TypePolicyChanged, event.TypeSettingsChanged, event.TypeSeatsChanged, event.TypeLineChanged, event.TypeUserActivated,
		event.TypeConnectionDegraded, event.TypeConnectionRecovered, event.TypeCredentialExpiring, event.TypeCredentialReplaced:
		data, err := event.Data[struct{ Tenant, Product string }](ev)
		errs = append(errs, err, ofLicenses(ev, data.Tenant, data.Product))
	case event.TypeSeatsExceeded, event.TypeSeatsWithin:
		data, err := event.Data[event.SeatsUse](ev)
		errs = append(errs, err, ofLicenses(ev, data.Tenant, data.Product), counted(ev.Type(), data))
	case event.TypeHeldOpened, event.TypeHeldListed, event.TypeHeldClosed:
		data, err := event.Data[heldChange](ev)
		errs = append(errs, err, ofLicenses(ev, data.Tenant, data.Product), data.consistent())
	case event.TypeNotificationReceived:
		errs = append(errs, want("source", ev.Source(), event.NotificationSource(tenant)))
	case event.TypeDirectoryObserved, event.TypeSnapshotEnded, event.TypeCandidatesRead, event.TypeRoundEnded,
		event.TypeConnectionObserved:
		errs = append(errs, want("source", ev.Source(), event.DirectorySource(tenant)))
	case event.TypeRefreshRequested, event.TypeReadRequested, event.TypeRefreshCompleted:
		errs = append(errs, want("source", ev.Source(), event.CommandSource(tenant)))
	case event.TypeAnswered:
		data, err := event.Data[event.Answered](ev)
		errs = append(errs, err, ofCommands(ev, event.VerbAnswered), want("causationid", event.Cause(ev), data.Command), eachOnce(data.Changes))
	case event.TypeDeadLetter:
		data, err := event.Data[event.DeadLetter](ev)
		errs = append(errs, err, want("source", ev.Source(), event.DeadLetterSource(data.Stream)))
	default:
		if verb := verbOf(ev.Type()); verb != "" {
			errs = append(errs, ofCommands(ev, verb))
		}
	}
	return errors.Join(errs...)
}

// ofLicenses checks an event of LICENSES: its source and id tell the tenant, the product and the sequence.
func ofLicenses(ev event.Event, tenant, product string) error {
	sequence, err := event.Sequence(ev)
	return errors.Join(err,
		want("partitionkey", event.Tenant(ev), tenant),
		want("source", ev.Source(), event.LicenseSource(tenant, product)),
		want("id", ev.ID(), event.LicenseID(tenant, product, sequence)))
}

// follows checks that a decision's since moves exactly when access does.
func follows(e event.Entitlement) error {
	switch p := e.Previous; {
	case p == nil:
		return nil
	case p.Licensed == e.Licensed && !p.Since.Equal(e.Since):
		return fmt.Errorf("since moved from %v to %v although access stayed", p.Since, e.Since)
	case p.Licensed != e.Licensed && e.Since.Before(p.Since):
		return fmt.Errorf("since went back from %v to %v", p.Since, e.Since)
	}
	return nil
}

func want(what, got, want string) error {
	if got != want {
		return fmt.Errorf("%s is %q, want %q", what, got, want)
	}
	return nil
}
