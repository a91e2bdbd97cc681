package bus

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

const (
	maxReason = 1024       // bytes of a dead letter's reason
	maxCopied = 512 * 1024 // bytes of a body that a dead letter copies: base64 and envelope must fit NATS' 1 MiB
)

// bury publishes the dead letter of a message and waits until it is durable.
func (b *Bus) bury(ctx context.Context, consumer string, m Message, cause error) error {
	subject, ev, err := deadLetter(m, consumer, cause, b.cfg.Now())
	if err != nil {
		return err
	}
	_, err = b.Publish(ctx, subject, ev)
	return err
}

// deadLetter says where a message stood, why it was given up, and what it was. Its id is derived from where it stood, so
// that a second try stores nothing new.
func deadLetter(m Message, consumer string, cause error, now time.Time) (subject string, ev event.Event, err error) {
	letter := event.DeadLetter{
		Stream: m.Stream, Sequence: m.Sequence, Subject: m.Subject, Consumer: consumer, Deliveries: m.Deliveries,
		Reason: strings.ToValidUTF8(truncate(cause.Error(), maxReason), "?"),
	}
	isJSON := utf8.Valid(m.Body) && json.Valid(m.Body)
	switch {
	case len(m.Body) > maxCopied || isJSON && escaped(m.Body) > maxCopied: // it stays readable at its place in the stream
	case isJSON:
		letter.Event = m.Body
	default:
		letter.Body = m.Body
	}
	tenant := tenantOf(m)
	meta := event.Meta{
		ID:     letterID(m.Stream, m.StreamCreated, m.Sequence, consumer),
		Source: event.DeadLetterSource(m.Stream), Subject: m.Subject, Time: now, Tenant: tenant,
	}
	if m.Fault == nil {
		meta.Cause = m.Event.ID()
	}
	ev, err = event.New(event.TypeDeadLetter, meta, letter)
	return event.DeadLetterSubject(m.Stream, tenant), ev, err
}

// letterID is derived from where a message stood and who gave it up there.
func letterID(stream string, created time.Time, sequence uint64, consumer string) string {
	return fmt.Sprintf("%s.%d-%d.%s", stream, created.Unix(), sequence, consumer)
}

// escaped is how long JSON is once Marshal has escaped what is special in HTML: up to six times as long.
func escaped(body []byte) int {
	var b bytes.Buffer
	json.HTMLEscape(&b, body)
	return b.Len()
}

// tenantOf reads the tenant from where the stream's layout puts it in the stored subject. The subject decided where the
// message went, so it is right even where the body is not.
func tenantOf(m Message) string {
	at := map[string]int{Notifications: 3, LedgerIn: 2, Licenses: 1}
	tokens := strings.Split(m.Subject, ".")
	if i, ok := at[m.Stream]; ok && i < len(tokens) && event.ValidSlug(tokens[i]) {
		return tokens[i]
	}
	return "unknown"
}

func truncate(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}
