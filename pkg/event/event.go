// Package event builds, checks, encodes and decodes Rollcall's events: CloudEvents 1.0 in structured JSON. It owns their
// types, payloads, sources, ids and subjects; schemas/ describes the same for readers of any language.
package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
)

// Event is a CloudEvent.
type Event = cloudevents.Event

// Meta is an event's context: everything but its type and data.
type Meta struct {
	ID          string // derived, never random, where the stream deduplicates: see the *ID functions
	Source      string // see the *Source functions
	Subject     string // the entity: a user's id, or empty
	Time        time.Time
	Tenant      string // becomes partitionkey
	Cause       string // becomes causationid: the id of the event that caused this one
	Sequence    uint64 // gap-free within Source on LICENSES; 0 is left out
	TraceParent string // W3C trace context of the origin
}

// New builds an event of the given type with data as its JSON. It checks what CloudEvents demands; that the data keeps to
// the type's schema is for tests to see, through package eventtest.
func New(eventType string, meta Meta, data any) (Event, error) {
	ev := cloudevents.New(cloudevents.CloudEventsVersionV1)
	ev.SetID(meta.ID)
	ev.SetSource(meta.Source)
	ev.SetType(eventType)
	ev.SetTime(meta.Time.UTC())
	if meta.Subject != "" {
		ev.SetSubject(meta.Subject)
	}
	ev.SetDataSchema(SchemaURI(eventType))
	ev.SetExtension("partitionkey", meta.Tenant)
	if meta.Cause != "" {
		ev.SetExtension("causationid", meta.Cause)
	}
	if meta.Sequence != 0 {
		ev.SetExtension("sequence", FormatSequence(meta.Sequence))
	}
	if meta.TraceParent != "" {
		ev.SetExtension("traceparent", meta.TraceParent)
	}
	body, err := json.Marshal(data)
	if err != nil {
		return Event{}, fmt.Errorf("encode data of %s: %w", eventType, err)
	}
	// Raw JSON inside data goes through Marshal as it is. Here it becomes what Marshal makes of every string: UTF-8.
	body = bytes.ToValidUTF8(body, []byte("\uFFFD"))
	if err := ev.SetData(cloudevents.ApplicationJSON, json.RawMessage(body)); err != nil {
		return Event{}, fmt.Errorf("set data of %s: %w", eventType, err)
	}
	if err := ev.Validate(); err != nil {
		return Event{}, fmt.Errorf("build %s: %w", eventType, err)
	}
	return ev, nil
}

// SchemaURI names the JSON Schema of a type's data: its $id, and with another beginning its path in schemas/.
func SchemaURI(eventType string) string {
	return "https://rollcall.io/schemas/events/" + eventType + ".json"
}

// FormatSequence writes a sequence as CloudEvents' sequence extension wants it: a string that sorts as the number does.
func FormatSequence(n uint64) string { return fmt.Sprintf("%020d", n) }

// Data reads an event's data as T. Unknown fields are ignored: producers may add to a version, never change it.
func Data[T any](ev Event) (T, error) {
	var data T
	if err := json.Unmarshal(ev.Data(), &data); err != nil {
		return data, fmt.Errorf("data of %s %s: %w", ev.Type(), ev.ID(), err)
	}
	return data, nil
}

// Tenant returns the tenant that an event is of: its partitionkey.
func Tenant(ev Event) string { return extension(ev, "partitionkey") }

// Cause returns the id of the event that caused this one, or "".
func Cause(ev Event) string { return extension(ev, "causationid") }

func extension(ev Event, name string) string {
	s, _ := ev.Extensions()[name].(string)
	return s
}

// Sequence returns an event's sequence within its source.
func Sequence(ev Event) (uint64, error) {
	text := extension(ev, "sequence")
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("event %s has no usable sequence %q", ev.ID(), text)
	}
	return n, nil
}

// TraceParent returns the W3C trace context of an event's origin, or "".
func TraceParent(ev Event) string { return extension(ev, "traceparent") }
