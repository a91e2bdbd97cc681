package held_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/license"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/held"
)

// told is an event of LICENSES about a held change.
func told(t *testing.T, eventType string, data any) license.Event {
	t.Helper()
	ev, err := event.New(eventType, event.Meta{
		ID: event.LicenseID("contoso", "p", 1), Source: event.LicenseSource("contoso", "p"), Time: time.Now(), Tenant: "contoso", Sequence: 1,
	}, data)
	if err != nil {
		t.Fatal(err)
	}
	body, err := event.Encode(ev)
	if err != nil {
		t.Fatal(err)
	}
	e, err := license.Decode(body)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func opened(ref string, grants, revocations int) event.HeldOpened {
	kind, _, _ := strings.Cut(ref, "-")
	o := event.HeldOpened{
		Tenant: "contoso", Product: "p", Held: ref, Kind: kind, Revision: 1, Grants: grants, Revocations: revocations, Expires: time.Now().UTC(),
	}
	if kind == event.HeldFlip {
		o.Mode, o.Group, o.PreviousMode = "group-members", "g1", "all-users"
	}
	return o
}

func listed(ref string, revision int, users ...event.HeldUser) event.HeldListed {
	return event.HeldListed{Tenant: "contoso", Product: "p", Held: ref, Revision: revision, Users: users}
}

func closed(ref, outcome string) event.HeldClosed {
	kind, _, _ := strings.Cut(ref, "-")
	return event.HeldClosed{Tenant: "contoso", Product: "p", Held: ref, Kind: kind, Revision: 1, Outcome: outcome}
}

func loses(user string) event.HeldUser {
	return event.HeldUser{User: user, Listed: true, Reason: "not-a-member"}
}

func gains(user string) event.HeldUser {
	return event.HeldUser{User: user, Listed: true, Licensed: true, Reason: "group-member"}
}

func off(user string) event.HeldUser { return event.HeldUser{User: user} }

// apply folds events of the types that their data says.
func apply(t *testing.T, f *held.Fold, all ...any) {
	t.Helper()
	for _, data := range all {
		e, is := data.(license.Event)
		switch data.(type) {
		case event.HeldOpened:
			e = told(t, event.TypeHeldOpened, data)
		case event.HeldListed:
			e = told(t, event.TypeHeldListed, data)
		case event.HeldClosed:
			e = told(t, event.TypeHeldClosed, data)
		default:
			if !is {
				t.Fatalf("%T", data)
			}
		}
		if err := f.Apply(e); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheListIsFolded(t *testing.T) {
	t.Parallel()
	var f held.Fold
	apply(t, &f, opened("flip-7", 1, 2), listed("flip-7", 1, loses("ada"), loses("bob")))
	if one := f.Open()[0]; one.Whole() {
		t.Error("two of three are the whole list")
	}
	apply(t, &f, opened("revocations-9", 0, 1), listed("flip-7", 2, off("bob"), gains("eve")))
	all := f.Open()
	if len(all) != 2 || all[0].Opened.Held != "flip-7" || all[1].Whole() {
		t.Fatalf("open: %+v", all)
	}
	grants, revocations := all[0].Count()
	if !all[0].Whole() || all[0].Revision != 2 || grants != 1 || revocations != 1 {
		t.Errorf("flip-7 is whole %t at revision %d with %d grants and %d revocations", all[0].Whole(), all[0].Revision, grants, revocations)
	}
	if diff := cmp.Diff([]string{"ada", "eve"}, slices.Sorted(maps.Keys(all[0].Lines))); diff != "" {
		t.Errorf("on the list (-want +got):\n%s", diff)
	}
	apply(t, &f, closed("flip-7", event.HeldApproved), closed("revocations-9", event.HeldWithdrawn))
	if len(f.Open()) != 0 || len(f.Kept()) != 0 {
		t.Errorf("after the end: %+v, %+v", f.Open(), f.Kept())
	}
}

// TestWhatWasRejectedIsKept until it is decided otherwise.
func TestWhatWasRejectedIsKept(t *testing.T) {
	t.Parallel()
	decided := func(user, reason string) license.Event {
		return license.Event{User: user, Entitlement: &event.Entitlement{User: user, Reason: reason}}
	}
	var f held.Fold
	apply(t, &f,
		opened("flip-1", 0, 1), listed("flip-1", 1, loses("ada")), closed("flip-1", event.HeldExpired),
		opened("revocations-5", 0, 2), listed("revocations-5", 1, loses("bob"), loses("eve")), closed("revocations-5", event.HeldRejected),
		decided("bob", "held"), decided("eve", "group-member"),
	)
	kept := f.Kept()
	if len(kept) != 2 || kept[0].Outcome != event.HeldExpired || len(kept[0].Lines) != 1 {
		t.Fatalf("kept: %+v", kept)
	}
	if diff := cmp.Diff([]string{"bob"}, slices.Sorted(maps.Keys(kept[1].Lines))); diff != "" {
		t.Errorf("the licenses that were kept (-want +got):\n%s", diff)
	}
	for name, next := range map[string]any{"another flip": opened("flip-9", 0, 0), "another policy": license.Event{Policy: &event.PolicyChanged{}}} {
		again := held.Fold{}
		apply(t, &again, opened("flip-1", 0, 0), closed("flip-1", event.HeldRejected), next)
		if len(again.Kept()) != 0 {
			t.Errorf("after %s: %+v", name, again.Kept())
		}
	}
}

func TestListsOfNothingAreRefused(t *testing.T) {
	t.Parallel()
	var f held.Fold
	apply(t, &f, opened("flip-1", 0, 0), closed("flip-1", event.HeldApproved))
	for _, e := range []license.Event{
		told(t, event.TypeHeldListed, listed("flip-1", 1, loses("ada"))),
		told(t, event.TypeHeldListed, listed("flip-2", 1, loses("ada"))),
		told(t, event.TypeHeldClosed, closed("flip-1", event.HeldRejected)),
		{Type: event.TypeHeldOpened, Raw: []byte("nothing")},
	} {
		if err := f.Apply(e); err == nil {
			t.Errorf("%s is taken: %s", e.Type, e.Raw)
		}
	}
}
