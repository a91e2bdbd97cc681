package health_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/health"
)

// model is what is known of outcomes, minute by minute, as the rules say it: nothing of how a watch keeps it.
type model struct {
	failing map[string]time.Time // since when each part fails without a success between
	whole   bool                 // a round went well since the last failure
}

// TestRandomOutcomes holds for any story: degraded is only what failed for as long as Patience, recovered only what works as a
// whole, and what lasts is always said in the end.
func TestRandomOutcomes(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		t.Run(fmt.Sprint("story ", seed), func(t *testing.T) {
			t.Parallel()
			in(t, health.Config{}, func(b *bench) {
				dice, m := rand.New(rand.NewPCG(3, seed)), model{failing: map[string]time.Time{}}
				bad := map[string]bool{}
				degraded := false
				for range 12 * 60 {
					for _, part := range []string{"round", "full", "channels"} {
						if dice.IntN(25) == 0 {
							bad[part] = !bad[part]
						}
						b.happens(part, m.outcome(part, bad[part], dice.IntN(8) == 0))
						degraded = b.check(m, degraded)
					}
					b.after(time.Minute)
					degraded = b.check(m, degraded)
				}
				if n, _ := b.counts(); n > 12*60/5 {
					t.Errorf("%d verifications", n)
				}
				for range 10 {
					b.happens("round", m.outcome("round", false, false))
					b.happens("full", m.outcome("full", false, false))
					b.happens("channels", m.outcome("channels", false, false))
					b.after(time.Minute)
					degraded = b.check(m, degraded)
				}
				if degraded {
					t.Error("it is degraded long after everything works")
				}
				for range 12 {
					b.happens("round", m.outcome("round", true, false))
					b.after(time.Minute)
					degraded = b.check(m, degraded)
				}
				if !degraded {
					t.Error("it is not degraded long after nothing works")
				}
			})
		})
	}
}

// outcome is what becomes of a part of which now and then a try ends otherwise than most do.
func (m *model) outcome(part string, bad, odd bool) error {
	if bad == odd {
		delete(m.failing, part)
		m.whole = m.whole || part == "round"
		return nil
	}
	if m.whole = false; m.failing[part].IsZero() {
		m.failing[part] = time.Now()
	}
	return fault(receiver.Consent)
}

func (b *bench) happens(part string, err error) {
	if part == "channels" {
		b.watch.Kept(err)
	} else {
		b.watch.Worked(part, err)
	}
	synctest.Wait()
}

// check holds what was told since it was asked last against the model, and returns whether it is degraded now.
func (b *bench) check(m model, degraded bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, o := range b.told {
		if o.State == event.ConnectionWorking {
			if len(m.failing) > 0 || !m.whole {
				b.t.Fatalf("told %+v while %+v", o, m)
			}
			degraded = false
			continue
		}
		long := false
		for _, since := range m.failing {
			long = long || time.Since(since) >= 5*time.Minute
		}
		if !long {
			b.t.Fatalf("told %+v while %+v", o, m)
		}
		degraded = true
	}
	b.told = nil
	return degraded
}
