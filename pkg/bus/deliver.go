package bus

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// delivery takes messages of one consumer through decoding, handling and settling.
type delivery struct {
	bus        *Bus
	consumer   Consumer
	handler    Handler
	created    time.Time // of the stream
	failures   failureCount
	reached    uint64 // the last sequence that came
	progressed bool   // a message has come since this was last cleared
}

func (d *delivery) deliver(ctx context.Context, msg jetstream.Msg) {
	m, err := received(msg, d.created)
	if err != nil { // no JetStream reply subject: nothing that could be settled
		d.bus.cfg.Logger.ErrorContext(ctx, "message without metadata", "consumer", d.consumer.Durable, "error", err)
		return
	}
	d.reached = max(d.reached, m.Sequence)
	began := d.bus.cfg.Now()
	if m.Fault != nil && !d.consumer.Undecodable {
		err = Reject(m.Fault)
	} else {
		err = d.handle(ctx, msg, m)
	}
	took := d.bus.cfg.Now().Sub(began)
	v := decide(err, d.consumer, d.failures.of(m.Sequence), ctx.Err() != nil)
	if v.counts {
		d.failures.failures++
	}
	v = d.settle(ctx, msg, m, v, err)
	d.bus.cfg.Observe(Settled{
		Stream: m.Stream, Consumer: d.consumer.Durable, Type: typeOf(m), Outcome: v.outcome, Deliveries: m.Deliveries,
		Waited: began.Sub(m.Time), Took: took, Err: err,
	})
}

// handle runs the handler, tells the server that it is alive, and turns a panic into an error. The handler's context
// outlives ctx by Grace.
func (d *delivery) handle(ctx context.Context, msg jetstream.Msg, m Message) (err error) {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	done := make(chan struct{})
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		keepAlive(ctx, done, d.consumer, msg, cancel)
	}()
	defer func() {
		close(done)
		<-kept
		if p := recover(); p != nil {
			d.bus.cfg.Logger.ErrorContext(ctx, "handler panicked", "stream", m.Stream, "sequence", m.Sequence,
				"consumer", d.consumer.Durable, "stack", string(debug.Stack()))
			err = fmt.Errorf("handler panicked: %v", p)
		}
	}()
	return d.handler(work, m)
}

// keepAlive renews AckWait until done, and cancels the work when Grace has passed since ctx ended.
func keepAlive(ctx context.Context, done <-chan struct{}, c Consumer, msg jetstream.Msg, cancel context.CancelFunc) {
	beat := time.NewTicker(c.AckWait / 3)
	defer beat.Stop()
	var grace <-chan time.Time
	ended := ctx.Done()
	for {
		select {
		case <-done:
			return
		case <-beat.C:
			_ = msg.InProgress() // lost, the message comes again and the handler is idempotent
		case <-ended:
			ended, grace = nil, time.After(c.Grace)
		case <-grace:
			cancel()
		}
	}
}

// settle carries out the verdict and returns what really became of the message. Acknowledgements are not confirmed by
// the server: one that is lost brings the message again, which handlers must bear anyway, and waiting for each would cost
// a round trip.
func (d *delivery) settle(ctx context.Context, msg jetstream.Msg, m Message, v verdict, cause error) verdict {
	log := d.bus.cfg.Logger.With("stream", m.Stream, "sequence", m.Sequence, "consumer", d.consumer.Durable, "deliveries", m.Deliveries)
	if v.outcome == DeadLettered {
		// The dead letter is durable before the message is let go; without it the message stays.
		if err := d.bus.bury(context.WithoutCancel(ctx), d.consumer.Durable, m, cause); err != nil {
			log.ErrorContext(ctx, "dead letter not written", "error", err)
			v = verdict{outcome: Retried, delay: d.consumer.retryDelay(d.failures.of(m.Sequence) + 5)}
		} else {
			log.ErrorContext(ctx, "message given up", "error", cause)
		}
	}
	var err error
	switch v.outcome {
	case Acked:
		err = msg.Ack()
	case DeadLettered:
		err = msg.TermWithReason("dead letter written")
	default:
		log.WarnContext(ctx, "message comes again", "after", v.delay, "error", cause)
		err = msg.NakWithDelay(v.delay)
	}
	if err != nil {
		log.WarnContext(ctx, "message not settled", "outcome", v.outcome, "error", err)
	}
	return v
}

// received reads a delivery's metadata and decodes its event.
func received(msg jetstream.Msg, created time.Time) (Message, error) {
	meta, err := msg.Metadata()
	if err != nil {
		return Message{}, fmt.Errorf("read metadata of a message on %s: %w", msg.Subject(), err)
	}
	m := Message{
		Body: msg.Data(), Subject: msg.Subject(), Stream: meta.Stream, StreamCreated: created,
		Sequence: meta.Sequence.Stream, ConsumerSequence: meta.Sequence.Consumer, Deliveries: meta.NumDelivered,
		Pending: meta.NumPending, Time: meta.Timestamp, Origin: origin(msg.Headers()),
	}
	m.Event, m.Fault = decode(msg.Headers(), msg.Data())
	return m, nil
}

func typeOf(m Message) string {
	if m.Fault != nil {
		return ""
	}
	return m.Event.Type()
}
