package event_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/event/eventtest"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/schemas"
)

// TestExamplesShowEveryValue holds that each value of each closed set is in some valid example.
func TestExamplesShowEveryValue(t *testing.T) {
	t.Parallel()
	shown := map[string]map[any]bool{} // by the place of the set in the schemas
	for _, eventType := range eventTypes {
		schema := eventtest.Shared(t).DataSchema(eventType)
		valid, _ := schemas.Examples(eventType)
		for _, example := range valid {
			var doc map[string]any
			if err := json.Unmarshal(example.Body, &doc); err != nil {
				t.Fatal(err)
			}
			show(shown, schema, doc["data"])
		}
	}
	if len(shown) < 14 {
		t.Errorf("only %d closed sets were found", len(shown))
	}
	for place, values := range shown {
		for value, seen := range values {
			if !seen {
				t.Errorf("%s: no valid example has %q", place, value)
			}
		}
	}
}

// show marks which values of closed sets are in a document.
func show(shown map[string]map[any]bool, schema *jsonschema.Schema, value any) {
	for _, part := range parts(schema) {
		if part.Enum == nil {
			continue
		}
		if shown[part.Location] == nil {
			shown[part.Location] = map[any]bool{}
			for _, v := range part.Enum.Values {
				shown[part.Location][v] = false
			}
		}
		if value != nil {
			shown[part.Location][value] = true
		}
	}
	object, _ := value.(map[string]any)
	for name, statements := range properties(schema) {
		for _, s := range statements {
			show(shown, s, object[name])
		}
	}
	list, _ := value.([]any)
	for _, element := range list {
		show(shown, items(schema), element)
	}
}

// TestClosedSetsAreThoseOfTheCode holds that what the code can write is what the schemas allow.
func TestClosedSetsAreThoseOfTheCode(t *testing.T) {
	t.Parallel()
	entitlement := eventtest.Shared(t).DataSchema(event.TypeLicenseGranted)
	policy := eventtest.Shared(t).DataSchema(event.TypePolicyChanged)
	settings := eventtest.Shared(t).DataSchema(event.TypeSettingsChanged)
	opened := eventtest.Shared(t).DataSchema(event.TypeHeldOpened)
	closed := eventtest.Shared(t).DataSchema(event.TypeHeldClosed)
	answered := eventtest.Shared(t).DataSchema(event.TypeAnswered)
	disconnect := eventtest.Shared(t).DataSchema(event.TypeDisconnectRequested)
	degraded := eventtest.Shared(t).DataSchema(event.TypeConnectionDegraded)
	connection := eventtest.Shared(t).DataSchema(event.TypeConnectionObserved)
	observed := items(richest(properties(eventtest.Shared(t).DataSchema(event.TypeDirectoryObserved))["observations"]))
	for name, test := range map[string]struct {
		schema *jsonschema.Schema
		path   []string
		values []any
	}{
		"status": {observed, []string{"user", "status"}, []any{
			string(directory.Active), string(directory.Suspended), string(directory.Archived), string(directory.Deleted),
		}},
		"group kind": {observed, []string{"group", "kind"}, []any{
			string(directory.Microsoft365), string(directory.Security), string(directory.MailEnabledSecurity),
			string(directory.Distribution), string(directory.WorkspaceGroup),
		}},
		"member kind": {observed, []string{"membership", "member_kind"}, []any{
			string(directory.UserMember), string(directory.GroupMember), string(directory.CustomerMember), string(directory.OtherMember),
		}},
		"mode": {policy, []string{"mode"}, []any{string(licensing.AllUsers), string(licensing.GroupMembers)}},
		"reason": {entitlement, []string{"reason"}, []any{
			string(licensing.DomainDefault), string(licensing.GroupMember), string(licensing.NotAMember),
			string(licensing.Suspended), string(licensing.Deleted), string(licensing.Guest), string(licensing.OverSeatLimit),
			string(licensing.Disconnected), string(licensing.Held),
		}},
		"flips":   {settings, []string{"hold", "flips"}, []any{event.FlipsHold, event.FlipsApply}},
		"kind":    {opened, []string{"kind"}, []any{event.HeldFlip, event.HeldRevocations, event.HeldRefresh, event.HeldFreeze}},
		"end":     {closed, []string{"outcome"}, []any{event.HeldApproved, event.HeldRejected, event.HeldExpired, event.HeldWithdrawn}},
		"outcome": {answered, []string{"outcome"}, []any{event.OutcomeDone, event.OutcomeRefused}},
		"code": {answered, []string{"code"}, []any{
			event.CodeNoSuchHeld, event.CodeNotOpen, event.CodeRevision, event.CodeListing, event.CodeBadRequest,
			event.CodeNotDisconnected, event.CodeFrozen,
		}},
		"class": {degraded, []string{"class"}, []any{
			event.ClassSignIn, event.ClassConsent, event.ClassUnreachable, event.ClassThrottled, event.ClassFailing,
			event.ClassQuota, event.ClassSilent,
		}},
		"state":    {connection, []string{"state"}, []any{event.ConnectionWorking, event.ConnectionDegraded}},
		"licenses": {disconnect, []string{"licenses"}, []any{event.LicensesKeep, event.LicensesRevoke}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			allowed := enumAt(t, test.schema, test.path)
			for _, value := range test.values {
				if !slices.Contains(allowed, value) {
					t.Errorf("the code writes %q, the schema allows %v", value, allowed)
				}
			}
			if len(allowed) != len(test.values) {
				t.Errorf("the schema allows %v, the code knows %v", allowed, test.values)
			}
		})
	}
}

func enumAt(t *testing.T, schema *jsonschema.Schema, path []string) []any {
	t.Helper()
	for _, name := range path {
		schema = richest(properties(schema)[name])
	}
	for _, part := range parts(schema) {
		if part.Enum != nil {
			return part.Enum.Values
		}
	}
	t.Fatalf("no closed set at %v", path)
	return nil
}
