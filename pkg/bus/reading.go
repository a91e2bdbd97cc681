package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// reading is one Read: a succession of short-lived consumers, each of which begins where the last one broke off. It does
// what the client's ordered consumer does, which does not look at a context while it mends.
type reading struct {
	bus     *Bus
	spec    ReadSpec
	fn      func(Message) error
	began   bool
	created time.Time // of the stream, when reading began
	end     uint64    // the stream's last sequence then
	seen    uint64    // the last sequence handed to fn
}

// errInterrupted says that this consumer will show no more, and that the next one can go on.
var errInterrupted = errors.New("interrupted")

func (r *reading) run(ctx context.Context) error {
	for failed := 0; ; failed++ {
		seen := r.seen
		err := r.once(ctx)
		switch {
		case !errors.Is(err, errInterrupted):
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case r.bus.js.Conn().IsClosed():
			return fmt.Errorf("%w: %w", ErrUnavailable, nats.ErrConnectionClosed)
		}
		if r.seen > seen {
			failed = 0
		}
		r.bus.cfg.Logger.DebugContext(ctx, "reader interrupted", "stream", r.spec.Stream, "after", r.seen, "error", err)
		rest(ctx, waitBetween(failed))
	}
}

// once reads with one consumer. Before reading has begun, trouble is the caller's; afterwards it is an interruption.
func (r *reading) once(ctx context.Context) error {
	consumer, err := r.open(ctx)
	if err != nil && r.began && !errors.Is(err, ErrStreamReplaced) {
		return fmt.Errorf("%w: %w", errInterrupted, err)
	}
	if err != nil || consumer == nil {
		return classify(err)
	}
	defer r.forget(ctx, consumer)
	messages, err := consumer.Messages(jetstream.PullHeartbeat(idleHeartbeat))
	if err != nil {
		return fmt.Errorf("%w: %w", errInterrupted, err)
	}
	defer messages.Stop()
	defer onReconnect(r.bus.js.Conn(), messages.Stop)()
	return r.take(ctx, consumer, messages)
}

// open makes a consumer behind what was seen, or returns none when nothing is left to read.
func (r *reading) open(ctx context.Context) (jetstream.Consumer, error) {
	stream, err := r.bus.js.Stream(ctx, r.spec.Stream)
	if err != nil {
		return nil, err
	}
	info := stream.CachedInfo()
	if r.began && (!info.Created.Equal(r.created) || info.State.LastSeq < r.seen) {
		return nil, ErrStreamReplaced
	}
	if !r.began {
		r.created, r.end = info.Created, info.State.LastSeq
	}
	if !r.spec.Follow && (info.State.Msgs == 0 || r.spec.FromNow) {
		return nil, nil
	}
	cfg := r.spec.config(r.end)
	if r.seen > 0 {
		cfg.DeliverPolicy, cfg.OptStartSeq, cfg.OptStartTime = jetstream.DeliverByStartSequencePolicy, r.seen+1, nil
	}
	consumer, err := stream.CreateConsumer(ctx, cfg)
	if err != nil {
		return nil, err
	}
	r.began = true
	if !r.spec.Follow && consumer.CachedInfo().NumPending == 0 {
		r.forget(ctx, consumer)
		return nil, nil
	}
	return consumer, nil
}

func (r *reading) take(ctx context.Context, consumer jetstream.Consumer, messages jetstream.MessagesContext) error {
	for expected := uint64(1); ; expected++ {
		m, err := r.next(ctx, consumer, messages)
		if err != nil || m == nil {
			return err
		}
		if m.ConsumerSequence != expected {
			return fmt.Errorf("%w: message %d of the consumer came after %d", errInterrupted, m.ConsumerSequence, expected-1)
		}
		if !r.spec.Follow && m.Sequence > r.end {
			return nil
		}
		m.ConsumerSequence, m.Deliveries = 0, 1
		if err := r.fn(*m); err != nil {
			return err
		}
		r.seen = m.Sequence
		if !r.spec.Follow && (m.Pending == 0 || m.Sequence == r.end) {
			return nil
		}
	}
}

// next returns no message when the server says, after a silence, that none is left: the rest may have expired since.
func (r *reading) next(ctx context.Context, consumer jetstream.Consumer, messages jetstream.MessagesContext) (*Message, error) {
	wait := jetstream.NextContext(ctx)
	if !r.spec.Follow {
		silence, cancel := context.WithTimeout(ctx, idleHeartbeat)
		defer cancel()
		wait = jetstream.NextContext(silence)
	}
	msg, err := messages.Next(wait)
	if err == nil {
		m, err := received(msg, r.created)
		return &m, err
	}
	if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
		return nil, fmt.Errorf("%w: %w", errInterrupted, err)
	}
	if info, err := consumer.Info(ctx); err == nil && info.NumPending == 0 {
		return nil, nil
	}
	return nil, fmt.Errorf("%w: messages are overdue", errInterrupted)
}

// forget deletes the consumer; one that cannot be reached ends by itself after a minute.
func (r *reading) forget(ctx context.Context, consumer jetstream.Consumer) {
	if !r.bus.js.Conn().IsConnected() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = r.bus.js.DeleteConsumer(ctx, r.spec.Stream, consumer.CachedInfo().Name)
}

// idleHeartbeat is how often an idle server says that it is still there; twice as long without means that it is not.
const idleHeartbeat = 2 * time.Second

// onReconnect calls f once when the connection comes back or is closed for good: consumers in memory do not outlive their
// server. The returned function ends the watch.
func onReconnect(nc *nats.Conn, f func()) (end func()) {
	changes := nc.StatusChanged(nats.CONNECTED, nats.CLOSED)
	done := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-changes:
			f()
		case <-done:
		}
	}()
	return func() {
		close(done)
		<-ended
		nc.RemoveStatusListener(changes)
	}
}
