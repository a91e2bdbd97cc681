package license

import (
	"context"
	"fmt"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/bus"
)

// Handler takes one event. An error ends the reader, which returns it.
type Handler func(ctx context.Context, e Event) error

// Replay hands the events that are kept to fn, in order, and ends when it has read what was there when it began; with
// Follow it goes on until ctx ends and returns nil then. Lost connections are mended from where it stood. Errors: fn's
// own, GapError, ExpiredError, ErrAhead, bus.ErrUnavailable, and ctx's when it ended before the replay did.
func (c *Client) Replay(ctx context.Context, o Options, fn Handler) error {
	if err := o.validate(); err != nil {
		return err
	}
	from, err := c.locate(ctx, o)
	if err != nil {
		return err
	}
	return c.read(ctx, o, from, bus.ReadSpec{FromSequence: from.at, Follow: o.Follow}, fn)
}

// Subscribe hands new events to fn as they come, until ctx ends; it returns nil then. With a Durable name it first hands
// over what came since the last time, and an event counts as done when fn has returned nil for it. Errors are Replay's.
func (c *Client) Subscribe(ctx context.Context, o Options, fn Handler) error {
	if err := o.validate(); err != nil {
		return err
	}
	from, err := c.locate(ctx, o)
	if err != nil && o.Durable == "" {
		return err
	}
	if o.Durable != "" {
		return c.subscribeDurable(ctx, o, from, err, fn)
	}
	return c.read(ctx, o, from, bus.ReadSpec{FromNow: from.at == 0, FromSequence: from.at, Follow: true}, fn)
}

func (c *Client) read(ctx context.Context, o Options, from start, spec bus.ReadSpec, fn Handler) error {
	spec.Stream, spec.Filters = bus.Licenses, []string{o.filter()}
	r := c.reader(o, from, fn)
	err := c.bus.Read(ctx, spec, func(m bus.Message) error { return r.take(ctx, m) })
	if r.failure != nil {
		return r.failure
	}
	if spec.Follow && ctx.Err() != nil {
		return nil
	}
	return err
}

// reader checks the sequences of one Replay or Subscribe.
type reader struct {
	client  *Client
	options Options
	base    uint64
	fn      Handler
	last    map[source]uint64
	failure error
}

type source struct{ tenant, product string }

func (c *Client) reader(o Options, from start, fn Handler) *reader {
	return &reader{client: c, options: o, base: from.base, fn: fn, last: map[source]uint64{}}
}

// take hands one message on, unless it is a repeat or unwanted. Only what was handed on well moves the position, so that
// an event that comes again after a failure is no repeat.
func (r *reader) take(ctx context.Context, m bus.Message) error {
	e, err := r.client.decode(m)
	if err != nil {
		return nil //nolint:nilerr // counted; one that should have been an event shows as a gap
	}
	of := source{e.Tenant, e.Product}
	last, known := r.last[of]
	if !known && r.base > 0 {
		last, known = r.base, true
	}
	switch {
	case known && e.Sequence <= last:
		r.client.stats.repeats.Add(1)
		return nil
	case known && e.Sequence > last+1 && r.options.whole():
		r.failure = &GapError{Tenant: e.Tenant, Product: e.Product, After: last, Got: e.Sequence}
		return r.failure
	}
	if r.options.wants(e) {
		if r.failure = r.fn(ctx, e); r.failure != nil {
			return r.failure
		}
	}
	r.last[of] = e.Sequence
	return nil
}

func (c *Client) decode(m bus.Message) (Event, error) {
	e, err := Decode(m.Body)
	if err == nil && m.Stream == bus.Licenses && !strings.HasPrefix(m.Subject, "license."+e.Tenant+"."+e.Product+".") {
		err = fmt.Errorf("%w: its subject is of another source", ErrMalformed)
	}
	if err != nil {
		c.stats.malformed.Add(1)
		return Event{}, err
	}
	e.StreamSequence = m.Sequence
	return e, nil
}
