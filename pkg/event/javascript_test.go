package event_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/event/eventtest"
	"github.com/rollcall-hq/rollcall/schemas"
)

// TestJavaScriptReadsEveryExample shows that a stock CloudEvents SDK of another language understands Rollcall's events.
func TestJavaScriptReadsEveryExample(t *testing.T) {
	t.Parallel()
	want := map[string]int{}
	var bodies [][]byte
	for _, eventType := range eventTypes {
		valid, _ := schemas.Examples(eventType)
		want[eventType] = len(valid)
		for _, example := range valid {
			bodies = append(bodies, example.Body)
		}
	}
	if diff := cmp.Diff(want, eventtest.JavaScript(t, bodies...)); diff != "" {
		t.Errorf("events by type (-given +read):\n%s", diff)
	}
}
