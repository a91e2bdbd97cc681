package lane

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Of a budget that many share, work in haste has its requests one after the other at the even rate, once the bucket is empty;
// background work has none while the reserve is not there.
func TestHasteGoesBeforeWhatIsSharedInTheBackground(t *testing.T) {
	t.Parallel()
	b, now := NewBudget(600), time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC) // 8 a second, 90 at once, 45 of them kept
	background := 0
	for ; ; background++ {
		at, taken := b.take(now, true)
		if !taken {
			if !at.After(now) || at.After(now.Add(time.Second)) {
				t.Errorf("to be asked again in %s", at.Sub(now))
			}
			break
		}
	}
	hasty := 0
	for ; ; hasty++ {
		if at, taken := b.take(now, false); !taken {
			t.Fatal("work in haste is refused")
		} else if at.After(now) {
			break
		}
	}
	if background != 45 || hasty != 45 {
		t.Errorf("%d requests in the background, then %d in haste", background, hasty)
	}
	for n := 2; n < 10; n++ {
		at, _ := b.take(now, false)
		if want := now.Add(time.Duration(n) * time.Second / 8); at.Before(want) || at.After(want.Add(time.Millisecond)) {
			t.Errorf("request %d may be sent in %s, want %s", n, at.Sub(now), want.Sub(now))
		}
	}
}

// However many ask in whatever order, no minute has more requests than are granted.
func TestASharedBudgetIsNeverOverdrawn(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const granted = 600
		b, now := NewBudget(granted), time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
		var sent []time.Time
		for _, step := range rapid.SliceOfN(rapid.IntRange(-100, 2_000), 100, 1_500).Draw(t, "steps") {
			if step > 0 { // milliseconds
				now = now.Add(time.Duration(step) * time.Millisecond / 20)
			}
			if at, taken := b.take(now, step%2 == 0); taken {
				sent = append(sent, at)
			}
		}
		first := 0
		for n, at := range sent {
			for at.Sub(sent[first]) >= time.Minute {
				first++
			}
			if n-first+1 > granted {
				t.Fatalf("%d requests in a minute", n-first+1)
			}
		}
	})
}
