package timelapse

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// behind is for how long, after the push, reads still show what was before: longer than either provider is documented to take.
const behind = 10 * time.Minute

// TestStaleReadsAfterAPush: where every push comes at once and what it tells of shows ten minutes later, each change is told,
// once, and nothing else is.
func TestStaleReadsAfterAPush(t *testing.T) {
	for _, provider := range both() {
		t.Run(string(provider), func(t *testing.T) {
			w := open(t, plan{providers: []directory.Provider{provider}})
			c := w.foundAt("initech", provider)
			c.hire(60)
			members, others := c.users[:39], c.users[40:]
			c.gather(c.users[:40]...)
			c.connect(40)
			c.neverHold()
			c.pass(behind + time.Minute) // so that there is a past that can be shown
			w.set(control.Settings{DeltaLag: behind, MemberLag: behind})
			mark := c.heard.mark()
			c.act(c.control.Suspend(t.Context(), c.id, c.users[39]))
			crossings := c.comeAndGo(rand.New(rand.NewPCG(*seed, 6)), members, others, 12*time.Minute, 12)
			took := c.lags(crossings, behind+time.Minute)
			c.pass(2 * behind)
			t.Logf("%s", took)
			if soonest := took[0]; soonest < behind {
				t.Errorf("an event came %s after its change, before the change could be read", soonest)
			}
			want, got := []string{word(c.users[39], false)}, []string{}
			for _, one := range crossings {
				want = append(want, word(one.user, one.joins))
			}
			for _, e := range c.heard.since(mark) {
				if e.Entitlement != nil {
					got = append(got, word(e.User, e.Entitlement.Licensed))
				}
			}
			slices.Sort(want)
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("license events (-want +got):\n%s", diff)
			}
			c.verify()
		})
	}
}

func word(user string, licensed bool) string {
	if licensed {
		return user + " is licensed"
	}
	return user + " is not licensed"
}
