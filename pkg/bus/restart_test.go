package bus_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
)

func TestConsumeLivesThroughRestarts(t *testing.T) {
	t.Parallel()
	s := bustest.StartServer(t)
	b := s.Bus(bus.Config{})
	publish(t, b, "contoso", 1, 30)
	c := contoso(b)
	c.AckWait, c.Exclusive = time.Hour, true // what was in flight when the server died comes again without waiting for it
	arrived := make(chan int)
	consume(t, b, c, func(_ context.Context, m bus.Message) error {
		arrived <- said(t, m)
		return nil
	})
	last := 0
	next := func() int {
		n := receive(t, arrived)
		if n > last+1 {
			t.Fatalf("%d came after %d", n, last)
		}
		last = max(last, n) // a repeat is allowed, a gap is not
		return n
	}
	for last < 10 {
		next()
	}
	s.Restart() // in the middle of a handler
	for last < 20 {
		next()
	}
	s.Stop()
	s.Resume()
	for last < 30 {
		next()
	}
	publish(t, b, "contoso", 31, 40)
	for last < 40 {
		next()
	}
}

// A process that dies with a message in hand leaves it to the next one, at once where that one is alone.
func TestAnExclusiveConsumerReclaimsWhatADeadOneHad(t *testing.T) {
	t.Parallel()
	s := bustest.StartServer(t)
	b := s.Bus(bus.Config{})
	publish(t, b, "contoso", 1, 3)
	c := contoso(b)
	c.AckWait = time.Hour
	dying, started := s.Bus(bus.Config{}), make(chan struct{})
	dead := make(chan error, 1)
	go func() {
		dead <- dying.Consume(t.Context(), c, func(context.Context, bus.Message) error {
			close(started)
			dying.JetStream().Conn().Close() // nothing of what follows reaches the server
			return nil
		})
	}()
	<-started
	if err := receive(t, dead); !errors.Is(err, bus.ErrUnavailable) {
		t.Errorf("the dead one ended with %v", err)
	}
	c.Exclusive = true
	arrived := make(chan int, 10)
	consume(t, b, c, func(_ context.Context, m bus.Message) error {
		arrived <- said(t, m)
		return nil
	})
	for want := 1; want <= 3; want++ {
		if got := receive(t, arrived); got != want {
			t.Errorf("got %d, want %d", got, want)
		}
	}
}

func TestReadLivesThroughARestart(t *testing.T) {
	t.Parallel()
	s := bustest.StartServer(t)
	b := s.Bus(bus.Config{})
	publish(t, b, "contoso", 1, 50)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	arrived := make(chan int)
	done := make(chan error, 1)
	go func() {
		done <- b.Read(ctx, bus.ReadSpec{Stream: bus.LedgerIn, Follow: true}, func(m bus.Message) error {
			arrived <- said(t, m)
			return nil
		})
	}()
	for want := 1; want <= 100; want++ {
		if want == 51 {
			s.Restart()
			publish(t, s.Bus(bus.Config{}), "contoso", 51, 100)
		}
		if got := receive(t, arrived); got != want {
			t.Fatalf("read %d, want %d", got, want)
		}
	}
	cancel()
	if err := receive(t, done); !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
}

func TestAPositionBringsBackWhatTheCallerLost(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	publish(t, b, "contoso", 1, 10)
	handled := make(chan bus.Message, 100)
	h := func(_ context.Context, m bus.Message) error {
		handled <- m
		return nil
	}
	until := func(want uint64) {
		t.Helper()
		for {
			if m := receive(t, handled); m.Sequence == want {
				return
			}
		}
	}
	stop := consume(t, b, contoso(b), h)
	until(10)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	c := contoso(b)
	c.HasPosition, c.AfterSequence = true, 4 // the ledger came back from a backup
	stop = consume(t, b, c, h)
	if got := receive(t, handled).Sequence; got != 5 {
		t.Errorf("after position 4 came %d", got)
	}
	until(10)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	c.AfterSequence = 10 // where the server stands as well
	consume(t, b, c, h)
	publish(t, b, "contoso", 11, 11)
	if got := receive(t, handled).Sequence; got != 11 {
		t.Errorf("after position 10 came %d", got)
	}
}

func TestAPositionOfAnotherStreamIsRefused(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	publish(t, b, "contoso", 1, 3)
	c := contoso(b)
	c.HasPosition, c.AfterSequence = true, 4
	err := b.Consume(t.Context(), c, func(context.Context, bus.Message) error { return nil })
	if !errors.Is(err, bus.ErrPositionAhead) {
		t.Errorf("position ahead of the stream: %v", err)
	}
}

func TestConsumeGoesOnWithAStreamThatWasMadeAnew(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	publish(t, b, "contoso", 1, 2)
	before, err := b.StreamCreated(t.Context(), bus.LedgerIn)
	if err != nil {
		t.Fatal(err)
	}
	handled := make(chan bus.Message, 10)
	consume(t, b, contoso(b), func(_ context.Context, m bus.Message) error {
		handled <- m
		return nil
	})
	receive(t, handled)
	if m := receive(t, handled); m.Sequence != 2 || !m.StreamCreated.Equal(before) {
		t.Errorf("sequence %d of the stream of %v, want %v", m.Sequence, m.StreamCreated, before)
	}
	if err := b.JetStream().DeleteStream(t.Context(), bus.LedgerIn); err != nil {
		t.Fatal(err)
	}
	if err := b.EnsureTopology(t.Context()); err != nil {
		t.Fatal(err)
	}
	publish(t, b, "contoso", 1, 1)
	if m := receive(t, handled); m.Sequence != 1 || !m.StreamCreated.After(before) {
		t.Errorf("sequence %d of the stream of %v", m.Sequence, m.StreamCreated)
	}
}
