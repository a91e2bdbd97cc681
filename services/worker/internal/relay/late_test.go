package relay

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
)

// stopped runs a relay up to a step, where it stands still until the returned function is called, which tells how it ended.
func (b *bench) stopped(r *Relay, at step) (goOn func() error) {
	b.t.Helper()
	there, on := make(chan struct{}), make(chan struct{})
	first := true
	r.fault = func(s step) error {
		if s == at && first {
			first = false
			close(there)
			<-on
		}
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx, r.epoch, r.valid) }()
	select {
	case <-there:
	case err := <-done:
		b.t.Fatalf("it ended before: %v", err)
	}
	return func() error {
		defer cancel()
		close(on)
		err := <-done
		return errors.Join(err, ctx.Err())
	}
}

// A relay that is stopped anywhere, and goes on after another has taken over and published more, without noticing that its
// lease is lost, publishes and marks nothing any more.
func TestALateRelayChangesNothing(t *testing.T) {
	t.Parallel()
	for _, at := range []step{beforePublish, afterPublish, beforeMark, afterMark} {
		for _, size := range []int{3, 50} {
			t.Run(fmt.Sprintf("%s of %d", at, size), func(t *testing.T) {
				t.Parallel()
				b := newBench(t)
				b.emit(size)
				late, next := b.relay(), b.relay()
				fenced := 0
				late.deps.Fenced = func() { fenced++ }
				goOn := b.stopped(late, at)
				if err := b.run(next); err != nil {
					t.Fatal(err)
				}
				b.emit(2)
				if err := b.run(next); err != nil {
					t.Fatal(err)
				}
				b.emit(size)
				if err := goOn(); err != nil || fenced != 1 {
					t.Errorf("the late relay was fenced %d times and ended with %v", fenced, err)
				}
				if err := b.run(next); err != nil {
					t.Fatal(err)
				}
				b.verify()
				b.verifyPosition()
			})
		}
	}
}

// The next relay may have begun and not published yet. Then what the late one publishes is what was to come, and counts once.
func TestALateRelayThatIsFirst(t *testing.T) {
	t.Parallel()
	for _, size := range []int{3, 50} {
		b := newBench(t)
		b.emit(size)
		late, next := b.relay(), b.relay()
		goOn := b.stopped(late, beforePublish)
		if err := next.load(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := goOn(); err != nil {
			t.Error(err)
		}
		b.emit(1)
		if err := b.run(next); err != nil {
			t.Fatal(err)
		}
		b.verify()
		b.verifyPosition()
	}
}

// verifyPosition checks that the ledger knows LICENSES to its end: what is behind would be read again for ever.
func (b *bench) verifyPosition() {
	b.t.Helper()
	written, _, err := b.ledger.Position(b.t.Context(), bus.Licenses, ledger.Written)
	if err != nil || written.Sequence != b.sequence || written.Epoch != b.epoch {
		b.t.Errorf("known up to %d in epoch %d, %v; want %d in %d", written.Sequence, written.Epoch, err, b.sequence, b.epoch)
	}
}

func TestARelayAsksForItsLeaseBeforeEachPublish(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.emit(5)
	r := b.relay()
	asked := 0
	r.valid = func() bool { asked++; return asked <= 3 }
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := r.Run(ctx, r.epoch, r.valid); err != nil || ctx.Err() != nil {
		t.Fatal(err, ctx.Err())
	}
	b.sequence = 3
	b.verify()
	b.sequence = 5
	if err := b.run(b.relay()); err != nil {
		t.Fatal(err)
	}
	b.verify()
	b.verifyPosition()
}

// On Postgres a transaction may come to be seen later than one that took higher ids. Here it does so after those are
// published, by a relay that died before it marked them, and when the stream has forgotten their ids.
func TestIDsThatAreSeenOutOfOrder(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 3, 50} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			address := ledgertest.Postgres(t)
			b.ledger = open(t, address)
			b.shortMemory()
			commit := emitSlowly(t, open(t, address), "fabrikam", size)
			b.emit(size)
			dies := b.relay()
			dies.fault = failAt(beforeMark)
			if _, err := dies.publish(t.Context()); err == nil {
				t.Fatal("the relay did not die")
			}
			<-time.After(150 * time.Millisecond) // the server's own clock must pass the window
			if err := commit(); err != nil {
				t.Fatal(err)
			}
			out, err := b.ledger.Outbox(t.Context(), 1000)
			if err != nil || len(out) != 2*size || out[0].EventID[:8] != "fabrikam" {
				t.Fatalf("the outbox does not begin with what was seen last: %d events, %v", len(out), err)
			}
			b.emit(size)
			if err := b.run(b.relay()); err != nil {
				t.Fatal(err)
			}
			b.verifyTenants(map[string]uint64{"contoso": b.sequence, "fabrikam": uint64(size)})
			b.sequence += uint64(size)
			b.verifyPosition()
		})
	}
}

// emitSlowly puts a tenant's events into the outbox, in a transaction that is open until commit is called.
func emitSlowly(t *testing.T, l *ledger.Ledger, tenant string, n int) (commit func() error) {
	t.Helper()
	open, end, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- l.Update(context.Background(), func(tx *ledger.Tx) error {
			defer func() { <-end }()
			defer close(open)
			for i := range n {
				o, err := license(tenant, uint64(i)+1)
				if err != nil {
					return err
				}
				if err := tx.Emit(o); err != nil {
					return err
				}
			}
			return nil
		})
	}()
	<-open
	return func() error { close(end); return <-done }
}

func failAt(at step) func(step) error {
	return func(s step) error {
		if s == at {
			return errors.New("boom")
		}
		return nil
	}
}

// The relay may run in another process than the worker that fills the outbox: it is woken there, and who waits for it sees.
func TestTheRelayIsElsewhere(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	here, elsewhere := b.relay(), b.relay()
	elsewhere.cfg.Idle = time.Hour
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- elsewhere.Run(ctx, elsewhere.epoch, elsewhere.valid) }()
	for range 20 {
		b.emit(3)
		here.Wake()
		if err := here.AwaitDepth(ctx, 1); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	b.verify()
}
