package clock

import (
	"slices"
	"sync"
	"time"
)

// Fake is a clock that stands still until Advance moves it.
type Fake struct {
	mu      sync.Mutex
	changed *sync.Cond // a timer was set, stopped or fired
	now     time.Time
	pending []*fakeTimer
}

// NewFake returns a clock that shows now.
func NewFake(now time.Time) *Fake {
	f := &Fake{now: now}
	f.changed = sync.NewCond(&f.mu)
	return f
}

// Now returns the time that the clock shows.
func (f *Fake) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// NewTimer returns a timer that fires when the clock has been advanced by d.
func (f *Fake) NewTimer(d time.Duration) Timer {
	t := &fakeTimer{clock: f, c: make(chan time.Time, 1)}
	t.Reset(d)
	return t
}

// After returns the channel of a new timer.
func (f *Fake) After(d time.Duration) <-chan time.Time { return f.NewTimer(d).C() }

// Advance moves the clock by d and fires the timers that are due on the way, in the order of their times. Each of them
// receives its own time, and Now shows the whole step as soon as the first has fired.
func (f *Fake) Advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
	f.fire()
}

// BlockUntil returns when at least n timers are pending: the code under test has gone to wait.
func (f *Fake) BlockUntil(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.pending) < n {
		f.changed.Wait()
	}
}

// fire sends to every due timer. The caller holds the lock.
func (f *Fake) fire() {
	slices.SortStableFunc(f.pending, func(a, b *fakeTimer) int { return a.at.Compare(b.at) })
	due := 0
	for due < len(f.pending) && !f.pending[due].at.After(f.now) {
		f.pending[due].c <- f.pending[due].at
		due++
	}
	f.pending = slices.Delete(f.pending, 0, due)
	f.changed.Broadcast()
}

type fakeTimer struct {
	clock *Fake
	c     chan time.Time
	at    time.Time
}

func (t *fakeTimer) C() <-chan time.Time { return t.c }

func (t *fakeTimer) Stop() bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	return t.remove()
}

func (t *fakeTimer) Reset(d time.Duration) bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	was := t.remove()
	t.at = t.clock.now.Add(d)
	t.clock.pending = append(t.clock.pending, t)
	t.clock.fire()
	return was
}

// remove takes the timer from the pending ones and drops a value that nobody received. The caller holds the lock.
func (t *fakeTimer) remove() bool {
	select {
	case <-t.c:
	default:
	}
	i := slices.Index(t.clock.pending, t)
	if i < 0 {
		return false
	}
	t.clock.pending = slices.Delete(t.clock.pending, i, i+1)
	t.clock.changed.Broadcast()
	return true
}
