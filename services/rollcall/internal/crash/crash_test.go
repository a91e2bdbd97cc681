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

// TestKilledInMidStory kills `rollcall serve` over one data directory at random moments, from its first millisecond on, while
// a directory changes and somebody approves what is held of that.
// After the last start every entitlement equals the directory, and LICENSES tells a history without a gap or a repeat.
func TestKilledInMidStory(t *testing.T) {
	t.Parallel()
	seed := *seed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("seed %d", seed)
	h := open(t)
	h.connect(t)
	dice := rand.New(rand.NewPCG(seed, 2))
	approver := h.approveAll(t)
	tale := newStory(t, h.client, simulated, domain, pace, seed)
	end := tale.begin(t.Context())
	hit := 0
	for i := range *kills {
		published, told, before := h.published.Load(), tale.told.Load(), approver.Approved()
		p := h.serve(t)
		switch {
		case i%6 == 5: // while what somebody has approved is being carried out
			h.await(t, p, "approval", func() bool { return approver.Approved() > before })
			pause(t, time.Duration(dice.Int64N(int64(50*time.Millisecond))))
		case i%2 == 0: // any moment from the first on: files are opened, streams recovered, a position compared
			pause(t, time.Duration(dice.Int64N(int64(time.Second))))
		default: // a moment at which changes are certain to be on their way
			h.await(t, p, "license event", func() bool { return h.published.Load() > published })
			pause(t, time.Duration(dice.Int64N(int64(300*time.Millisecond))))
		}
		if !p.Alive() {
			t.Fatalf("rollcall ended by itself:\n%s", p.Said)
		}
		p.Kill()
		// In mid-story: this life has published events of the story, which has gone on meanwhile.
		if h.published.Load() > published && tale.told.Load() > told {
			hit++
		}
		pause(t, time.Duration(dice.Int64N(int64(200*time.Millisecond)))) // the directory changes while nobody looks
	}
	approved := approver.Approved()
	if err := end(); err != nil {
		t.Fatalf("the story broke off: %v", err)
	}
	t.Logf("%d of %d kills in mid-story, over %d changes and %d approvals", hit, *kills, tale.told.Load(), approved)
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
