package lane

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// Metrics are those of all lanes of a provider. Safe for concurrent use.
type Metrics struct {
	requests  prometheus.Counter
	throttles prometheus.Counter
	rounds    prometheus.Counter
	expiries  prometheus.Counter
	asides    prometheus.Counter
	pages     prometheus.Counter
	errors    *prometheus.CounterVec
	ages      *ages
}

// NewMetrics registers the metrics. Ages are counted from now.
func NewMetrics(reg prometheus.Registerer, provider directory.Provider, now func() time.Time) *Metrics {
	labels := prometheus.Labels{"provider": string(provider)}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels})
	}
	m := &Metrics{
		requests:  counter("rollcall_provider_requests_total", "Requests to the provider to read directories."),
		throttles: counter("rollcall_provider_throttled_total", "Requests that the provider refused for now."),
		rounds:    counter("rollcall_sync_rounds_total", "Rounds that ended well."),
		expiries:  counter("rollcall_sync_cursors_expired_total", "Cursors that the provider no longer honoured, or that led in a circle."),
		asides:    counter("rollcall_sync_set_aside_total", "Reads of objects that could not be understood."),
		pages:     counter("rollcall_members_list_pages_total", "Pages of lists of watched groups' members that were read."),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rollcall_sync_errors_total", Help: "Work that failed and is tried again, by kind.", ConstLabels: labels,
		}, []string{"work"}),
		ages: &ages{
			now: now, begun: map[string]map[string]time.Time{"round": {}, "snapshot": {}, "list": {}}, every: map[string]time.Duration{},
			freshness: prometheus.NewDesc("rollcall_freshness_seconds", "Time since the begin of the tenant's last good round.", []string{"tenant"}, labels),
			snapshot:  prometheus.NewDesc("rollcall_snapshot_age_seconds", "Time since the begin of the tenant's last complete read.", []string{"tenant"}, labels),
			list:      prometheus.NewDesc("rollcall_members_list_age_seconds", "Time since the begin of the last complete list of the watched group's members that was listed longest ago.", []string{"tenant"}, labels),
			interval:  prometheus.NewDesc("rollcall_members_list_interval_seconds", "Longest time between the begins of the last two complete lists of a watched group's members.", []string{"tenant"}, labels),
		},
	}
	reg.MustRegister(m.requests, m.throttles, m.rounds, m.expiries, m.asides, m.pages, m.errors, m.ages)
	return m
}

// Failures counts failures of another kind of work on the provider.
func (m *Metrics) Failures(kind string) prometheus.Counter { return m.errors.WithLabelValues(kind) }

// Forget drops the ages of a tenant that is gone.
func (m *Metrics) Forget(tenant string) {
	m.ages.mu.Lock()
	defer m.ages.mu.Unlock()
	for _, begun := range m.ages.begun {
		delete(begun, tenant)
	}
	delete(m.ages.every, tenant)
}

func (m *Metrics) requested()       { m.requests.Inc() }
func (m *Metrics) ended()           { m.rounds.Inc() }
func (m *Metrics) throttled()       { m.throttles.Inc() }
func (m *Metrics) expired()         { m.expiries.Inc() }
func (m *Metrics) setAside()        { m.asides.Inc() }
func (m *Metrics) listed()          { m.pages.Inc() }
func (m *Metrics) failed(kind work) { m.errors.WithLabelValues(string(kind)).Inc() }

func (m *Metrics) fresh(tenant string, began time.Time)   { m.ages.set("round", tenant, began) }
func (m *Metrics) readAll(tenant string, began time.Time) { m.ages.set("snapshot", tenant, began) }

// listsOf tells of the lists of a tenant; the zero time: it has none.
func (m *Metrics) listsOf(tenant string, began time.Time, every time.Duration) {
	m.ages.mu.Lock()
	defer m.ages.mu.Unlock()
	if m.ages.begun["list"][tenant], m.ages.every[tenant] = began, every; began.IsZero() {
		delete(m.ages.begun["list"], tenant)
		delete(m.ages.every, tenant)
	}
}

// ages is a collector, as an age changes without anything happening.
type ages struct {
	now                                 func() time.Time
	freshness, snapshot, list, interval *prometheus.Desc

	mu    sync.Mutex
	begun map[string]map[string]time.Time // by what, then by tenant
	every map[string]time.Duration        // between lists, by tenant
}

func (a *ages) set(what, tenant string, began time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.begun[what][tenant] = began
}

func (a *ages) Describe(descs chan<- *prometheus.Desc) {
	descs <- a.freshness
	descs <- a.snapshot
	descs <- a.list
	descs <- a.interval
}

func (a *ages) Collect(metrics chan<- prometheus.Metric) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	for what, desc := range map[string]*prometheus.Desc{"round": a.freshness, "snapshot": a.snapshot, "list": a.list} {
		for tenant, began := range a.begun[what] {
			metrics <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, now.Sub(began).Seconds(), tenant)
		}
	}
	for tenant, every := range a.every {
		metrics <- prometheus.MustNewConstMetric(a.interval, prometheus.GaugeValue, every.Seconds(), tenant)
	}
}
