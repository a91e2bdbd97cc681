package relay

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
)

// BenchmarkFromCommitToStream is how long a license event takes from the commit of its transaction to LICENSES, with fsync:
// with the relay in the worker's process, and in another one that is woken over NATS.
func BenchmarkFromCommitToStream(b *testing.B) {
	b.Run("here", func(b *testing.B) { fromCommitToStream(b, false) })
	b.Run("elsewhere", func(b *testing.B) { fromCommitToStream(b, true) })
}

func fromCommitToStream(b *testing.B, elsewhere bool) {
	server := bustest.StartServer(b, bustest.SyncAlways())
	address := ledgertest.Postgres(b)
	events, l := server.Bus(bus.Config{}), open(b, address)
	relays := func(l *ledger.Ledger) *Relay {
		return New(Config{}, Deps{Bus: server.Bus(bus.Config{}), Ledger: l, Clock: clock.System(), Logger: slog.New(slog.DiscardHandler)})
	}
	r := relays(open(b, address))
	wake := r.Wake
	if elsewhere {
		wake = relays(l).Wake
	}
	ctx, cancel := context.WithCancel(context.Background())
	stored := make(chan struct{}, 1)
	var running sync.WaitGroup
	running.Go(func() { _ = r.Run(ctx, 1, func() bool { return true }) })
	running.Go(func() {
		_ = events.Read(ctx, bus.ReadSpec{Stream: bus.Licenses, Follow: true}, func(bus.Message) error { stored <- struct{}{}; return nil })
	})
	var took []time.Duration
	for b.Loop() {
		o, err := license("contoso", uint64(len(took))+1)
		if err == nil {
			err = l.Update(ctx, func(tx *ledger.Tx) error { return tx.Emit(o) })
		}
		if err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		wake()
		<-stored
		took = append(took, time.Since(began))
	}
	cancel()
	running.Wait()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs-p50")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "µs-p99")
}
