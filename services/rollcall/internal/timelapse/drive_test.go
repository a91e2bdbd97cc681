package timelapse

import "time"

// reach shows the cast a time, one part after the other: the provider first, so that what it pushes then is on its way
// before anybody reads.
func (w *world) reach(at time.Time) {
	w.tb.Helper()
	w.stage.show(at)
	if w.onTime != nil {
		w.onTime()
	}
	for _, part := range []*hands{w.provider, w.receiver, w.worker} {
		if part.fire() > 0 {
			w.rest()
		}
	}
	if w.onStep != nil {
		w.onStep(at)
	}
}

// until lets time go by up to a moment, from one timer to the next.
func (w *world) until(at time.Time) {
	w.tb.Helper()
	for {
		next, any := w.stage.next()
		if !any || !next.Before(at) {
			break
		}
		w.reach(next)
	}
	w.reach(at)
}

// pass lets time go by.
func (w *world) pass(d time.Duration) {
	w.tb.Helper()
	w.until(w.stage.Now().Add(d))
}

// await lets time go by until something is so, and returns how long it took.
func (w *world) await(what string, within time.Duration, yes func() bool) time.Duration {
	w.tb.Helper()
	began := w.stage.Now()
	for limit := began.Add(within); !yes(); {
		next, any := w.stage.next()
		if !any || next.After(limit) {
			w.tb.Fatalf("not within %s: %s", within, what)
		}
		w.reach(next)
	}
	return w.stage.Now().Sub(began)
}
