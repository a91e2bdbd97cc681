package timelapse

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// both are the providers.
func both() []directory.Provider {
	return []directory.Provider{directory.Entra, directory.GoogleWorkspace}
}

// TestFreshWithoutPushes: while all pushes are lost and reports are late, no directory is ever less fresh than 60 s, and each
// event comes at most 60 s after its change. Everything is as in production.
func TestFreshWithoutPushes(t *testing.T) {
	for _, provider := range both() {
		t.Run(string(provider), func(t *testing.T) {
			w := open(t, plan{providers: []directory.Provider{provider}})
			w.set(documented())
			w.push(control.Push{Mode: control.PushOff})
			c := w.foundAt("initech", provider)
			c.hire(100)
			members, others := c.users[:60], c.users[60:]
			c.gather(members...)
			c.connect(len(members))
			var oldest time.Duration
			w.onTime = func() { oldest = max(oldest, c.freshness()) }
			took := c.lags(c.comeAndGo(rand.New(rand.NewPCG(*seed, 5)), members, others, 15*time.Minute, 24), time.Minute)
			t.Logf("%s; freshness at most %s", took, oldest)
			if longest := took[len(took)-1]; longest > time.Minute {
				t.Errorf("an event came %s after its change", longest)
			}
			if oldest > time.Minute || oldest < 30*time.Second { // nothing but polls makes it fresh
				t.Errorf("freshness was up to %s", oldest)
			}
			c.verify()
		})
	}
}

// freshness is what the metrics say of it at the time that the clocks show.
func (c *customer) freshness() time.Duration {
	c.tb.Helper()
	families, err := c.metrics.Gather()
	if err != nil {
		c.tb.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "rollcall_freshness_seconds" {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == "tenant" && l.GetValue() == c.id {
					return time.Duration(m.GetGauge().GetValue() * float64(time.Second))
				}
			}
		}
	}
	c.tb.Fatalf("nothing is told of the freshness of %s", c.id)
	return 0
}
