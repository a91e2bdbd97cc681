package timelapse

import (
	"slices"
	"sync"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
)

// stage is one time for several clocks. It stands still until show moves it on, and each clock's timers fire only when its
// fire is called, so that one part can be done with a moment before the next one sees that it has come.
type stage struct {
	mu      sync.Mutex
	now     time.Time
	changes int // of any clock: a timer was set, stopped or fired
	hands   []*hands
}

// hands is one part's clock.
type hands struct {
	stage  *stage
	timers []*timer // pending
}

type timer struct {
	hands *hands
	c     chan time.Time
	at    time.Time
}

func newStage(now time.Time) *stage { return &stage{now: now} }

func (s *stage) clock() *hands {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := &hands{stage: s}
	s.hands = append(s.hands, h)
	return h
}

// Now is the time that all clocks show.
func (s *stage) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// show moves the time on. No timer fires yet.
func (s *stage) show(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = now
}

// next is when the first timer of any clock is due; false: there is none.
func (s *stage) next() (first time.Time, any bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.hands {
		for _, t := range h.timers {
			if !any || t.at.Before(first) {
				first, any = t.at, true
			}
		}
	}
	return first, any
}

// changed counts what has happened to timers.
func (s *stage) changed() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changes
}

// fire fires the timers that are due, and returns how many.
func (h *hands) fire() (fired int) {
	h.stage.mu.Lock()
	defer h.stage.mu.Unlock()
	return h.due()
}

// waiting is how many timers are pending.
func (h *hands) waiting() int {
	h.stage.mu.Lock()
	defer h.stage.mu.Unlock()
	return len(h.timers)
}

// due fires. The caller holds the lock.
func (h *hands) due() (fired int) {
	h.timers = slices.DeleteFunc(h.timers, func(t *timer) bool {
		if t.at.After(h.stage.now) {
			return false
		}
		t.c <- t.at
		fired++
		return true
	})
	h.stage.changes += fired
	return fired
}

func (h *hands) Now() time.Time                         { return h.stage.Now() }
func (h *hands) After(d time.Duration) <-chan time.Time { return h.NewTimer(d).C() }

func (h *hands) NewTimer(d time.Duration) clock.Timer {
	t := &timer{hands: h, c: make(chan time.Time, 1)}
	t.Reset(d)
	return t
}

func (t *timer) C() <-chan time.Time { return t.c }

func (t *timer) Stop() bool {
	t.hands.stage.mu.Lock()
	defer t.hands.stage.mu.Unlock()
	return t.stop()
}

func (t *timer) Reset(d time.Duration) bool {
	s := t.hands.stage
	s.mu.Lock()
	defer s.mu.Unlock()
	was := t.stop()
	t.at = s.now.Add(d)
	s.changes++
	if d <= 0 {
		t.c <- t.at
	} else {
		t.hands.timers = append(t.hands.timers, t)
	}
	return was
}

// stop takes the timer from the pending ones, and drops a value that nobody has received. The caller holds the lock.
func (t *timer) stop() bool {
	select {
	case <-t.c:
	default:
	}
	i := slices.Index(t.hands.timers, t)
	if i < 0 {
		return false
	}
	t.hands.timers = slices.Delete(t.hands.timers, i, i+1)
	t.hands.stage.changes++
	return true
}
