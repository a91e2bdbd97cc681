package event_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/cloudevents/sdk-go/v2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/schemas"
)

// asWritten compares URIs by their text: a URL in Go also remembers how it was spelled before.
var asWritten = cmp.Options{
	cmp.Comparer(func(a, b types.URI) bool { return a.String() == b.String() }),
	cmp.Comparer(func(a, b types.URIRef) bool { return a.String() == b.String() }),
}

// FuzzDecode holds that nothing makes Decode panic, and that what it accepts survives the way out and in again.
func FuzzDecode(f *testing.F) {
	for _, eventType := range schemas.EventTypes() {
		valid, invalid := schemas.Examples(eventType)
		for _, example := range append(valid, invalid...) {
			f.Add(example.Body)
		}
	}
	for _, body := range badBodies {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		first, err := event.Decode(body)
		if err != nil {
			return
		}
		wire, err := event.Encode(first)
		if err != nil {
			t.Fatalf("decoded, but cannot be encoded: %v", err)
		}
		second, err := event.Decode(wire)
		if err != nil {
			t.Fatalf("encoded, but cannot be decoded: %v\n%s", err, wire)
		}
		if diff := cmp.Diff(first.Context, second.Context, asWritten); diff != "" {
			t.Fatalf("attributes changed (-first +second):\n%s", diff)
		}
		if !bytes.Equal(compact(t, first.Data()), compact(t, second.Data())) {
			t.Fatalf("data changed from %q to %q", first.Data(), second.Data())
		}
		_, _ = event.Data[event.DirectoryObserved](first)
		_, _ = event.Sequence(first)
	})
}

// FuzzObservation holds that an observation that is read off the wire is written to it as the same.
func FuzzObservation(f *testing.F) {
	valid, invalid := schemas.Examples(event.TypeDirectoryObserved)
	for _, example := range append(valid, invalid...) {
		ev, err := event.Decode(example.Body)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(ev.Data())
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var wire event.DirectoryObserved
		if json.Unmarshal(body, &wire) != nil {
			return
		}
		page, err := wire.Directory()
		if err != nil {
			return
		}
		again, err := event.DirectoryObserved{Observations: event.FromObservations(page)}.Directory()
		if err != nil {
			t.Fatalf("read once, but not twice: %v", err)
		}
		if diff := cmp.Diff(page, again); diff != "" {
			t.Fatalf("(-first +second):\n%s", diff)
		}
	})
}

// compact drops space and writes strings in one way, as encoding does.
func compact(t *testing.T, body []byte) []byte {
	t.Helper()
	if len(body) == 0 {
		return nil
	}
	out, err := json.Marshal(json.RawMessage(body))
	if err != nil {
		t.Fatal(err)
	}
	return out
}
