package bus

import (
	"context"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

// MaxBatch is the most messages that one atomic batch can hold (the server's default limit).
const MaxBatch = 1000

// Ack says that a message is stored, and where.
type Ack struct {
	Sequence  uint64 // in the stream; of the first copy where Duplicate
	Duplicate bool   // the stream has known the message's id already and stored nothing
}

// PublishOption changes one Publish.
type PublishOption func(*nats.Msg)

// WithoutDeduplication leaves out the Nats-Msg-Id, for events whose ids are random.
func WithoutDeduplication() PublishOption {
	return func(m *nats.Msg) { m.Header.Del(jetstream.MsgIDHeader) }
}

// ExpectLastSequence stores the message only while the stream's last sequence is n; else ErrUnexpectedSequence.
func ExpectLastSequence(n uint64) PublishOption {
	return func(m *nats.Msg) { m.Header.Set(jetstream.ExpectedLastSeqHeader, strconv.FormatUint(n, 10)) }
}

// Publish stores an event as structured JSON under the subject and waits until the server says that it is durable. The
// event's id is the Nats-Msg-Id: a second publish within the duplicate window stores nothing and says so. Errors:
// ErrUnavailable, ErrUnexpectedSequence.
func (b *Bus) Publish(ctx context.Context, subject string, ev event.Event, opts ...PublishOption) (Ack, error) {
	body, err := event.Encode(ev)
	if err != nil {
		return Ack{}, err
	}
	msg := message(Outgoing{Subject: subject, ID: ev.ID(), Body: body})
	for _, opt := range opts {
		opt(msg)
	}
	return b.send(ctx, msg)
}

// Outgoing is one event of a batch, already encoded by event.Encode.
type Outgoing struct {
	Subject string
	ID      string // of the event; becomes the Nats-Msg-Id
	Body    []byte
}

// PublishBatch stores all messages, which must be of one stream, or none, behind the stream's last sequence expectLast
// (0: the stream is empty), and returns the sequence of the last one; the others are right before it. At most MaxBatch.
// Errors: ErrUnexpectedSequence, ErrDuplicate, ErrUnavailable; the last leaves open whether the batch is stored, which
// the stream's last sequence tells. With fsync on, single publishes are faster below some 32 messages: a batch is staged on
// disk first.
func (b *Bus) PublishBatch(ctx context.Context, msgs []Outgoing, expectLast uint64) (last uint64, err error) {
	if len(msgs) == 0 || len(msgs) > MaxBatch {
		return 0, fmt.Errorf("publish a batch of %d messages: want 1 to %d", len(msgs), MaxBatch)
	}
	batch := make([]*nats.Msg, len(msgs))
	for i, m := range msgs {
		batch[i] = message(m)
	}
	ExpectLastSequence(expectLast)(batch[0])
	if len(batch) == 1 { // one message is atomic by itself, and a batch costs a second fsync
		ack, err := b.send(ctx, batch[0])
		if err == nil && ack.Duplicate {
			err = fmt.Errorf("publish to %s: %w", msgs[0].Subject, ErrDuplicate)
		}
		return ack.Sequence, err
	}
	ack, err := jetstreamext.PublishMsgBatch(ctx, b.js, batch)
	if err != nil {
		return 0, fmt.Errorf("publish a batch of %d messages: %w", len(msgs), classify(err))
	}
	return ack.Sequence, nil
}

func (b *Bus) send(ctx context.Context, msg *nats.Msg) (Ack, error) {
	ack, err := b.js.PublishMsg(ctx, msg)
	if err != nil {
		return Ack{}, fmt.Errorf("publish to %s: %w", msg.Subject, classify(err))
	}
	return Ack{Sequence: ack.Sequence, Duplicate: ack.Duplicate}, nil
}

// message always has headers: the batch publisher writes into them.
func message(m Outgoing) *nats.Msg {
	msg := nats.NewMsg(m.Subject)
	msg.Data = m.Body
	msg.Header.Set("Content-Type", event.ContentType)
	if m.ID != "" {
		msg.Header.Set(jetstream.MsgIDHeader, m.ID)
	}
	return msg
}
