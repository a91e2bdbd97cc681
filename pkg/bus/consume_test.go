package bus_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/event"
)

var errBroken = errors.New("broken")

// contoso is a consumer of contoso's partition that gives up after three failures.
func contoso(b *bus.Bus) bus.Consumer {
	p := b.Partition("contoso")
	return bus.Consumer{
		Stream: bus.LedgerIn, Durable: bus.DurableName("worker", p),
		Filters: []string{bus.DirectoryFilter(p), bus.CommandFilter(p, "")}, Attempts: 3, FirstRetry: time.Millisecond,
	}
}

func TestConsumeKeepsOrderThroughRetries(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	publish(t, b, "contoso", 1, 20)
	deliveries := make(chan int, 100)
	tries := map[int]int{}
	consume(t, b, contoso(b), func(_ context.Context, m bus.Message) error {
		n := said(t, m)
		tries[n]++
		switch {
		case n%5 == 0 && tries[n] < 3:
			return errBroken
		case n%7 == 0 && tries[n] < 10:
			return bus.RetryAfter(time.Millisecond, errBroken)
		}
		deliveries <- n
		return nil
	})
	for want := 1; want <= 20; want++ {
		if got := receive(t, deliveries); got != want {
			t.Fatalf("handled %d, want %d", got, want)
		}
	}
	if got := streamInfo(t, b, bus.DeadLetters).State.Msgs; got != 0 {
		t.Errorf("%d dead letters, though postponing is no failure", got)
	}
}

func TestConsumeReadsOnlyItsPartition(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	other := "t-0"
	for i := 1; b.Partition(other) == b.Partition("contoso"); i++ {
		other = "t-" + string(rune('0'+i))
	}
	publish(t, b, other, 1, 3)
	publish(t, b, "contoso", 1, 3)
	got := make(chan string, 10)
	consume(t, b, contoso(b), func(_ context.Context, m bus.Message) error {
		got <- event.Tenant(m.Event)
		return nil
	})
	for range 3 {
		if tenant := receive(t, got); tenant != "contoso" {
			t.Errorf("got a message of %s", tenant)
		}
	}
}

func TestConsumeGivesUpIntoADeadLetter(t *testing.T) {
	t.Parallel()
	s := bustest.StartServer(t)
	settled := make(chan bus.Settled, 20)
	b := s.Bus(bus.Config{Observe: func(s bus.Settled) { settled <- s }})
	publish(t, b, "contoso", 1, 3)
	handled := make(chan int, 10)
	consume(t, b, contoso(b), func(_ context.Context, m bus.Message) error {
		switch n := said(t, m); n {
		case 1:
			return errBroken
		case 2:
			return bus.Reject(errors.New("no such tenant"))
		default:
			handled <- n
			return nil
		}
	})
	if got := receive(t, handled); got != 3 {
		t.Fatalf("handled %d", got)
	}
	letters := deadLetters(t, b)
	want := []event.DeadLetter{
		{Stream: bus.LedgerIn, Sequence: 1, Consumer: contoso(b).Durable, Deliveries: 3, Reason: "broken"},
		{Stream: bus.LedgerIn, Sequence: 2, Consumer: contoso(b).Durable, Deliveries: 1, Reason: "rejected: no such tenant"},
	}
	for i := range letters {
		if inner, err := event.Decode(letters[i].Event); err != nil || event.Tenant(inner) != "contoso" {
			t.Errorf("dead letter %d does not hold its event: %v", i, err)
		}
		letters[i].Event, letters[i].Subject = nil, ""
	}
	if diff := cmp.Diff(want, letters); diff != "" {
		t.Error(diff)
	}
	var outcomes []bus.Outcome
	for range 5 {
		outcomes = append(outcomes, receive(t, settled).Outcome)
	}
	if diff := cmp.Diff([]bus.Outcome{bus.Retried, bus.Retried, bus.DeadLettered, bus.DeadLettered, bus.Acked}, outcomes); diff != "" {
		t.Error(diff)
	}
}

func TestConsumeWithoutABoundNeverGivesUp(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	publish(t, b, "contoso", 1, 1)
	c := contoso(b)
	c.Attempts = 0
	done := make(chan uint64, 1)
	consume(t, b, c, func(_ context.Context, m bus.Message) error {
		if m.Deliveries < 8 {
			return errBroken
		}
		done <- m.Deliveries
		return nil
	})
	receive(t, done)
}

func TestAPanicIsAFailure(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	publish(t, b, "contoso", 1, 2)
	done := make(chan int, 1)
	consume(t, b, contoso(b), func(_ context.Context, m bus.Message) error {
		if n := said(t, m); n == 2 {
			done <- n
			return nil
		}
		panic("boom")
	})
	receive(t, done)
	if letters := deadLetters(t, b); len(letters) != 1 || letters[0].Reason != "handler panicked: boom" || letters[0].Deliveries != 3 {
		t.Errorf("dead letters: %+v", letters)
	}
}

func TestGarbageIsADeadLetterAndStopsNobody(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	for _, body := range []string{"", "no event", `{"specversion":"1.0"}`, "\xff\xfe"} {
		if _, err := b.JetStream().Publish(t.Context(), "directory.contoso.page", []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	publish(t, b, "contoso", 1, 1)
	done := make(chan int, 10)
	consume(t, b, contoso(b), func(_ context.Context, m bus.Message) error {
		done <- said(t, m)
		return nil
	})
	if got := receive(t, done); got != 1 {
		t.Errorf("handled %d", got)
	}
	letters := deadLetters(t, b)
	if len(letters) != 4 {
		t.Fatalf("%d dead letters", len(letters))
	}
	if string(letters[1].Body) != "no event" || string(letters[2].Event) != `{"specversion":"1.0"}` || string(letters[3].Body) != "\xff\xfe" {
		t.Errorf("bodies are lost: %+v", letters)
	}
}

// A dead letter that cannot be written leaves its message where it is.
func TestNothingIsGivenUpWithoutItsDeadLetter(t *testing.T) {
	t.Parallel()
	s := bustest.StartServer(t)
	outcomes := make(chan bus.Outcome, 100)
	b := s.Bus(bus.Config{DeadLettersMaxBytes: 200, Observe: func(s bus.Settled) { outcomes <- s.Outcome }})
	publish(t, b, "contoso", 1, 1)
	consume(t, b, contoso(b), func(context.Context, bus.Message) error { return bus.Reject(errBroken) })
	for range 2 {
		if got := receive(t, outcomes); got != bus.Retried {
			t.Fatalf("outcome %s with DEAD_LETTERS full", got)
		}
	}
	roomy := s.Bus(bus.Config{}) // the operator makes room
	for receive(t, outcomes) != bus.DeadLettered {
	}
	if letters := deadLetters(t, roomy); len(letters) != 1 {
		t.Errorf("dead letters: %+v", letters)
	}
}

func TestLongHandlersAreKeptAlive(t *testing.T) {
	t.Parallel()
	settled := make(chan bus.Settled, 10)
	b := bustest.StartServer(t).Bus(bus.Config{Observe: func(s bus.Settled) { settled <- s }})
	publish(t, b, "contoso", 1, 2)
	c := contoso(b)
	c.AckWait = 300 * time.Millisecond
	consume(t, b, c, func(context.Context, bus.Message) error {
		<-time.After(3 * c.AckWait) // long work, against the server's clock
		return nil
	})
	for range 2 {
		if got := receive(t, settled); got.Outcome != bus.Acked || got.Deliveries != 1 {
			t.Errorf("%s at delivery %d", got.Outcome, got.Deliveries)
		}
	}
	consumer, err := b.JetStream().Consumer(t.Context(), c.Stream, c.Durable)
	if err != nil {
		t.Fatal(err)
	}
	if got := consumer.CachedInfo().Delivered.Consumer; got != 2 {
		t.Errorf("%d deliveries of 2 messages", got)
	}
}

func TestEndingLetsTheHandlerFinishAndGivesTheRestBack(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	publish(t, b, "contoso", 1, 5)
	started, finish := make(chan struct{}), make(chan struct{})
	stop := consume(t, b, contoso(b), func(ctx context.Context, _ bus.Message) error {
		close(started)
		<-finish
		return ctx.Err()
	})
	<-started
	ended := make(chan error, 1)
	go func() { ended <- stop() }()
	select {
	case <-ended:
		t.Fatal("Consume left its handler behind")
	case <-time.After(50 * time.Millisecond):
	}
	close(finish)
	if err := receive(t, ended); err != nil {
		t.Error(err)
	}
	// Well before AckWait (30 s) the next process goes on with the second message.
	next := make(chan int, 10)
	consume(t, b, contoso(b), func(_ context.Context, m bus.Message) error {
		next <- said(t, m)
		return nil
	})
	for want := 2; want <= 5; want++ {
		if got := receive(t, next); got != want {
			t.Errorf("next process got %d, want %d", got, want)
		}
	}
}

func TestAHandlerThatDoesNotEndIsCanceledAfterGrace(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	publish(t, b, "contoso", 1, 1)
	c := contoso(b)
	c.Grace = 10 * time.Millisecond
	c.Attempts = 1
	started := make(chan struct{}, 1)
	stop := consume(t, b, c, func(ctx context.Context, _ bus.Message) error {
		started <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	})
	<-started
	if err := stop(); err != nil {
		t.Error(err)
	}
	if letters := deadLetters(t, b); len(letters) != 0 {
		t.Errorf("breaking off became a failure: %+v", letters)
	}
}

func TestConsumeRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	never := func(context.Context, bus.Message) error { return nil }
	overlapping := contoso(b)
	overlapping.Filters = []string{"directory.>", "directory.1.>"}
	for name, c := range map[string]bus.Consumer{
		"no stream":           {Durable: "d"},
		"no durable":          {Stream: bus.LedgerIn},
		"position and start":  {Stream: bus.LedgerIn, Durable: "d", HasPosition: true, StartNew: true},
		"overlapping filters": overlapping,
	} {
		if err := b.Consume(t.Context(), c, never); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	b.JetStream().Conn().Close()
	if err := b.Consume(t.Context(), contoso(b), never); !errors.Is(err, bus.ErrUnavailable) {
		t.Errorf("closed connection: %v", err)
	}
}

// deadLetters reads what is on DEAD_LETTERS for contoso.
func deadLetters(tb testing.TB, b *bus.Bus) []event.DeadLetter {
	tb.Helper()
	var letters []event.DeadLetter
	spec := bus.ReadSpec{Stream: bus.DeadLetters, Filters: []string{event.DeadLetterSubject(bus.LedgerIn, "contoso")}}
	err := b.Read(tb.Context(), spec, func(m bus.Message) error {
		letter, err := event.Data[event.DeadLetter](m.Event)
		letters = append(letters, letter)
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return letters
}
