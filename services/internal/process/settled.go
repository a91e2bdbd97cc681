package process

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/pkg/bus"
)

// settledMetrics counts what became of each message of each consumer.
type settledMetrics struct {
	settled *prometheus.CounterVec
	waited  *prometheus.HistogramVec
	took    *prometheus.HistogramVec
}

func newSettledMetrics(r prometheus.Registerer) *settledMetrics {
	buckets := prometheus.ExponentialBuckets(0.0005, 4, 10)
	m := &settledMetrics{
		settled: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rollcall_bus_settled_total", Help: "Deliveries by stream, event type and what became of them.",
		}, []string{"stream", "type", "outcome"}),
		waited: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "rollcall_bus_waited_seconds", Help: "From when a message was stored to when its handler got it.", Buckets: buckets,
		}, []string{"stream"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "rollcall_bus_handled_seconds", Help: "In the handler of a message.", Buckets: buckets,
		}, []string{"stream"}),
	}
	r.MustRegister(m.settled, m.waited, m.took)
	return m
}

func (m *settledMetrics) observe(s bus.Settled) {
	m.settled.WithLabelValues(s.Stream, s.Type, string(s.Outcome)).Inc()
	m.waited.WithLabelValues(s.Stream).Observe(s.Waited.Seconds())
	m.took.WithLabelValues(s.Stream).Observe(s.Took.Seconds())
}
