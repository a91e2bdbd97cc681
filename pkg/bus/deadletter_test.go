package bus_test

import (
	"strings"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
)

// A body grows when it is copied into JSON. One that no longer fits must not keep its partition waiting.
func TestADeadLetterFitsWhateverItBuries(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	body := []byte(`{"text":"` + strings.Repeat("<", 400*1024) + `"}`)
	if _, err := b.JetStream().Publish(t.Context(), "directory.contoso.page", body); err != nil {
		t.Fatal(err)
	}
	settled := make(chan bus.Outcome, 10)
	observed, err := bus.New(b.JetStream().Conn(), bus.Config{
		Partitions: bustest.Partitions, Observe: func(s bus.Settled) { settled <- s.Outcome },
	})
	if err != nil {
		t.Fatal(err)
	}
	consume(t, observed, bus.Consumer{Stream: bus.LedgerIn, Durable: "worker"}, nil)
	if got := receive(t, settled); got != bus.DeadLettered {
		t.Errorf("the message was %s", got)
	}
}
