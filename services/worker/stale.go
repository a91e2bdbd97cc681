package worker

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// stale tells of the tenants of which something that was said is lost, as the ledger has it: another worker may have marked
// them, or this one before it was started anew.
type stale struct {
	deps Deps
	desc *prometheus.Desc
}

func newStale(deps Deps) stale {
	return stale{deps: deps, desc: prometheus.NewDesc("rollcall_worker_stale_seconds",
		"Time since something that LEDGER_IN said of a tenant was given up, until its directory has been read in full; -1 when unknown.",
		[]string{"tenant"}, nil)}
}

// Describe sends what Collect tells of.
func (s stale) Describe(to chan<- *prometheus.Desc) { to <- s.desc }

// Collect reads the ledger. Where it cannot be read that is told as -1 of no tenant: an error would take all metrics away.
func (s stale) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	all, err := s.deps.Ledger.Reader().Stale(ctx)
	if err != nil {
		to <- prometheus.MustNewConstMetric(s.desc, prometheus.GaugeValue, -1, "")
		return
	}
	now := s.deps.Clock.Now()
	for name, since := range all {
		to <- prometheus.MustNewConstMetric(s.desc, prometheus.GaugeValue, now.Sub(since).Seconds(), name)
	}
}
