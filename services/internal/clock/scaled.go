package clock

import (
	"sync"
	"time"
)

// Scaled returns a clock that showed the system's time at origin and has gone factor times as fast since. Those of several
// processes with one origin and one factor show the same time.
func Scaled(origin time.Time, factor float64) Clock {
	return scaled{origin: origin.Round(0), factor: factor}
}

type scaled struct {
	origin time.Time // without the reading of this process's own clock
	factor float64
}

func (s scaled) Now() time.Time {
	return s.origin.Add(time.Duration(float64(time.Since(s.origin)) * s.factor))
}

func (s scaled) NewTimer(d time.Duration) Timer {
	t := &scaledTimer{clock: s, c: make(chan time.Time, 1)}
	t.Reset(d)
	return t
}

func (s scaled) After(d time.Duration) <-chan time.Time { return s.NewTimer(d).C() }

// scaledTimer sends the clock's own time. Each setting has a number, so that one that fires while it is replaced says nothing.
type scaledTimer struct {
	clock scaled
	c     chan time.Time

	mu      sync.Mutex
	setting int
	pending bool
	timer   *time.Timer
}

func (t *scaledTimer) C() <-chan time.Time { return t.c }

func (t *scaledTimer) Stop() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.stop()
}

func (t *scaledTimer) Reset(d time.Duration) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	was := t.stop()
	t.pending = true
	setting := t.setting
	t.timer = time.AfterFunc(time.Duration(float64(d)/t.clock.factor), func() { t.fire(setting) })
	return was
}

// stop ends the setting in force, and drops what it has sent. The caller holds the lock.
func (t *scaledTimer) stop() bool {
	was := t.pending
	t.pending = false
	t.setting++
	if t.timer != nil {
		t.timer.Stop()
	}
	select {
	case <-t.c:
	default:
	}
	return was
}

func (t *scaledTimer) fire(setting int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if setting == t.setting && t.pending {
		t.pending = false
		t.c <- t.clock.Now()
	}
}
