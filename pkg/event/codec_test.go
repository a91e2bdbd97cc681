package event_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/schemas"
)

// attributes is the least that a CloudEvent has; %s stands for more.
func eventWith(more string) string {
	return `{"specversion":"1.0","id":"1","source":"urn:x","type":"t"` + more + `}`
}

// badBodies are what Decode has to refuse.
var badBodies = map[string]string{
	"nothing":                        "",
	"null":                           "null",
	"a number":                       "1",
	"a list":                         "[]",
	"a batch":                        "[" + eventWith("") + "]",
	"an empty object":                "{}",
	"a version and no more":          `{"specversion":"1.0"}`,
	"broken JSON":                    `{"specversion":"1.0"`,
	"two documents":                  eventWith("") + eventWith(""),
	"not UTF-8":                      eventWith(`,"subject":"` + "\xff" + `"`),
	"version 0.3":                    strings.Replace(eventWith(""), "1.0", "0.3", 1),
	"version 2.0":                    strings.Replace(eventWith(""), "1.0", "2.0", 1),
	"version as a number":            strings.Replace(eventWith(""), `"1.0"`, "1.0", 1),
	"the version twice":              eventWith(`,"specversion":"1.0"`),
	"no id":                          `{"specversion":"1.0","source":"urn:x","type":"t"}`,
	"no source":                      `{"specversion":"1.0","id":"1","type":"t"}`,
	"no type":                        `{"specversion":"1.0","id":"1","source":"urn:x"}`,
	"id as a number":                 `{"specversion":"1.0","id":1,"source":"urn:x","type":"t"}`,
	"a time that is none":            eventWith(`,"time":"yesterday"`),
	"an extension that is an object": eventWith(`,"sequence":{}`),
	"an extension with a hyphen":     eventWith(`,"my-attribute":"x"`),
	"data that is XML":               eventWith(`,"datacontenttype":"application/xml","data":"<a/>"`),
	"data in base64":                 eventWith(`,"data_base64":"e30="`),
	"base64 that is none":            eventWith(`,"data_base64":"?"`),
	"base64 that is a number":        eventWith(`,"data_base64":1`),
	"base64 that is a number, first": `{"data_base64":1,"specversion":"1.0","id":"1","source":"urn:x","type":"t"}`,
	"base64 that is nothing, first":  `{"data_base64":"","specversion":"1.0","id":"1","source":"urn:x","type":"t"}`,
	"very deep":                      strings.Repeat("[", 20_000),
	"very deep inside data":          eventWith(`,"data":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)),
	"an empty id":                    `{"specversion":"1.0","id":"","source":"urn:x","type":"t"}`,
}

func TestDecodeRefusesWhatIsNoCloudEvent(t *testing.T) {
	t.Parallel()
	for name, body := range badBodies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ev, err := event.Decode([]byte(body))
			if !errors.Is(err, event.ErrNotACloudEvent) {
				t.Errorf("got %v, %v; want ErrNotACloudEvent", ev, err)
			}
			if err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("the error has several lines: %q", err)
			}
		})
	}
}

func TestDecodeKeepsNoReferenceToTheBody(t *testing.T) {
	t.Parallel()
	body := []byte(eventWith(`,"subject":"adele","datacontenttype":"application/json","data":{"user":"adele"}`))
	ev, err := event.Decode(body)
	if err != nil {
		t.Fatal(err)
	}
	clear(body)
	if ev.Subject() != "adele" || string(ev.Data()) != `{"user":"adele"}` {
		t.Errorf("the event changed with the buffer: %s", ev)
	}
}

func TestFromAttributesReadsWhatEncodeWrites(t *testing.T) {
	t.Parallel()
	for _, eventType := range eventTypes {
		valid, _ := schemas.Examples(eventType)
		for _, example := range valid {
			want, err := event.Decode(example.Body)
			if err != nil {
				t.Fatal(err)
			}
			var attributes map[string]any
			if err := json.Unmarshal(example.Body, &attributes); err != nil {
				t.Fatal(err)
			}
			delete(attributes, "data")
			got, err := event.FromAttributes(attributes, want.Data())
			if err != nil {
				t.Fatalf("%s/%s: %v", eventType, example.Name, err)
			}
			if diff := cmp.Diff(want.String(), got.String()); diff != "" {
				t.Errorf("%s/%s (-structured +binary):\n%s", eventType, example.Name, diff)
			}
		}
	}
}

func TestFromAttributesRefusesWhatIsNoCloudEvent(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		attribute string
		value     any
		data      string
	}{
		"no version":                 {"specversion", nil, "{}"},
		"version 0.3":                {"specversion", "0.3", "{}"},
		"no id":                      {"id", "", "{}"},
		"id as a number":             {"id", 1, "{}"},
		"a time that is none":        {"time", "yesterday", "{}"},
		"an extension with a hyphen": {"my-attribute", "x", "{}"},
		"data that is text":          {"datacontenttype", "text/plain", "{}"},
		"data that is not JSON":      {"subject", "s", "{"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			attributes := map[string]any{"specversion": "1.0", "id": "1", "source": "urn:x", "type": "t", test.attribute: test.value}
			if ev, err := event.FromAttributes(attributes, []byte(test.data)); !errors.Is(err, event.ErrNotACloudEvent) {
				t.Errorf("got %v, %v; want ErrNotACloudEvent", ev, err)
			}
		})
	}
}

func TestNewRefusesWhatCloudEventsForbids(t *testing.T) {
	t.Parallel()
	good := event.Meta{ID: "1", Source: event.CommandSource("contoso"), Time: time.Unix(0, 0), Tenant: "contoso"}
	for name, change := range map[string]func(*event.Meta){
		"no id":     func(m *event.Meta) { m.ID = "" },
		"no source": func(m *event.Meta) { m.Source = "" },
	} {
		meta := good
		change(&meta)
		if _, err := event.New(event.TypeRefreshRequested, meta, event.RefreshRequested{RequestedBy: "cli"}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := event.New(event.TypeRefreshRequested, good, make(chan int)); err == nil {
		t.Error("data that cannot be JSON: accepted")
	}
}

func TestNewWritesWhatDecodeReads(t *testing.T) {
	t.Parallel()
	ev, err := event.New(event.TypeDeadLetter, event.Meta{
		ID: "1", Source: event.DeadLetterSource("LEDGER_IN"), Time: time.Unix(0, 0), Tenant: "contoso",
	}, event.DeadLetter{Stream: "LEDGER_IN", Event: json.RawMessage("\"\xff\"")})
	if err != nil {
		t.Fatal(err)
	}
	body, err := event.Encode(ev)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := event.Decode(body); err != nil {
		t.Errorf("raw JSON that is not UTF-8 makes the event unreadable: %v", err)
	}
}

func TestSequencesSortAsText(t *testing.T) {
	t.Parallel()
	if a, b := event.FormatSequence(9), event.FormatSequence(10); len(a) != 20 || a >= b {
		t.Errorf("%q is not before %q", a, b)
	}
	for name, text := range map[string]string{"none": "", "a word": "first", "negative": "-1", "too large": strings.Repeat("9", 21)} {
		ev := event.Event{}
		ev.SetSpecVersion("1.0")
		if text != "" {
			ev.SetExtension("sequence", text)
		}
		if n, err := event.Sequence(ev); err == nil {
			t.Errorf("%s: read as %d", name, n)
		}
	}
}
