package worker

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/process"
)

// openHolds has the metrics of a process tell how long held changes wait. They are in the ledger, which the worker has opened
// before, so that its tables are there. A ledger that does not answer within holdsTimeout has no held changes to tell of: that
// it does not, other metrics say.
func openHolds(ctx context.Context, p *process.Process) error {
	reader, err := ledger.OpenReader(ctx, p.Config.LedgerAddress())
	if err != nil {
		return err
	}
	p.OnClose(reader.Close)
	return p.Metrics.Register(&holds{now: p.Clock.Now, read: func(ctx context.Context) ([]ledger.HeldChange, error) {
		return reader.HeldChanges(ctx, "", false)
	}})
}

const holdsTimeout = time.Second

var holdAge = prometheus.NewDesc("rollcall_held_age_seconds", "Time since a held change that waits for somebody was opened.",
	[]string{"tenant", "product", "kind"}, nil)

// holds is a collector, as an age changes without anything happening. A product has at most one open held change of a kind.
type holds struct {
	now  func() time.Time
	read func(context.Context) ([]ledger.HeldChange, error)
	turn sync.Mutex // so that it never takes more than one connection
}

func (h *holds) Describe(descs chan<- *prometheus.Desc) { descs <- holdAge }

func (h *holds) Collect(metrics chan<- prometheus.Metric) {
	h.turn.Lock()
	defer h.turn.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), holdsTimeout)
	defer cancel()
	all, err := h.read(ctx)
	if err != nil {
		return
	}
	now := h.now()
	for _, one := range all {
		if one.State == ledger.HeldOpen {
			metrics <- prometheus.MustNewConstMetric(holdAge, prometheus.GaugeValue, now.Sub(one.OpenedAt).Seconds(),
				one.Tenant, one.ProductID, string(one.Kind))
		}
	}
}
