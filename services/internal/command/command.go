// Package command gives the worker its commands and waits for what becomes of them. A command is an event on LEDGER_IN,
// which the worker reads in one order with all that is observed; its answer is another one there. Whoever gives it needs
// NATS and nothing else.
package command

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
)

// What a command can meet. See also Refused.
var (
	// ErrNoAnswer says that the time to wait was over. The command stays on the stream and is obeyed all the same.
	ErrNoAnswer = errors.New("no worker has answered")
	// ErrKeyUsed says that another command was given under the same idempotency key.
	ErrKeyUsed = errors.New("the key was used for another command")
	// ErrInvalid says that a command was not sent, because it says what cannot be.
	ErrInvalid = errors.New("not a command")
)

// Client gives commands. It is safe for concurrent use.
type Client struct {
	bus   *bus.Bus
	clock clock.Clock
}

// New makes a client. It sends nothing yet.
func New(b *bus.Bus, c clock.Clock) *Client { return &Client{bus: b, clock: c} }

// Sent is a command that is on LEDGER_IN.
type Sent struct {
	Tenant   string
	ID       string // of the event
	Sequence uint64 // where it stands; of the first copy, where the same was sent before

	verb string
	data json.RawMessage
}

// Do sends a command and waits for its answer until ctx ends. A refusal is an error, see Refused.
func (c *Client) Do(ctx context.Context, tenant, key string, data any) (event.Answered, error) {
	sent, err := c.Send(ctx, tenant, key, data)
	if err != nil {
		return event.Answered{}, err
	}
	return c.Wait(ctx, sent)
}

// Send publishes a command: data is one of event's …Requested types, key its idempotency key, random where it is empty. The
// same command under the same key counts once, for as long as LEDGER_IN keeps it.
func (c *Client) Send(ctx context.Context, tenant, key string, data any) (Sent, error) {
	k, err := kindOf(data)
	if err != nil {
		return Sent{}, err
	}
	given := key != ""
	if !given {
		key = rand.Text()
	}
	if !ValidKey(key) {
		return Sent{}, fmt.Errorf("%w: key %q: want "+KeyForm, ErrInvalid, key)
	}
	s := Sent{Tenant: tenant, ID: event.CommandID(tenant, k.verb, key), verb: k.verb}
	ev, err := event.New(k.eventType, event.Meta{
		ID: s.ID, Source: event.CommandSource(tenant), Time: c.clock.Now(), Tenant: tenant,
	}, data)
	if err != nil {
		return Sent{}, err
	}
	s.data = ev.Data()
	if given {
		if before, err := c.before(ctx, s); err != nil || before.Sequence > 0 {
			return before, err
		}
	}
	ack, err := c.bus.Publish(ctx, event.CommandSubject(tenant, k.verb), ev)
	if err != nil {
		return Sent{}, fmt.Errorf("give the command: %w", err)
	}
	s.Sequence = ack.Sequence
	return s, nil
}

// before looks for the command that was given under the same key as long as the stream remembers it. The server itself knows of
// one for minutes only.
func (c *Client) before(ctx context.Context, s Sent) (Sent, error) {
	err := c.bus.Read(ctx, bus.ReadSpec{
		Stream: bus.LedgerIn, Filters: []string{"command.*." + s.Tenant + "." + s.verb},
	}, func(m bus.Message) error {
		if m.Fault != nil || m.Event.ID() != s.ID {
			return nil
		}
		s.Sequence = m.Sequence
		return errFound
	})
	if err != nil && !errors.Is(err, errFound) {
		return Sent{}, fmt.Errorf("look for the command: %w", err)
	}
	return s, nil
}

var errFound = errors.New("found")

// Wait reads LEDGER_IN from where the command stands until its answer comes, or ctx ends.
func (c *Client) Wait(ctx context.Context, s Sent) (answer event.Answered, err error) {
	err = c.bus.Read(ctx, bus.ReadSpec{
		Stream:       bus.LedgerIn,
		Filters:      []string{"command.*." + s.Tenant + "." + s.verb, "command.*." + s.Tenant + "." + event.VerbAnswered},
		FromSequence: s.Sequence, Follow: true,
	}, func(m bus.Message) error {
		switch {
		case m.Fault != nil:
			return nil
		case m.Sequence == s.Sequence:
			return s.Same(m.Event)
		case m.Event.Type() != event.TypeAnswered || event.Cause(m.Event) != s.ID:
			return nil
		}
		data, err := event.Data[event.Answered](m.Event)
		if err != nil {
			return err
		}
		answer = data
		return errFound
	})
	switch {
	case errors.Is(err, errFound):
		return answer, refusal(answer)
	case errors.Is(err, context.DeadlineExceeded):
		return answer, fmt.Errorf("%w: command %s stays on the stream, and one that comes obeys it", ErrNoAnswer, s.ID)
	default:
		return answer, fmt.Errorf("wait for the answer: %w", err)
	}
}

// Same fails with ErrKeyUsed for a command that stands where this one was said to stand and is another, the first under the
// key: its answer is not this one's.
func (s Sent) Same(ev event.Event) error {
	if ev.ID() == s.ID && bytes.Equal(compact(ev.Data()), compact(s.data)) {
		return nil
	}
	return ErrKeyUsed
}

func compact(data []byte) []byte {
	var b bytes.Buffer
	if json.Compact(&b, data) != nil {
		return data
	}
	return b.Bytes()
}
