package event_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/event/eventtest"
	"github.com/rollcall-hq/rollcall/schemas"
)

// jsonDiff compares two JSON texts by what they say. Numbers are compared as text: none may lose digits.
func jsonDiff(t *testing.T, want, got []byte) string {
	t.Helper()
	return cmp.Diff(jsonValue(t, want), jsonValue(t, got))
}

func TestValidExamplesKeepToTheContract(t *testing.T) {
	t.Parallel()
	for _, eventType := range eventTypes {
		valid, _ := schemas.Examples(eventType)
		if len(valid) == 0 {
			t.Errorf("%s has no valid example", eventType)
		}
		for _, example := range valid {
			t.Run(eventType+"/"+example.Name, func(t *testing.T) {
				t.Parallel()
				eventtest.ValidateBody(t, example.Body)
				ev, err := event.Decode(example.Body)
				if err != nil {
					t.Fatal(err)
				}
				if ev.Type() != eventType {
					t.Errorf("type is %q, its folder says %q", ev.Type(), eventType)
				}
				again, err := event.Encode(ev)
				if err != nil {
					t.Fatal(err)
				}
				if diff := jsonDiff(t, example.Body, again); diff != "" {
					t.Errorf("decoding and encoding changed it (-was +is):\n%s", diff)
				}
			})
		}
	}
}

func TestInvalidExamplesAreRejected(t *testing.T) {
	t.Parallel()
	for _, eventType := range eventTypes {
		_, invalid := schemas.Examples(eventType)
		if len(invalid) == 0 {
			t.Errorf("%s has no invalid example", eventType)
		}
		for _, example := range invalid {
			t.Run(eventType+"/"+example.Name, func(t *testing.T) {
				t.Parallel()
				if !json.Valid(example.Body) {
					t.Fatal("it is not even JSON: an example must break one thing only")
				}
				if eventtest.Shared(t).Body(example.Body) == nil {
					t.Error("it passes")
				}
			})
		}
	}
}

// TestInvalidExamplesBreakOneThing keeps an example from being refused for another reason than the one it is named for.
func TestInvalidExamplesBreakOneThing(t *testing.T) {
	t.Parallel()
	for _, eventType := range eventTypes {
		_, invalid := schemas.Examples(eventType)
		for _, example := range invalid {
			ofEnvelope := strings.HasPrefix(example.Name, "envelope-")
			var doc map[string]any
			if err := json.Unmarshal(example.Body, &doc); err != nil {
				t.Errorf("%s/%s: %v", eventType, example.Name, err)
				continue
			}
			envelopeHolds := eventtest.Shared(t).EnvelopeSchema().Validate(doc) == nil
			dataHolds := eventtest.Shared(t).DataSchema(eventType).Validate(doc["data"]) == nil
			if ofEnvelope && envelopeHolds || !ofEnvelope && (!envelopeHolds || dataHolds) {
				t.Errorf("%s/%s: envelope holds: %v, data holds: %v", eventType, example.Name, envelopeHolds, dataHolds)
			}
		}
	}
}
