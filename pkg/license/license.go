// Package license is the client for consumers of license events: it replays the record of who was licensed, follows it,
// and folds it into the present state.
//
// # The contract
//
//   - The stream LICENSES is the record. Each tenant and product is a source of its own, whose sequence rises by exactly
//     one with each event. This package checks that: what is missing is a GapError, never silence.
//   - An event may come more than once. A sequence that a reader has already had is dropped here and counted in Stats.
//   - Each license event carries the whole entitlement. Fold Entitlement.Licensed and never the type: types that do not
//     exist yet fold in the same way. A user without any event was never licensed.
//   - The record is kept for a time (400 days by default). Asking for what is older than it holds is an ExpiredError that
//     says what the oldest is. The bucket "entitlements" keeps each user's latest event for ever; whoever reads both keeps
//     the higher sequence, as Fold and Replica do.
//   - Positions: a source's own sequence is lasting. A stream sequence is not: it counts anew when the stream is rebuilt.
//   - Unknown types are passed on with Raw, so that readers live through additions.
package license

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
)

// Client reads LICENSES over one connection, which stays the caller's. It is safe for use by many goroutines.
type Client struct {
	bus   *bus.Bus
	now   func() time.Time
	stats struct{ repeats, malformed atomic.Uint64 }
}

// New makes a client. It sends nothing yet.
func New(nc *nats.Conn) (*Client, error) {
	b, err := bus.New(nc, bus.Config{})
	if err != nil {
		return nil, fmt.Errorf("license client: %w", err)
	}
	return &Client{bus: b, now: time.Now}, nil
}

// Stats counts what a client has left out since it was made.
type Stats struct {
	Repeats   uint64 // events whose sequence a reader had already had
	Malformed uint64 // messages that are no license event of the contract; one in the place of an event is a GapError too
}

// Stats returns the counts.
func (c *Client) Stats() Stats {
	return Stats{Repeats: c.stats.repeats.Load(), Malformed: c.stats.malformed.Load()}
}

// Event is one event of LICENSES.
type Event struct {
	ID             string
	Type           string // of package event; see the contract above before deciding by it
	Tenant         string
	Product        string
	User           string // the provider's immutable id; empty for what is not of one user
	Sequence       uint64 // within the tenant and product
	StreamSequence uint64 // in LICENSES; 0 from Decode
	Time           time.Time
	Cause          string // id of the event that caused this one, or empty

	Entitlement *event.Entitlement   // of license events
	Policy      *event.PolicyChanged // of policy events
	Raw         []byte               // the CloudEvent as structured JSON; must not be changed
}

// ErrMalformed is returned by Decode for what is no event of LICENSES.
var ErrMalformed = errors.New("not a license event")

// Decode reads one event from its structured JSON: the body of a message of LICENSES, or a value of the bucket
// "entitlements".
func Decode(body []byte) (Event, error) {
	ev, err := event.Decode(body)
	if err != nil {
		return Event{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	e := Event{ID: ev.ID(), Type: ev.Type(), Time: ev.Time(), Cause: event.Cause(ev), Raw: body}
	if err := e.setSource(ev); err != nil {
		return Event{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	switch {
	case strings.HasPrefix(e.Type, "io.rollcall.license.") && strings.HasSuffix(e.Type, ".v1"):
		e.User = ev.Subject()
		e.Entitlement = new(event.Entitlement)
		err = json.Unmarshal(ev.Data(), e.Entitlement)
		if err == nil && (e.Entitlement.Tenant != e.Tenant || e.Entitlement.Product != e.Product || e.Entitlement.User != e.User) {
			err = errors.New("its data is of another user than its source and subject")
		}
	case e.Type == event.TypePolicyChanged:
		e.Policy = new(event.PolicyChanged)
		err = json.Unmarshal(ev.Data(), e.Policy)
	}
	if err != nil {
		return Event{}, fmt.Errorf("%w: data of %s: %w", ErrMalformed, e.ID, err)
	}
	return e, nil
}

func (e *Event) setSource(ev event.Event) error {
	tokens := strings.Split(ev.Source(), ":") // urn:rollcall:license:<tenant>:<product>
	if len(tokens) != 5 || !event.ValidSlug(tokens[3]) || !event.ValidSlug(tokens[4]) ||
		ev.Source() != event.LicenseSource(tokens[3], tokens[4]) {
		return fmt.Errorf("source %q", ev.Source())
	}
	e.Tenant, e.Product = tokens[3], tokens[4]
	var err error
	if e.Sequence, err = event.Sequence(ev); err == nil && e.Sequence == 0 {
		err = errors.New("sequence 0")
	}
	return err
}
