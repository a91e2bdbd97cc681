package health

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

// Metrics are those of all watches of a provider.
type Metrics struct{ degraded, expires *prometheus.GaugeVec }

// NewMetrics registers the metrics.
func NewMetrics(reg prometheus.Registerer, provider directory.Provider) *Metrics {
	of := prometheus.Labels{"provider": string(provider)}
	m := &Metrics{
		degraded: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "rollcall_connection_degraded", Help: "1 for each tenant whose directory is not followed as it should be, by what keeps it.",
			ConstLabels: of,
		}, []string{"tenant", "class"}),
		expires: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "rollcall_credential_expires_timestamp_seconds", Help: "When the credential of each tenant ends whose end is known.",
			ConstLabels: of,
		}, []string{"tenant"}),
	}
	reg.MustRegister(m.degraded, m.expires)
	return m
}

// Forget drops what is known of a tenant that is gone.
func (m *Metrics) Forget(tenant string) {
	m.set(tenant, receiver.NoTrouble)
	m.ends(tenant, time.Time{})
}

func (m *Metrics) set(tenant string, trouble receiver.Trouble) {
	m.degraded.DeletePartialMatch(prometheus.Labels{"tenant": tenant})
	if trouble != receiver.NoTrouble {
		m.degraded.WithLabelValues(tenant, string(trouble)).Set(1)
	}
}

func (m *Metrics) ends(tenant string, at time.Time) {
	if at.IsZero() {
		m.expires.DeleteLabelValues(tenant)
		return
	}
	m.expires.WithLabelValues(tenant).Set(float64(at.Unix()))
}
