package timelapse

import (
	"math/rand/v2"
	"slices"
	"strings"
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
			s := openStale(t, plan{providers: []directory.Provider{provider}, list: 15 * time.Second})
			s.set(control.Settings{DeltaLag: behind, MemberLag: behind})
			if soonest := s.change(behind+time.Minute, false)[0]; soonest < behind {
				t.Errorf("an event came %s after its change, before the change could be read", soonest)
			}
		})
	}
}

// TestReadsThatFlap: where nine of ten reads show what was so up to ten minutes ago, and one what is, nobody loses a license who
// should have it, and each change is told. Who has lost it may have it once more for a while: gains are believed sooner.
func TestReadsThatFlap(t *testing.T) {
	for _, provider := range both() {
		t.Run(string(provider), func(t *testing.T) {
			s := openStale(t, plan{providers: []directory.Provider{provider}, list: 15 * time.Second, doubt: config.Default().Worker.Doubt})
			if err := s.control.PutPlan(t.Context(), control.Plan{
				Seed: *seed, Rates: map[control.FaultKind]float64{control.StaleRead: 0.9}, Stale: behind - time.Minute,
			}); err != nil {
				t.Fatal(err)
			}
			s.change(behind+time.Minute, true)
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

// change has users come and go for a while, and demands that just that is told, each within a time and once; with again, that
// who leaves is told to at least once, and may be told to be back in between.
func (s stale) change(within time.Duration, again bool) lags {
	s.tb.Helper()
	mark, suspended := s.heard.mark(), s.users[39]
	s.act(s.control.Suspend(s.tb.Context(), s.id, suspended))
	crossings := s.comeAndGo(rand.New(rand.NewPCG(*seed, 6)), s.users[:39], s.users[40:], 10*time.Minute, 12)
	took := s.lags(crossings, within)
	s.pass(behind + 5*time.Minute)
	s.tb.Logf("%s", took)
	want, got, left := []string{word(suspended, false)}, []string{}, map[string]bool{suspended: true}
	for _, one := range crossings {
		want = append(want, word(one.user, one.joins))
		left[one.user] = !one.joins
	}
	for _, e := range s.heard.since(mark) {
		if e.Entitlement != nil && !(again && left[e.User] && e.Entitlement.Licensed) {
			got = append(got, word(e.User, e.Entitlement.Licensed))
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if again {
		got = compactLosses(got)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		s.tb.Errorf("license events (-want +got):\n%s", diff)
	}
	s.verify()
	return took
}

// compactLosses leaves one of several times that somebody is told to have lost it.
func compactLosses(sorted []string) []string {
	return slices.CompactFunc(sorted, func(a, b string) bool { return a == b && strings.HasSuffix(a, " is not licensed") })
}

func word(user string, licensed bool) string {
	if licensed {
		return user + " is licensed"
	}
	return user + " is not licensed"
}
