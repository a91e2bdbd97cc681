package crash

import (
	"flag"
	"math/rand/v2"
	"testing"
	"time"
)

var (
	kills = flag.Int("kills", 30, "how often rollcall is killed")
	seed  = flag.Uint64("seed", 0, "of the story and of the moments of the kills; 0 takes a new one")
)

const (
	mustHit  = 15 // kills that must have come in mid-story
	patience = time.Minute
)

// TestKilledInMidStory kills `rollcall serve` over one data directory at random moments, from its first millisecond on.
// After the last start every entitlement equals the directory, and LICENSES tells a history without a gap or a repeat.
func TestKilledInMidStory(t *testing.T) {
	t.Parallel()
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("seed %d", *seed)
	h := open(t)
	h.connect(t)
	dice := rand.New(rand.NewPCG(*seed, 2))
	tale := newStory(t, h.client, simulated, domain, pace, *seed)
	end := tale.begin(t.Context())
	hit := 0
	for i := range *kills {
		published, told := h.published.Load(), tale.told.Load()
		p := h.serve(t)
		if i%2 == 0 { // any moment from the first on: files are opened, streams recovered, a position compared
			pause(t, time.Duration(dice.Int64N(int64(time.Second))))
		} else { // a moment at which changes are certain to be on their way
			h.awaitEvent(t, p, published)
			pause(t, time.Duration(dice.Int64N(int64(300*time.Millisecond))))
		}
		if !p.alive() {
			t.Fatalf("rollcall ended by itself:\n%s", p.said)
		}
		p.kill()
		// In mid-story: this life has published events of the story, which has gone on meanwhile.
		if h.published.Load() > published && tale.told.Load() > told {
			hit++
		}
		pause(t, time.Duration(dice.Int64N(int64(200*time.Millisecond)))) // the directory changes while nobody looks
	}
	if err := end(); err != nil {
		t.Fatalf("the story broke off: %v", err)
	}
	t.Logf("%d of %d kills in mid-story, over %d changes", hit, *kills, tale.told.Load())
	if hit < min(mustHit, *kills) {
		t.Errorf("only %d kills hit in mid-story, want at least %d", hit, mustHit)
	}
	h.serve(t)
	h.verify(t)
}

// pause lets a moment of the real time of other processes pass.
func pause(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-t.Context().Done():
	case <-time.After(d):
	}
}
