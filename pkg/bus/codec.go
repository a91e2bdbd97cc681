package bus

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

const structuredPrefix = "application/cloudevents"

// decode reads a CloudEvent as tolerantly as the NATS binding allows: structured where the content type says so, binary
// where there are ce- headers, and structured again where the body is a JSON object without either, as the CloudEvents
// SDK's own NATS binding writes it. Anything else is event.ErrNotACloudEvent.
func decode(header nats.Header, body []byte) (event.Event, error) {
	contentType := headerValue(header, "content-type")
	switch {
	case hasPrefixFold(contentType, structuredPrefix+"-batch"):
		return event.Event{}, fmt.Errorf("%w: batches are not defined for NATS", event.ErrNotACloudEvent)
	case hasPrefixFold(contentType, structuredPrefix):
		return event.Decode(body)
	case headerValue(header, "ce-specversion") != "":
		return decodeBinary(header, contentType, body)
	case bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{")):
		return event.Decode(body)
	}
	return event.Event{}, fmt.Errorf("%w: neither its headers nor its body are of one", event.ErrNotACloudEvent)
}

// decodeBinary reads attributes from ce- headers, percent-decoded (CloudEvents NATS binding, binary mode).
func decodeBinary(header nats.Header, contentType string, body []byte) (event.Event, error) {
	attributes := map[string]any{}
	for name, values := range header {
		name = strings.ToLower(name)
		if !strings.HasPrefix(name, "ce-") || len(values) == 0 {
			continue
		}
		value, err := url.PathUnescape(values[0])
		if err != nil {
			return event.Event{}, fmt.Errorf("%w: header %s: %w", event.ErrNotACloudEvent, name, err)
		}
		attributes[strings.TrimPrefix(name, "ce-")] = value
	}
	if _, ok := attributes["datacontenttype"]; !ok && contentType != "" {
		attributes["datacontenttype"] = contentType
	}
	return event.FromAttributes(attributes, body)
}

// headerValue finds a header without regard to case, which nats.Header.Get does not.
func headerValue(header nats.Header, name string) string {
	for key, values := range header {
		if strings.EqualFold(key, name) && len(values) > 0 {
			return values[0]
		}
	}
	return ""
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
