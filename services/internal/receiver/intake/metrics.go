package intake

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

type metrics struct {
	handshakes    prometheus.Counter
	answers       *prometheus.CounterVec
	notifications *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer, provider directory.Provider) *metrics {
	labels := prometheus.Labels{"provider": string(provider)}
	m := &metrics{
		handshakes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "rollcall_intake_handshakes_total", ConstLabels: labels,
			Help: "Proof-of-address requests answered.",
		}),
		answers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rollcall_intake_requests_total", ConstLabels: labels,
			Help: "Pushes by the status that they were answered with, handshakes apart.",
		}, []string{"code"}),
		notifications: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rollcall_notifications_total", ConstLabels: labels,
			Help: "Pushed items by result and, where not accepted, the reason.",
		}, []string{"result", "reason"}),
	}
	reg.MustRegister(m.handshakes, m.answers, m.notifications)
	return m
}

func (m *metrics) answer(status int) { m.answers.WithLabelValues(strconv.Itoa(status)).Inc() }

func (m *metrics) items(accepted int, ignored, refused map[reason]int) {
	m.notifications.WithLabelValues("accepted", "").Add(float64(accepted))
	for why, n := range ignored {
		m.notifications.WithLabelValues("ignored", string(why)).Add(float64(n))
	}
	for why, n := range refused {
		m.notifications.WithLabelValues("refused", string(why)).Add(float64(n))
	}
}
