package lease

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	held   *prometheus.GaugeVec
	losses *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		held: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "rollcall_leases_held", Help: "Leases that this process holds, by role.",
		}, []string{"role"}),
		losses: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rollcall_lease_losses_total", Help: "Leases that were lost and not given back, by role.",
		}, []string{"role"}),
	}
	r.MustRegister(m.held, m.losses)
	return m
}
