package bus

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
)

// Letter is a dead letter as it stands on DEAD_LETTERS.
type Letter struct {
	// DeadLetter is what it says of the message that was given up. Where there is a Fault, only the stream is known.
	event.DeadLetter
	Number  uint64    // its own sequence, on DEAD_LETTERS
	ID      string    // its own
	Time    time.Time // when it was written
	Tenant  string    // of the message's subject; "unknown" where that names none
	EventID string    // of the message, where it was a CloudEvent
	Type    string    // of the message, where the letter holds it as a CloudEvent
	Fault   error     // why it is no dead letter of ours; nil otherwise

	replayID string // the Nats-Msg-Id of its replay
}

var (
	// ErrNoLetter says that DEAD_LETTERS holds nothing under a number: it was taken out, has expired, or never was.
	ErrNoLetter = errors.New("there is no such dead letter")
	// ErrNotReplayable says that a letter holds nothing that could be published again.
	ErrNotReplayable = errors.New("it cannot be replayed")
)

// Letters hands over the dead letters in the order in which they were written: of one stream and of one tenant, where these
// are named.
func (b *Bus) Letters(ctx context.Context, stream, tenant string, fn func(Letter) error) error {
	filter := []string{"dead", "*", "*"}
	if stream != "" {
		filter[1] = stream
	}
	if tenant != "" {
		filter[2] = tenant
	}
	return b.Read(ctx, ReadSpec{Stream: DeadLetters, Filters: []string{strings.Join(filter, ".")}}, func(m Message) error {
		return fn(letterOf(m))
	})
}

// Letter returns the dead letter with a number. Errors: ErrNoLetter, ErrUnavailable.
func (b *Bus) Letter(ctx context.Context, number uint64) (Letter, error) {
	s, err := b.js.Stream(ctx, DeadLetters)
	if err != nil {
		return Letter{}, fmt.Errorf("look up stream %s: %w", DeadLetters, classify(err))
	}
	raw, err := s.GetMsg(ctx, number)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		err = ErrNoLetter
	}
	if err != nil {
		return Letter{}, fmt.Errorf("read dead letter %d: %w", number, classify(err))
	}
	m := Message{
		Body: raw.Data, Subject: raw.Subject, Stream: DeadLetters, StreamCreated: s.CachedInfo().Created, Sequence: raw.Sequence, Time: raw.Time,
	}
	m.Event, m.Fault = decode(raw.Header, raw.Data)
	return letterOf(m), nil
}

// letterOf reads a message of DEAD_LETTERS. Whoever may give up messages can write there, so nothing is believed that the
// subject does not say too: it decides who sees the letter, and where a replay goes.
func letterOf(m Message) Letter {
	l := Letter{
		Number: m.Sequence, Time: m.Time,
		// Derived from where the letter stands: a second replay of it stores nothing new, and the window in which the stream
		// still knows the message's first copy does not swallow the first one.
		replayID: fmt.Sprintf("%s.%d-%d.replay", DeadLetters, m.StreamCreated.Unix(), m.Sequence),
	}
	tokens := strings.Split(m.Subject, ".")
	if len(tokens) != 3 {
		l.Fault = fmt.Errorf("its subject is %q", m.Subject)
		return l
	}
	l.Stream, l.Tenant = tokens[1], tokens[2]
	if m.Fault != nil {
		l.Fault = m.Fault
		return l
	}
	l.ID = m.Event.ID()
	if m.Event.Type() != event.TypeDeadLetter {
		l.Fault = fmt.Errorf("it is %s", m.Event.Type())
		return l
	}
	data, err := event.Data[event.DeadLetter](m.Event)
	switch {
	case err != nil:
		l.Fault = err
	case data.Stream != l.Stream || tenantOf(Message{Stream: data.Stream, Subject: data.Subject}) != l.Tenant:
		l.Fault = fmt.Errorf("its subject is %q, and it tells of %q on %s", m.Subject, data.Subject, data.Stream)
	}
	if l.Fault != nil {
		return l
	}
	l.DeadLetter, l.EventID = data, event.Cause(m.Event)
	if inner, err := event.Decode(data.Event); err == nil {
		l.EventID, l.Type = inner.ID(), inner.Type()
	}
	return l
}

// LetterBody returns the body of the message that was given up, from its place in the stream or as the letter holds it.
func (b *Bus) LetterBody(ctx context.Context, l Letter) ([]byte, error) {
	_, body, err := b.givenUp(ctx, l)
	return body, err
}

// givenUp finds the message that was given up: where it stood, with its headers, as long as the stream keeps it, and then as
// the letter holds it. One that was too large for the letter is gone then, and its body nil.
func (b *Bus) givenUp(ctx context.Context, l Letter) (nats.Header, []byte, error) {
	s, err := b.js.Stream(ctx, l.Stream)
	if err == nil && letterID(l.Stream, s.CachedInfo().Created, l.Sequence, l.Consumer) == l.ID {
		var raw *jetstream.RawStreamMsg
		if raw, err = s.GetMsg(ctx, l.Sequence); err == nil && raw.Subject == l.Subject {
			return raw.Header, raw.Data, nil
		}
	}
	if err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) && !errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, nil, fmt.Errorf("look for message %d of %s: %w", l.Sequence, l.Stream, classify(err))
	}
	if len(l.Event) > 0 {
		return nil, l.Event, nil
	}
	return nil, l.Body, nil
}

// Replay publishes the message of a letter again, under its own id and to the subject that it was published to. The letter
// stays: see DropLetter. Errors: ErrNotReplayable, ErrFull, ErrUnavailable.
func (b *Bus) Replay(ctx context.Context, l Letter) (Ack, error) {
	if _, err := l.destination(); err != nil {
		return Ack{}, fmt.Errorf("replay dead letter %d: %w", l.Number, err)
	}
	header, body, err := b.givenUp(ctx, l)
	if err != nil {
		return Ack{}, fmt.Errorf("replay dead letter %d: %w", l.Number, err)
	}
	msg, err := l.message(header, body)
	if err != nil {
		return Ack{}, fmt.Errorf("replay dead letter %d: %w", l.Number, err)
	}
	ack, err := b.send(ctx, msg)
	if err != nil {
		return Ack{}, fmt.Errorf("replay dead letter %d: %w", l.Number, err)
	}
	return ack, nil
}

// message makes the message to publish of one that was given up. What nobody could use is refused: it would only die again.
func (l Letter) message(header nats.Header, body []byte) (*nats.Msg, error) {
	subject, err := l.destination()
	if err != nil {
		return nil, err
	}
	if len(body) == 0 {
		return nil, fmt.Errorf("%w: it is empty, or was too large for the letter and is on %s no more", ErrNotReplayable, l.Stream)
	}
	ev, err := decode(header, body)
	switch named := event.Tenant(ev); {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrNotReplayable, err)
	case l.EventID != "" && l.EventID != ev.ID():
		return nil, fmt.Errorf("%w: the message was %q, what is left of it is %q", ErrNotReplayable, l.EventID, ev.ID())
	case named != l.Tenant:
		return nil, fmt.Errorf("%w: its subject is of tenant %q, the event of %q", ErrNotReplayable, l.Tenant, named)
	}
	msg := message(Outgoing{Subject: subject, ID: l.replayID, Body: body})
	if header != nil { // it says by itself how it is written
		msg.Header.Del("Content-Type")
	}
	for name, values := range header {
		if !hasPrefixFold(name, "Nats-") { // those are about the first copy
			msg.Header[name] = values
		}
	}
	return msg, nil
}

// destination is the subject that the message was published to: the stored one without the partition, which the stream
// inserts. Only what intake, sync and commands publish can go there again.
func (l Letter) destination() (string, error) {
	if l.Fault != nil {
		return "", fmt.Errorf("%w: it is no dead letter: %w", ErrNotReplayable, l.Fault)
	}
	if l.Stream != Notifications && l.Stream != LedgerIn {
		return "", fmt.Errorf("%w: nothing is published to %s a second time", ErrNotReplayable, l.Stream)
	}
	tokens := strings.Split(l.Subject, ".")
	if len(tokens) == 4 && event.ValidSlug(l.Tenant) && event.ValidToken(tokens[2]) && event.ValidToken(tokens[3]) {
		switch {
		case l.Stream == Notifications && tokens[0] == "notification":
			return event.NotificationSubject(tokens[3], directory.Provider(tokens[2])), nil
		case l.Stream == LedgerIn && tokens[0] == "directory":
			return event.DirectorySubject(tokens[2], tokens[3]), nil
		case l.Stream == LedgerIn && tokens[0] == "command":
			return event.CommandSubject(tokens[2], tokens[3]), nil
		}
	}
	return "", fmt.Errorf("%w: its subject %q is none of %s", ErrNotReplayable, l.Subject, l.Stream)
}

// DropLetter takes a letter out of DEAD_LETTERS. Errors: ErrNoLetter, ErrUnavailable.
func (b *Bus) DropLetter(ctx context.Context, l Letter) error {
	s, err := b.js.Stream(ctx, DeadLetters)
	if err == nil {
		err = s.DeleteMsg(ctx, l.Number)
	}
	if errors.Is(err, jetstream.ErrMsgDeleteUnsuccessful) { // it does not tell why
		if _, gone := s.GetMsg(ctx, l.Number); errors.Is(gone, jetstream.ErrMsgNotFound) {
			err = ErrNoLetter
		}
	}
	if err != nil {
		return fmt.Errorf("take dead letter %d out: %w", l.Number, classify(err))
	}
	return nil
}
