package eventtest

import (
	"sync"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

// compiled is shared by all tests of a process: compiling takes longer than most of them.
var compiled = sync.OnceValues(NewValidator)

// Shared returns the Validator that all tests of a process share.
func Shared(t testing.TB) *Validator {
	t.Helper()
	v, err := compiled()
	if err != nil {
		t.Fatalf("compile the schemas: %v", err)
	}
	return v
}

// Validate fails the test when ev does not keep to the contract. Whoever publishes an event calls it in a test.
func Validate(t testing.TB, ev event.Event) {
	t.Helper()
	if err := Shared(t).Event(ev); err != nil {
		t.Errorf("event does not keep to schemas/: %v", err)
	}
}

// ValidateBody is Validate for an event as it travels.
func ValidateBody(t testing.TB, body []byte) {
	t.Helper()
	if err := Shared(t).Body(body); err != nil {
		t.Errorf("event does not keep to schemas/: %v\n%s", err, body)
	}
}
