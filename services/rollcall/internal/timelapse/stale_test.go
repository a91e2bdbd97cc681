package timelapse

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/config"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// behind is for how long, after the push, reads still show what was before: longer than either provider is documented to take.
const behind = 10 * time.Minute

// TestStaleReadsAfterAPush: where every push comes at once and what it tells of shows ten minutes later, each change is told,
// once, and nothing else is.
func TestStaleReadsAfterAPush(t *testing.T) {
	for _, provider := range both() {
		t.Run(string(provider), func(t *testing.T) {
			s := openStale(t, plan{providers: []directory.Provider{provider}})
			s.set(control.Settings{DeltaLag: behind, MemberLag: behind})
			if soonest := s.change(behind + time.Minute)[0]; soonest < behind {
				t.Errorf("an event came %s after its change, before the change could be read", soonest)
			}
		})
	}
}

// TestReadsThatFlap: where nine of ten reads show what was so up to ten minutes ago, and one what is, each change is told, once,
// and nothing else is.
func TestReadsThatFlap(t *testing.T) {
	for _, provider := range both() {
		t.Run(string(provider), func(t *testing.T) {
			s := openStale(t, plan{providers: []directory.Provider{provider}, doubt: config.Default().Worker.Doubt})
			if err := s.control.PutPlan(t.Context(), control.Plan{
				Seed: *seed, Rates: map[control.FaultKind]float64{control.StaleRead: 0.9}, Stale: behind - time.Minute,
			}); err != nil {
				t.Fatal(err)
			}
			s.change(behind + time.Minute)
		})
	}
}

// stale is a customer of sixty users, of whom the first forty are members, and a past that can be shown.
type stale struct{ *customer }

func openStale(t *testing.T, p plan) stale {
	t.Helper()
	c := open(t, p).foundAt("initech", p.providers[0])
	c.hire(60)
	c.gather(c.users[:40]...)
	c.connect(40)
	c.neverHold()
	c.pass(behind + time.Minute)
	return stale{c}
}

// change has users come and go for a while, and demands that just that is told, each within a time.
func (s stale) change(within time.Duration) lags {
	s.tb.Helper()
	mark, suspended := s.heard.mark(), s.users[39]
	s.act(s.control.Suspend(s.tb.Context(), s.id, suspended))
	crossings := s.comeAndGo(rand.New(rand.NewPCG(*seed, 6)), s.users[:39], s.users[40:], 12*time.Minute, 12)
	took := s.lags(crossings, within)
	s.pass(2 * behind)
	s.tb.Logf("%s", took)
	want, got := []string{word(suspended, false)}, []string{}
	for _, one := range crossings {
		want = append(want, word(one.user, one.joins))
	}
	for _, e := range s.heard.since(mark) {
		if e.Entitlement != nil {
			got = append(got, word(e.User, e.Entitlement.Licensed))
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		s.tb.Errorf("license events (-want +got):\n%s", diff)
	}
	s.verify()
	return took
}

func word(user string, licensed bool) string {
	if licensed {
		return user + " is licensed"
	}
	return user + " is not licensed"
}
