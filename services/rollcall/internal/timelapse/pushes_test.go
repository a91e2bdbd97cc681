package timelapse

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// TestUnrulyPushesChangeNothing: with every push sent three times, in any order and up to 3 h late, consumers hear of each
// user what they hear with pushes that come once and at once.
func TestUnrulyPushesChangeNothing(t *testing.T) {
	orderly := told(t, control.Push{Mode: control.PushOn})
	unruly := told(t, control.Push{Mode: control.PushOn, Duplicates: 2, Shuffle: true, Delay: 3 * time.Hour, Seed: *seed})
	if diff := cmp.Diff(orderly, unruly); diff != "" {
		t.Errorf("of some users another story is told (-orderly +unruly):\n%s", diff)
	}
}

// told is what consumers hear of each user of the seed's tale, in order.
func told(t *testing.T, p control.Push) map[string][]string {
	t.Helper()
	w := open(t, plan{list: time.Minute})
	s := w.found("initech").cast(rand.New(rand.NewPCG(*seed, 4)))
	s.connect(people / 2)
	s.neverHold() // which of many revocations is one too many depends on what is seen first
	w.push(p)     // now that the channels are there
	mark := s.heard.mark()
	s.tell(30*time.Minute, 24)
	s.pass(3 * time.Hour) // until the last push has come
	s.verify()
	heard := map[string][]string{}
	for _, e := range s.heard.since(mark) {
		if e.Entitlement != nil {
			heard[e.User] = append(heard[e.User], fmt.Sprintf("%s licensed=%t %s", e.Type, e.Entitlement.Licensed, e.Entitlement.Reason))
		}
	}
	if len(heard) < people/4 {
		t.Fatalf("only %d users have a story", len(heard))
	}
	return heard
}
