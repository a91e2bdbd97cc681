package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

// Message is one delivery.
type Message struct {
	Event event.Event
	// Fault is why there is no Event, for consumers and readers that take Undecodable messages; nil otherwise.
	Fault            error
	Body             []byte // as stored
	Subject          string // as stored
	Stream           string
	StreamCreated    time.Time // with Sequence, the message's lasting position
	Sequence         uint64    // in the stream
	Origin           uint64    // in the stream that the server copied it from; 0 for what was published
	ConsumerSequence uint64    // of this delivery; 0 from Read
	Deliveries       uint64    // how often the server has sent it, this time included; 1 from Read
	Pending          uint64    // how many the server holds behind it for this reader
	Time             time.Time // when it was stored
}

// Handler does the work of one message. What it returns decides: nil acknowledges; RetryAfter and Reject say so; any
// other error, and a panic, is a failure: the message comes again after a growing delay and becomes a dead letter with
// the last of Consumer.Attempts. A message that was handled may come again, after a crash or a lost connection, so a
// handler must be idempotent.
type Handler func(ctx context.Context, m Message) error

// Consumer describes a durable consumer and how its messages are treated. Zero fields have usable defaults.
type Consumer struct {
	Stream  string
	Durable string   // see DurableName
	Filters []string // of subjects as stored, without overlap; none means the whole stream

	// Attempts is how many failures of one message, counted by this process, make it a dead letter; 0: never.
	Attempts   int
	FirstRetry time.Duration // delay after the first failure, doubled with each up to 30 s; 100 ms
	// AckWait is how long the server waits for a sign of life before it delivers again; 5 s. Long handlers are kept alive,
	// so it only matters when the process, its connection or the server has died.
	AckWait time.Duration
	// Grace is how long the handler in hand may still run once the consumer is told to end; 10 s.
	Grace time.Duration

	// Exclusive says that no other process reads this durable now, as a lease makes sure. What is still in flight when
	// reading begins, or when the connection comes back, was in dead hands: it comes again at once, not after AckWait.
	// Where it is not true, two processes may handle one message at the same time.
	Exclusive bool
	// HasPosition says that the caller keeps its own durable position, AfterSequence: every message behind it is delivered
	// at least once more, even those that were acknowledged before the caller lost what it had made of them. Without it the
	// server's memory of acknowledgements decides. It implies Exclusive.
	HasPosition   bool
	AfterSequence uint64

	// StartNew and StartSequence say where a durable that is not there yet begins: behind what is stored, or at a sequence.
	// By default at the first message. They exclude HasPosition.
	StartNew      bool
	StartSequence uint64

	// Undecodable hands what is no CloudEvent to the handler, with its Fault, instead of making it a dead letter.
	Undecodable bool
}

func (c Consumer) withDefaults() Consumer {
	setDefault(&c.FirstRetry, 100*time.Millisecond)
	setDefault(&c.AckWait, 5*time.Second)
	setDefault(&c.Grace, 10*time.Second)
	c.Exclusive = c.Exclusive || c.HasPosition
	return c
}

func (c Consumer) validate() error {
	switch {
	case c.Stream == "" || c.Durable == "":
		return errors.New("a consumer needs a stream and a durable name")
	case c.HasPosition && (c.StartNew || c.StartSequence != 0):
		return fmt.Errorf("consumer %s: a position and a start exclude each other", c.Durable)
	}
	return nil
}

// retryDelay is how long a message rests after its failure number failures+1.
func (c Consumer) retryDelay(failures int) time.Duration {
	const longest = 30 * time.Second
	if failures > 20 {
		return longest
	}
	return min(c.FirstRetry<<failures, longest)
}

func (c Consumer) config() jetstream.ConsumerConfig {
	cfg := jetstream.ConsumerConfig{
		Durable:       c.Durable,
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       c.AckWait,
		MaxAckPending: 1,  // the order of a stream survives redelivery only with one in flight
		MaxDeliver:    -1, // giving up is ours to decide: the server would skip the message without a word
		DeliverPolicy: jetstream.DeliverAllPolicy,
	}
	switch {
	case c.StartNew:
		cfg.DeliverPolicy = jetstream.DeliverNewPolicy
	case c.StartSequence > 0:
		cfg.DeliverPolicy, cfg.OptStartSeq = jetstream.DeliverByStartSequencePolicy, c.StartSequence
	}
	if len(c.Filters) == 1 { // the form whose subject permissions can be scoped
		cfg.FilterSubject = c.Filters[0]
	} else {
		cfg.FilterSubjects = c.Filters
	}
	return cfg
}

// ErrPositionAhead says that a caller's position is beyond the end of the stream: the stream has lost messages, or is
// another one than the position is of. New messages would look like old ones, so nothing is consumed.
var ErrPositionAhead = errors.New("the position is ahead of the stream")

// open binds or creates the durable and returns it with the creation time of its stream.
func (b *Bus) open(ctx context.Context, c Consumer) (jetstream.Consumer, time.Time, error) {
	stream, err := b.js.Stream(ctx, c.Stream)
	if err != nil {
		return nil, time.Time{}, err
	}
	cfg := c.config()
	if existing, err := stream.Consumer(ctx, c.Durable); err == nil { // where it began cannot be changed, nor matters now
		was := existing.CachedInfo().Config
		cfg.DeliverPolicy, cfg.OptStartSeq, cfg.OptStartTime = was.DeliverPolicy, was.OptStartSeq, was.OptStartTime
	} else if !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return nil, time.Time{}, err
	}
	consumer, err := stream.CreateOrUpdateConsumer(ctx, cfg)
	if err != nil {
		return nil, time.Time{}, err
	}
	return consumer, stream.CachedInfo().Created, nil
}

// rewind makes the server go on behind the caller's position: it delivers again what it believes done but the position
// does not hold, and what was in flight.
func (b *Bus) rewind(ctx context.Context, c Consumer, consumer jetstream.Consumer) error {
	if err := b.holds(ctx, c, c.AfterSequence); err != nil {
		return err
	}
	info := consumer.CachedInfo()
	if info.AckFloor.Stream <= c.AfterSequence && info.NumAckPending == 0 {
		return nil // the server knows no more than the caller: what comes again is harmless
	}
	if _, err := b.js.ResetConsumerToSequence(ctx, c.Stream, c.Durable, c.AfterSequence+1); err != nil {
		return fmt.Errorf("reset to %d: %w", c.AfterSequence+1, err)
	}
	b.cfg.Logger.InfoContext(ctx, "consumer set to the caller's position", "stream", c.Stream, "consumer", c.Durable,
		"acknowledged", info.AckFloor.Stream, "position", c.AfterSequence)
	return nil
}

// holds returns ErrPositionAhead for a stream that ends before a position: it was brought back from an older copy.
func (b *Bus) holds(ctx context.Context, c Consumer, position uint64) error {
	stream, err := b.js.Stream(ctx, c.Stream)
	if err != nil {
		return err
	}
	if last := stream.CachedInfo().State.LastSeq; position > last {
		return fmt.Errorf("%w: %s ends at %d, %s stands at %d", ErrPositionAhead, c.Stream, last, c.Durable, position)
	}
	return nil
}

// reclaim brings back at once what was in flight to a reader that is gone.
func (b *Bus) reclaim(ctx context.Context, c Consumer, consumer jetstream.Consumer) error {
	if consumer.CachedInfo().NumAckPending == 0 {
		return nil
	}
	if _, err := b.js.ResetConsumer(ctx, c.Stream, c.Durable); err != nil {
		return fmt.Errorf("reset: %w", err)
	}
	return nil
}
