package ledgertest

import (
	"slices"
	"testing"
	"time"
)

// Times are how long each of several calls of the same took, the quickest first.
type Times []time.Duration

// Time calls several times, at least once.
func Time(tb testing.TB, calls int, call func() error) (all Times) {
	tb.Helper()
	for range calls {
		begin := time.Now()
		if err := call(); err != nil {
			tb.Fatal(err)
		}
		all = append(all, time.Since(begin))
	}
	slices.Sort(all)
	return all
}

// Best is the quickest, 0 of none.
func (t Times) Best() time.Duration { return t.within(0) }

// within is what such a part of the calls stayed within.
func (t Times) within(part float64) time.Duration {
	if len(t) == 0 {
		return 0
	}
	return t[max(int(part*float64(len(t)))-1, 0)]
}

// Report says, in place of the time of a round, how long the quickest took, half of them, and 19 of 20.
func (t Times) Report(b *testing.B, prefix string) {
	b.ReportMetric(0, "ns/op")
	for name, part := range map[string]float64{"best": 0, "p50": 0.5, "p95": 0.95} {
		b.ReportMetric(float64(t.within(part).Microseconds())/1000, prefix+name+"-ms")
	}
}
