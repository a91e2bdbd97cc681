package bus

import (
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

const structured = `{"specversion":"1.0","id":"1","source":"urn:x","type":"t","datacontenttype":"application/json","data":{"a":1}}`

func TestDecode(t *testing.T) {
	t.Parallel()
	binary := nats.Header{
		"CE-Specversion": {"1.0"}, "ce-id": {"a%20b"}, "Ce-Source": {"urn:x"}, "ce-type": {"t"}, "ce-partitionkey": {"contoso"},
		"content-type": {"application/json"},
	}
	for name, c := range map[string]struct {
		header nats.Header
		body   string
		id     string // "" means no CloudEvent
	}{
		"structured":             {nats.Header{"Content-Type": {event.ContentType}}, structured, "1"},
		"structured, folded":     {nats.Header{"CONTENT-type": {"Application/CloudEvents+JSON"}}, structured, "1"},
		"sniffed":                {nil, " \n" + structured, "1"},
		"sniffed, other type":    {nats.Header{"Content-Type": {"application/json"}}, structured, "1"},
		"binary":                 {binary, `{"a":1}`, "a b"},
		"batch":                  {nats.Header{"Content-Type": {"application/cloudevents-batch+json"}}, "[" + structured + "]", ""},
		"broken":                 {nats.Header{"Content-Type": {event.ContentType}}, structured[:20], ""},
		"incomplete":             {nil, `{"specversion":"1.0","id":"1"}`, ""},
		"text":                   {nil, "hello", ""},
		"empty":                  {nil, "", ""},
		"binary, bad escape":     {nats.Header{"ce-specversion": {"1.0"}, "ce-id": {"%zz"}, "ce-source": {"x"}, "ce-type": {"t"}}, "", ""},
		"binary, without a type": {nats.Header{"ce-specversion": {"1.0"}, "ce-id": {"1"}, "ce-source": {"x"}}, "", ""},
	} {
		ev, err := decode(c.header, []byte(c.body))
		switch {
		case c.id == "" && !errors.Is(err, event.ErrNotACloudEvent):
			t.Errorf("%s: %v", name, err)
		case c.id != "" && (err != nil || ev.ID() != c.id || string(ev.Data()) != `{"a":1}`):
			t.Errorf("%s: id %q, data %s, %v", name, ev.ID(), ev.Data(), err)
		}
	}
	ev, err := decode(binary, nil)
	if err != nil || event.Tenant(ev) != "contoso" {
		t.Errorf("binary extension: %q, %v", event.Tenant(ev), err)
	}
}

// Whatever comes in becomes an event or a fault, and a fault becomes a dead letter.
func FuzzDecode(f *testing.F) {
	f.Add("Content-Type", event.ContentType, "ce-x", "", []byte(structured))
	f.Add("ce-specversion", "1.0", "ce-id", "%41", []byte(`{"a":1}`))
	f.Add("ce-specversion", "1.0", "ce-time", "yesterday", []byte("\xff"))
	f.Add("", "", "", "", []byte(`{"specversion":"1.0","id":1,"data_base64":"!"}`))
	f.Add("", "", "", "", []byte(`{"specversion":"1.0","data":{"a":[{}]},"time":null,"source":":"}`))
	f.Fuzz(func(t *testing.T, name1, value1, name2, value2 string, body []byte) {
		header := nats.Header{name1: {value1}, name2: {value2}}
		ev, err := decode(header, body)
		if err == nil {
			if err := ev.Validate(); err != nil {
				t.Errorf("decoded what does not validate: %v", err)
			}
			return
		}
		if !errors.Is(err, event.ErrNotACloudEvent) {
			t.Errorf("fault is no ErrNotACloudEvent: %v", err)
		}
		m := Message{Stream: LedgerIn, Subject: "directory.1." + name1 + ".page", Sequence: 1, StreamCreated: time.Unix(1, 0), Body: body, Fault: err}
		if _, _, err := deadLetter(m, "worker-p01", Reject(err), time.Unix(2, 0)); err != nil {
			t.Errorf("no dead letter: %v", err)
		}
	})
}
