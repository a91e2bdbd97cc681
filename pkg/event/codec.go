package event

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
)

// ContentType is that of a structured CloudEvent in JSON.
const ContentType = "application/cloudevents+json; charset=utf-8"

// ErrNotACloudEvent is returned by Decode and FromAttributes for what is no CloudEvent 1.0 with JSON data.
var ErrNotACloudEvent = errors.New("not a CloudEvent")

// Encode writes an event as structured JSON.
func Encode(ev Event) ([]byte, error) {
	body, err := json.Marshal(ev)
	if err != nil {
		return nil, fmt.Errorf("encode event %s: %w", ev.ID(), err)
	}
	return body, nil
}

// Decode reads structured JSON and validates it as a CloudEvent 1.0 with JSON data, or none. Attributes that it does not
// know are kept. It never panics, whatever body holds, and keeps no reference to body.
func Decode(body []byte) (Event, error) {
	if !utf8.Valid(body) {
		return Event{}, fmt.Errorf("%w: not UTF-8", ErrNotACloudEvent)
	}
	ev, err := parse(body)
	if err == nil {
		err = check(ev)
	}
	if err != nil {
		return Event{}, fmt.Errorf("%w: %s", ErrNotACloudEvent, oneLine(err))
	}
	return ev, nil
}

// parse turns the SDK's panics into errors: sdk-go 2.16.2 slices a data_base64 that is no string out of its bounds.
func parse(body []byte) (ev Event, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the CloudEvents SDK cannot read it: %v", p)
		}
	}()
	err = json.Unmarshal(body, &ev)
	return ev, err
}

// FromAttributes builds an event from attributes that came apart from the data, as in CloudEvents' binary mode. Their
// names are CloudEvents' own, in lower case; the values are text, or what the SDK takes for an extension. It keeps data.
func FromAttributes(attributes map[string]any, data []byte) (Event, error) {
	if v := attributes["specversion"]; v != cloudevents.CloudEventsVersionV1 {
		return Event{}, fmt.Errorf("%w: specversion %v: want %s", ErrNotACloudEvent, v, cloudevents.CloudEventsVersionV1)
	}
	ev := cloudevents.New()
	for name, value := range attributes {
		text, isText := value.(string)
		switch {
		case name == "specversion":
		case !isText && isAttribute(name):
			return Event{}, fmt.Errorf("%w: %s is no text", ErrNotACloudEvent, name)
		case name == "id":
			ev.SetID(text)
		case name == "source":
			ev.SetSource(text)
		case name == "type":
			ev.SetType(text)
		case name == "subject":
			ev.SetSubject(text)
		case name == "dataschema":
			ev.SetDataSchema(text)
		case name == "datacontenttype":
			ev.SetDataContentType(text)
		case name == "time":
			at, err := time.Parse(time.RFC3339Nano, text)
			if err != nil {
				return Event{}, fmt.Errorf("%w: time: %w", ErrNotACloudEvent, err)
			}
			ev.SetTime(at)
		default:
			ev.SetExtension(name, value)
		}
	}
	if len(data) > 0 {
		if !json.Valid(data) {
			return Event{}, fmt.Errorf("%w: its data is not JSON", ErrNotACloudEvent)
		}
		ev.DataEncoded = data
	}
	if err := check(ev); err != nil {
		return Event{}, fmt.Errorf("%w: %s", ErrNotACloudEvent, oneLine(err))
	}
	return ev, nil
}

func isAttribute(name string) bool {
	switch name {
	case "id", "source", "type", "subject", "dataschema", "datacontenttype", "time":
		return true
	}
	return false
}

// check narrows CloudEvents to what Rollcall reads: version 1.0, with JSON or nothing as data.
func check(ev Event) error {
	if err := ev.Validate(); err != nil {
		return err
	}
	if v := ev.SpecVersion(); v != cloudevents.CloudEventsVersionV1 {
		return fmt.Errorf("specversion %q: want %s", v, cloudevents.CloudEventsVersionV1)
	}
	switch t := ev.DataMediaType(); {
	case ev.DataBase64:
		return errors.New("its data is in base64, want JSON")
	case t != "" && t != cloudevents.ApplicationJSON && t != cloudevents.TextJSON:
		return fmt.Errorf("its data is %q, want %s", t, cloudevents.ApplicationJSON)
	}
	return nil
}

// oneLine writes an error of the SDK, which puts each fault on a line of its own, as logs and dead letters want it.
func oneLine(err error) string {
	return strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; ")
}
