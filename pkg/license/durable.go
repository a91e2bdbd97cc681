package license

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-hq/rollcall/pkg/bus"
)

// subscribeDurable reads under a name that the server remembers. Where to begin, and the trouble with that, only matters
// for a name that is new.
func (c *Client) subscribeDurable(ctx context.Context, o Options, from start, trouble error, fn Handler) error {
	_, err := c.bus.JetStream().Consumer(ctx, bus.Licenses, o.Durable)
	known := err == nil
	switch {
	case !known && !errors.Is(err, jetstream.ErrConsumerNotFound):
		return fmt.Errorf("look up %s: %w", o.Durable, err)
	case !known && trouble != nil:
		return trouble
	case known:
		from = start{}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := c.reader(o, from, fn)
	consumer := bus.Consumer{
		Stream: bus.Licenses, Durable: o.Durable, Filters: []string{o.filter()},
		StartNew: from.at == 0, StartSequence: from.at, Undecodable: true,
	}
	err = c.bus.Consume(ctx, consumer, func(ctx context.Context, m bus.Message) error {
		if err := r.take(ctx, m); err != nil {
			cancel()                      // this ends Consume, which returns nil then
			return bus.RetryAfter(0, err) // the event stays the next one of this name
		}
		return nil
	})
	if r.failure != nil {
		return r.failure
	}
	return err
}
