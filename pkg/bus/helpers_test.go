package bus_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
)

// note builds an event that says n.
func note(tb testing.TB, tenant, id string, n int) event.Event {
	tb.Helper()
	ev, err := event.New(event.TypeRoundEnded, event.Meta{
		ID: id, Source: event.DirectorySource(tenant), Time: time.Unix(1_700_000_000, 0), Tenant: tenant,
	}, event.RoundEnded{Requests: n})
	if err != nil {
		tb.Fatal(err)
	}
	return ev
}

func said(tb testing.TB, m bus.Message) int {
	tb.Helper()
	data, err := event.Data[event.RoundEnded](m.Event)
	if err != nil {
		tb.Error(err)
	}
	return data.Requests
}

// publish puts the events 1 to n of a tenant on LEDGER_IN.
func publish(tb testing.TB, b *bus.Bus, tenant string, from, to int) {
	tb.Helper()
	for n := from; n <= to; n++ {
		ev := note(tb, tenant, fmt.Sprintf("%s.%d", tenant, n), n)
		if _, err := b.Publish(tb.Context(), event.DirectorySubject(tenant, "round"), ev); err != nil {
			tb.Fatal(err)
		}
	}
}

// consume runs a consumer beside the test; the returned function ends it and reports its error.
func consume(tb testing.TB, b *bus.Bus, c bus.Consumer, h bus.Handler) (stop func() error) {
	tb.Helper()
	ctx, cancel := context.WithCancel(tb.Context())
	done := make(chan error, 1)
	go func() { done <- b.Consume(ctx, c, h) }()
	stopped := false
	var result error
	stop = func() error {
		if !stopped {
			stopped = true
			cancel()
			result = <-done
		}
		return result
	}
	tb.Cleanup(func() {
		if err := stop(); err != nil {
			tb.Errorf("consume: %v", err)
		}
	})
	return stop
}

// receive waits for the next value of a channel.
func receive[T any](tb testing.TB, ch <-chan T) T {
	tb.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(20 * time.Second):
		tb.Fatal("nothing came")
		panic("unreachable")
	}
}
