package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Consume delivers a durable's messages to h, one at a time and in the stream's order, until ctx ends; then the handler
// in hand may finish within Grace and the rest is given back. It lives through restarts of NATS, and through the loss of
// its consumer or stream, which it makes or awaits again. It returns nil when ctx ended, ErrPositionAhead, ErrUnavailable
// when the connection was closed for good, or what is wrong with c.
func (b *Bus) Consume(ctx context.Context, c Consumer, h Handler) error {
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return err
	}
	d := &delivery{bus: b, consumer: c, handler: h}
	rewound := !c.HasPosition
	for failed := 0; ctx.Err() == nil; failed++ {
		consumer, created, err := b.open(ctx, c)
		if err == nil && c.HasPosition && created.Equal(d.created) {
			err = b.holds(ctx, c, d.reached)
		}
		switch {
		case err != nil:
		case !rewound:
			err = b.rewind(ctx, c, consumer)
			rewound = err == nil
		case c.Exclusive:
			err = b.reclaim(ctx, c, consumer)
		}
		if err == nil {
			if !created.Equal(d.created) {
				d.created, d.reached = created, 0
			}
			if err = d.run(ctx, consumer); d.progressed {
				failed, d.progressed = 0, false
			}
		}
		if err == nil || ctx.Err() != nil {
			break
		}
		if errors.Is(err, ErrPositionAhead) || b.js.Conn().IsClosed() || !transient(err) {
			return fmt.Errorf("consume %s as %s: %w", c.Stream, c.Durable, classify(err))
		}
		b.cfg.Logger.WarnContext(ctx, "consumer interrupted", "stream", c.Stream, "consumer", c.Durable, "error", err)
		rest(ctx, waitBetween(failed))
	}
	return nil
}

// run delivers until ctx ends (nil) or the consumer can no longer be read (the error).
func (d *delivery) run(ctx context.Context, consumer jetstream.Consumer) error {
	// One message a pull: no pull waits at the server while a handler works, so neither its heartbeats nor a message that
	// nobody takes pile up here, and the next one may go to another process.
	messages, err := consumer.Messages(jetstream.PullMaxMessages(1), jetstream.PullHeartbeat(idleHeartbeat))
	if err != nil {
		return err
	}
	defer messages.Stop()
	if d.consumer.Exclusive { // begin again on a new connection, and reclaim what the old one lost
		defer onReconnect(d.bus.js.Conn(), messages.Stop)()
	}
	for ctx.Err() == nil { // asked before Next, which would first pull one more message
		msg, err := messages.Next(jetstream.NextContext(ctx))
		switch {
		case ctx.Err() != nil:
			d.giveBack(msg, messages)
			return nil
		case err != nil:
			return err
		}
		d.progressed = true
		d.deliver(ctx, msg)
	}
	return nil
}

// giveBack hands what is already on its way to this process to the next one, sparing it the wait for AckWait.
func (d *delivery) giveBack(msg jetstream.Msg, messages jetstream.MessagesContext) {
	messages.Drain()
	for {
		if msg != nil {
			_ = msg.Nak() // lost, it comes again after AckWait
		}
		var err error
		if msg, err = messages.Next(jetstream.NextMaxWait(time.Second)); err != nil {
			return
		}
	}
}

// transient reports whether opening or reading again may help: the server's refusals of a configuration do not pass.
func transient(err error) bool {
	var api *jetstream.APIError
	if errors.As(err, &api) && api.Code == 400 {
		return false
	}
	return !errors.Is(err, nats.ErrPermissionViolation)
}

// waitBetween is how long to rest before trying again what NATS refused for the attempt-th time in a row.
func waitBetween(attempt int) time.Duration {
	return min(100*time.Millisecond<<min(attempt, 6), 5*time.Second)
}

func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
