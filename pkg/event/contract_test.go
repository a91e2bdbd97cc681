package event_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/event/eventtest"
	"github.com/rollcall-hq/rollcall/schemas"
)

// payloads names the Go type of each event type's data.
var payloads = map[string]reflect.Type{
	event.TypeNotificationReceived: reflect.TypeFor[event.NotificationReceived](),
	event.TypeDirectoryObserved:    reflect.TypeFor[event.DirectoryObserved](),
	event.TypeSnapshotEnded:        reflect.TypeFor[event.SnapshotEnded](),
	event.TypeCandidatesRead:       reflect.TypeFor[event.CandidatesRead](),
	event.TypeRoundEnded:           reflect.TypeFor[event.RoundEnded](),
	event.TypeRefreshRequested:     reflect.TypeFor[event.RefreshRequested](),
	event.TypeReadRequested:        reflect.TypeFor[event.ReadRequested](),
	event.TypeRefreshCompleted:     reflect.TypeFor[event.RefreshCompleted](),
	event.TypeLicenseGranted:       reflect.TypeFor[event.Entitlement](),
	event.TypeLicenseRevoked:       reflect.TypeFor[event.Entitlement](),
	event.TypeLicenseReasonChanged: reflect.TypeFor[event.Entitlement](),
	event.TypePolicyChanged:        reflect.TypeFor[event.PolicyChanged](),
	event.TypeSettingsChanged:      reflect.TypeFor[event.SettingsChanged](),
	event.TypeSeatsChanged:         reflect.TypeFor[event.SeatsChanged](),
	event.TypeSeatsExceeded:        reflect.TypeFor[event.SeatsUse](),
	event.TypeSeatsWithin:          reflect.TypeFor[event.SeatsUse](),
	event.TypeLineChanged:          reflect.TypeFor[event.LineChanged](),
	event.TypeUserActivated:        reflect.TypeFor[event.UserActivated](),
	event.TypeHeldOpened:           reflect.TypeFor[event.HeldOpened](),
	event.TypeHeldListed:           reflect.TypeFor[event.HeldListed](),
	event.TypeHeldClosed:           reflect.TypeFor[event.HeldClosed](),
	event.TypeConnectionObserved:   reflect.TypeFor[event.ConnectionObserved](),
	event.TypeConnectionDegraded:   reflect.TypeFor[event.Degraded](),
	event.TypeConnectionRecovered:  reflect.TypeFor[event.Recovered](),
	event.TypeCredentialExpiring:   reflect.TypeFor[event.CredentialExpiring](),
	event.TypeCredentialReplaced:   reflect.TypeFor[event.CredentialReplaced](),
	event.TypeApproveRequested:     reflect.TypeFor[event.ApproveRequested](),
	event.TypeRejectRequested:      reflect.TypeFor[event.RejectRequested](),
	event.TypeSeatsRequested:       reflect.TypeFor[event.SeatsRequested](),
	event.TypeSettingsRequested:    reflect.TypeFor[event.SettingsRequested](),
	event.TypeDisconnectRequested:  reflect.TypeFor[event.DisconnectRequested](),
	event.TypeConnectRequested:     reflect.TypeFor[event.ConnectRequested](),
	event.TypeEraseRequested:       reflect.TypeFor[event.EraseRequested](),
	event.TypeActivationReported:   reflect.TypeFor[event.ActivationReported](),
	event.TypeAnswered:             reflect.TypeFor[event.Answered](),
	event.TypeDeadLetter:           reflect.TypeFor[event.DeadLetter](),
}

var eventTypes = sortedKeys(payloads)

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// jsonValue parses JSON and keeps numbers as they are written.
func jsonValue(t testing.TB, body []byte) any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("read JSON: %v\n%s", err, body)
	}
	return v
}

func TestEveryTypeConstantHasASchemaAndNothingElseDoes(t *testing.T) {
	t.Parallel()
	declared := typeConstants(t)
	if diff := cmp.Diff(declared, eventTypes); diff != "" {
		t.Errorf("types.go against the payloads of this test:\n%s", diff)
	}
	if diff := cmp.Diff(declared, schemas.EventTypes()); diff != "" {
		t.Errorf("types.go against schemas/events:\n%s", diff)
	}
	entries, err := schemas.FS.ReadDir("examples")
	if err != nil {
		t.Fatal(err)
	}
	var folders []string
	for _, e := range entries {
		folders = append(folders, e.Name())
	}
	if diff := cmp.Diff(declared, folders); diff != "" {
		t.Errorf("types.go against schemas/examples:\n%s", diff)
	}
}

// typeConstants reads the values of the constants Type* from types.go, so that none can be forgotten here.
func typeConstants(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "types.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Type") {
			return true
		}
		value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, value)
		return true
	})
	slices.Sort(values)
	return values
}

func TestSchemasAreNamedAsTheyAreFound(t *testing.T) {
	t.Parallel()
	for _, eventType := range eventTypes {
		body, err := schemas.Event(eventType)
		if err != nil {
			t.Error(err)
			continue
		}
		schema := jsonValue(t, body).(map[string]any)
		if schema["$id"] != event.SchemaURI(eventType) || event.SchemaURI(eventType) != schemas.EventURI(eventType) {
			t.Errorf("%s: $id is %v, events say %s, schemas says %s", eventType, schema["$id"],
				event.SchemaURI(eventType), schemas.EventURI(eventType))
		}
		if schema["title"] == nil || schema["description"] == nil {
			t.Errorf("%s has no title or no description", eventType)
		}
	}
	if _, err := schemas.Event("envelope"); err == nil {
		t.Error("the envelope passes for an event type")
	}
}

func TestPayloadsHaveTheFieldsOfTheirSchemas(t *testing.T) {
	t.Parallel()
	for eventType, payload := range payloads {
		sameFields(t, eventType, payload, eventtest.Shared(t).DataSchema(eventType))
	}
}

// sameFields holds a Go type and a schema together in both directions, down to the last nested field.
func sameFields(t *testing.T, at string, typ reflect.Type, schema *jsonschema.Schema) {
	t.Helper()
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice && items(schema) != nil {
		if typ.Kind() == reflect.Slice {
			schema = items(schema)
			at += "[]"
		}
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct || typ == reflect.TypeFor[time.Time]() {
		if schema != nil && len(properties(schema)) > 0 {
			t.Errorf("%s has properties in its schema, and is a %v in Go", at, typ)
		}
		return
	}
	want := properties(schema)
	got := map[string]reflect.Type{}
	for field := range typ.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		got[name] = field.Type
	}
	if diff := cmp.Diff(sortedKeys(want), sortedKeys(got)); diff != "" {
		t.Errorf("%s (-schema +%v):\n%s", at, typ, diff)
	}
	for name, fieldType := range got {
		if len(want[name]) > 0 {
			sameFields(t, at+"."+name, fieldType, richest(want[name]))
		}
	}
}

// properties collects what a schema says of each property: itself, by reference and under allOf.
func properties(schema *jsonschema.Schema) map[string][]*jsonschema.Schema {
	all := map[string][]*jsonschema.Schema{}
	for _, s := range parts(schema) {
		for name, p := range s.Properties {
			all[name] = append(all[name], p)
		}
	}
	return all
}

// parts returns a schema with all that it takes over without condition.
func parts(schema *jsonschema.Schema) []*jsonschema.Schema {
	if schema == nil {
		return nil
	}
	all := append([]*jsonschema.Schema{schema}, parts(schema.Ref)...)
	for _, s := range schema.AllOf {
		all = append(all, parts(s)...)
	}
	return all
}

// richest picks the statement about a property that lists the most properties of its own: the others narrow it.
func richest(all []*jsonschema.Schema) *jsonschema.Schema {
	return slices.MaxFunc(all, func(a, b *jsonschema.Schema) int {
		return weight(a) - weight(b)
	})
}

func weight(s *jsonschema.Schema) int {
	n := len(properties(s))
	if items(s) != nil {
		n++
	}
	return n
}

func items(schema *jsonschema.Schema) *jsonschema.Schema {
	for _, s := range parts(schema) {
		if s.Items2020 != nil {
			return s.Items2020
		}
	}
	return nil
}

func TestEveryFieldIsDescribed(t *testing.T) {
	t.Parallel()
	described(t, "envelope", eventtest.Shared(t).EnvelopeSchema())
	for _, eventType := range eventTypes {
		described(t, eventType, eventtest.Shared(t).DataSchema(eventType))
	}
}

func described(t *testing.T, at string, schema *jsonschema.Schema) {
	t.Helper()
	for name, statements := range properties(schema) {
		at := at + "." + name
		if !slices.ContainsFunc(statements, func(s *jsonschema.Schema) bool {
			return slices.ContainsFunc(parts(s), func(p *jsonschema.Schema) bool { return p.Description != "" })
		}) {
			t.Errorf("%s has no description", at)
		}
		described(t, at, richest(statements))
		if elements := items(richest(statements)); elements != nil {
			described(t, at+"[]", elements)
		}
	}
}
