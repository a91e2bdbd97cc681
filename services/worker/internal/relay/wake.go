package relay

import (
	"context"
	"time"

	"github.com/nats-io/nats.go"
)

// wakeSubject is where a worker tells the relay, in whatever process it runs, that the outbox has been filled. It is core
// NATS: a message that is lost costs Config.Idle.
const wakeSubject = "wake.relay"

// Wake tells the relay that a transaction has filled the outbox.
func (r *Relay) Wake() {
	if r.running.Load() {
		r.signal()
		return
	}
	_ = r.deps.Bus.JetStream().Conn().Publish(wakeSubject, nil) // lost, the relay looks by itself
}

func (r *Relay) signal() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// listen has other processes wake this relay until the returned function is called.
func (r *Relay) listen(ctx context.Context) (stop func()) {
	conn := r.deps.Bus.JetStream().Conn()
	heard, err := conn.Subscribe(wakeSubject, func(*nats.Msg) { r.signal() })
	if err == nil {
		err = conn.FlushTimeout(time.Second) // what is told from now on is heard
	}
	if err != nil {
		r.deps.Logger.WarnContext(ctx, "other processes cannot wake the relay", "error", err)
	}
	return func() { _ = heard.Unsubscribe() }
}

// AwaitDepth returns when fewer than n events wait in the outbox. A relay in this process tells when some have gone;
// otherwise it looks again and again.
func (r *Relay) AwaitDepth(ctx context.Context, n int64) error {
	for {
		changed := r.marked.wait()
		depth, err := r.deps.Ledger.OutboxDepth(ctx)
		if err != nil || depth < n {
			return err
		}
		again := r.deps.Clock.NewTimer(r.cfg.Poll)
		select {
		case <-changed:
		case <-again.C():
		case <-ctx.Done():
			err = ctx.Err()
		}
		if again.Stop(); err != nil {
			return err
		}
	}
}
