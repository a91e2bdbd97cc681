package health

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

// Metrics are those of all watches of a provider.
type Metrics struct{ degraded *prometheus.GaugeVec }

// NewMetrics registers the metrics.
func NewMetrics(reg prometheus.Registerer, provider directory.Provider) *Metrics {
	m := &Metrics{degraded: prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "rollcall_connection_degraded", Help: "1 for each tenant whose directory is not followed as it should be, by what keeps it.",
		ConstLabels: prometheus.Labels{"provider": string(provider)},
	}, []string{"tenant", "class"})}
	reg.MustRegister(m.degraded)
	return m
}

// Forget drops what is known of a tenant that is gone.
func (m *Metrics) Forget(tenant string) {
	m.degraded.DeletePartialMatch(prometheus.Labels{"tenant": tenant})
}

func (m *Metrics) set(tenant string, trouble receiver.Trouble) {
	m.Forget(tenant)
	if trouble != receiver.NoTrouble {
		m.degraded.WithLabelValues(tenant, string(trouble)).Set(1)
	}
}
