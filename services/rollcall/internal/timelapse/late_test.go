package timelapse

import (
	"flag"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

var (
	hours = flag.Float64("hours", 0.2, "how long members come and go in a group of 1,000, in simulated hours")
	seed  = flag.Uint64("seed", 1, "of all that happens at random")
)

// documented is what Google says of how late its reports are.
func documented() control.Settings {
	return control.Settings{ActivityLag: map[string]time.Duration{"admin": 2 * time.Minute, "groups_enterprise": 2 * time.Hour}}
}

func (w *world) set(s control.Settings) {
	w.tb.Helper()
	if err := w.control.PutSettings(w.tb.Context(), s); err != nil {
		w.tb.Fatal(err)
	}
}

// TestAThousandMembersAreCurrentWhileReportsAreLate: in a group of 1,000 half of all license events come within 5 s of the
// change and 99 of 100 within 10 s, however late Google's reports are, and never with more requests than are granted.
func TestAThousandMembersAreCurrentWhileReportsAreLate(t *testing.T) {
	w := open(t, plan{})
	w.set(documented())
	c := w.found("initech")
	c.hire(1_400)
	members, others := c.users[:1_000], c.users[1_000:]
	c.gather(members...)
	c.connect(len(members))
	made := c.count()
	span := time.Duration(*hours * float64(time.Hour))
	crossings := c.comeAndGo(rand.New(rand.NewPCG(*seed, 2)), members, others, span, 100)
	took := c.lags(crossings, time.Minute)
	t.Logf("%s of late reports, %s; at most %d requests a minute", span, took, made.busiest())
	if p50, p99 := took.quantile(0.5), took.quantile(0.99); p50 > 5*time.Second || p99 > 10*time.Second {
		t.Errorf("half of the events came within %s, 99 of 100 within %s", p50, p99)
	}
	made.check(t, quota)
	c.verify()
}

// check demands that no minute saw more requests than are granted, and that nobody was told so by the provider.
func (t *tally) check(tb testing.TB, granted int) {
	tb.Helper()
	if busiest := t.busiest(); busiest > granted {
		tb.Errorf("%d requests within a minute, more than the %d that are granted", busiest, granted)
	}
}
