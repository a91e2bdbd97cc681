package timelapse

import (
	"runtime"
	"runtime/metrics"
	"time"
)

// patience is how long, by the wall, a test waits for the cast to come to rest, or for what must come.
const patience = time.Minute

// Rest is seen when nothing has moved at that many looks in a row, that far apart: what one part has written to a socket
// reaches the other within that.
const (
	looks = 3
	apart = 50 * time.Microsecond
)

// pulse tells whether anything moves in this process. It must be the only one that works: tests of this package run one
// after the other.
type pulse struct {
	samples []metrics.Sample
	blocked uint64 // goroutines that sit in a system call for good
}

func newPulse() *pulse {
	p := &pulse{samples: []metrics.Sample{
		{Name: "/sched/goroutines/runnable:goroutines"},
		{Name: "/sched/goroutines/running:goroutines"},
		{Name: "/sched/goroutines/not-in-go:goroutines"},
		{Name: "/sched/goroutines-created:goroutines"},
	}}
	return p
}

// still reports whether only the caller runs, and how many goroutines were ever started.
func (p *pulse) still() (bool, uint64) {
	metrics.Read(p.samples)
	runnable, running := p.samples[0].Value.Uint64(), p.samples[1].Value.Uint64()
	return runnable == 0 && running <= 1 && p.samples[2].Value.Uint64() <= p.blocked, p.samples[3].Value.Uint64()
}

// breathe lets the others run for a moment. A timer would take a millisecond.
func breathe() {
	for began := time.Now(); time.Since(began) < apart; {
		runtime.Gosched()
	}
}

// calm reports whether nothing has moved while it looked.
func (p *pulse) calm(changes func() int) bool {
	before, born := changes(), uint64(0)
	for n := range looks {
		if n > 0 {
			breathe()
		}
		still, started := p.still()
		if !still || (n > 0 && started != born) {
			return false
		}
		born = started
	}
	return changes() == before
}

// rest returns when every part has done all that it can do at the time that the clocks show, and nothing is held that
// somebody could approve.
func (w *world) rest() {
	w.tb.Helper()
	for w.settle(); w.approve(); {
		w.settle()
	}
}

// settle returns when nothing moves any more: none of the parts runs, the receiver waits for its clock, what is on the
// streams is consumed and what the worker has decided is published.
func (w *world) settle() {
	w.tb.Helper()
	limit := time.Now().Add(patience)
	for !w.pulse.calm(w.stage.changed) || !w.drained() {
		if time.Now().After(limit) {
			w.tb.Fatalf("the cast does not come to rest within %s: %s", patience, w.restless())
		}
		<-time.After(apart)
	}
}
