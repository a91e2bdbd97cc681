package license

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-hq/rollcall/pkg/bus"
)

// subscribeDurable reads under a name that the server remembers. Where to begin, and the trouble with that, only matters
// for a name that is new.
func (c *Client) subscribeDurable(ctx context.Context, o Options, from start, trouble error, fn Handler) error {
	info, err := c.bus.ConsumerInfo(ctx, bus.Licenses, o.Durable)
	switch known := err == nil; {
	case !known && !errors.Is(err, jetstream.ErrConsumerNotFound):
		return err
	case !known && trouble != nil:
		return trouble
	case known:
		from = start{}
		if err := c.expiredBehind(ctx, o, info.AckFloor.Stream); err != nil {
			return err
		}
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

// expiredBehind is an ExpiredError where what expired behind a position holds the latest event of a user that is wanted.
// The entitlements tell: they keep that event, and where on LICENSES it was. What has expired between and was overtaken by
// an event that is still there cannot be told from what was never wanted.
func (c *Client) expiredBehind(ctx context.Context, o Options, position uint64) error {
	info, err := c.bus.StreamInfo(ctx, bus.Licenses)
	if err != nil || position+1 >= info.State.FirstSeq {
		return err
	}
	return c.latest(ctx, o, false, 0, func(m bus.Message) error {
		if position < m.Origin && m.Origin < info.State.FirstSeq {
			return expired(fmt.Sprintf("what comes after stream sequence %d, where %s stands", position, o.Durable), info.State)
		}
		return nil
	})
}

// latest hands over the latest event of each user that is wanted, from the entitlements; with follow it goes on with what is
// new there, until ctx ends.
func (c *Client) latest(ctx context.Context, o Options, follow bool, from uint64, fn func(bus.Message) error) error {
	tokens := [3]string{o.Tenant, o.Product, o.User}
	for i, token := range tokens {
		if token == "" {
			tokens[i] = "*"
		}
	}
	key := "$KV." + bus.BucketEntitlements + "." + strings.Join(tokens[:], ".")
	return c.bus.Read(ctx, bus.ReadSpec{Stream: "KV_" + bus.BucketEntitlements, Filters: []string{key}, FromSequence: from, Follow: follow}, fn)
}
