package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/services/worker/internal/apply"
)

type metrics struct {
	messages  *prometheus.CounterVec
	decisions *prometheus.CounterVec
	relayed   *prometheus.CounterVec
	fenced    *prometheus.CounterVec
	flips     prometheus.Counter
	conflicts prometheus.Counter
	refused   prometheus.Counter
	lagging   prometheus.Histogram
}

func newMetrics(deps Deps) (*metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "rollcall_worker_" + name, Help: help}, labels)
	}
	single := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "rollcall_worker_" + name, Help: help})
	}
	m := &metrics{
		messages:  counter("messages_total", "Messages of LEDGER_IN by event type and what became of them.", "type", "result"),
		decisions: counter("decisions_total", "License events by type.", "type"),
		relayed:   counter("published_total", "Events that have left the outbox, by stream.", "stream"),
		fenced:    counter("fenced_total", "Times that work under a lease was refused because another process has it.", "role"),
		flips:     single("policy_changes_total", "Changes of a product's licensing mode or provisioning group."),
		conflicts: single("conflicts_total", "Times that several groups came to hold one provisioning address."),
		refused:   single("observations_refused_total", "Observations that could not be used."),
		lagging: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "rollcall_worker_lag_seconds", Help: "From the making of an event to the commit of its effects.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 10),
		}),
	}
	if deps.Metrics == nil {
		return m, nil
	}
	depth := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "rollcall_worker_outbox_depth", Help: "Events that have not been published yet; -1 when unknown.",
	}, func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		n, err := deps.Ledger.OutboxDepth(ctx)
		if err != nil {
			return -1
		}
		return float64(n)
	})
	rows := prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "rollcall_worker_rows_written_total", Help: "Rows of the ledger inserted, changed or deleted.",
	}, func() float64 { return float64(deps.Ledger.RowsWritten()) })
	var errs []error
	all := []prometheus.Collector{
		m.messages, m.decisions, m.relayed, m.fenced, rows, m.flips, m.conflicts, m.refused, m.lagging, depth, newStale(deps),
	}
	for _, c := range all {
		errs = append(errs, deps.Metrics.Register(c))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("register the worker's metrics: %w", err)
	}
	return m, nil
}

func (m *metrics) message(msg bus.Message, result string) {
	m.messages.WithLabelValues(msg.Event.Type(), result).Inc()
}

func (m *metrics) lag(d time.Duration)            { m.lagging.Observe(d.Seconds()) }
func (m *metrics) late(role string)               { m.fenced.WithLabelValues(role).Inc() }
func (m *metrics) published(stream string, n int) { m.relayed.WithLabelValues(stream).Add(float64(n)) }

func (m *metrics) applied(r apply.Result) {
	m.flips.Add(float64(r.Flips))
	m.conflicts.Add(float64(r.Conflicts))
	m.refused.Add(float64(r.Refused))
	for eventType, n := range r.Decisions {
		m.decisions.WithLabelValues(eventType).Add(float64(n))
	}
}
