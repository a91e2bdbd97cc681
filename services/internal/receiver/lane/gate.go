package lane

import (
	"time"

	"github.com/cenkalti/backoff/v5"
)

// gate keeps a kind of work from being tried again too soon: after 0.5 s, growing to a minute, with jitter.
type gate struct {
	until   time.Time
	backoff *backoff.ExponentialBackOff
}

func newGates() map[work]*gate {
	gates := map[work]*gate{}
	for _, kind := range append(haste[:], load) {
		gates[kind] = newGate()
	}
	return gates
}

func newGate() *gate { return &gate{backoff: backoff.NewExponentialBackOff()} }

func (g *gate) after(t time.Time) time.Time {
	if g.until.After(t) {
		return g.until
	}
	return t
}

func (g *gate) open() {
	g.until = time.Time{}
	g.backoff.Reset()
}

func (g *gate) close(now time.Time) time.Duration {
	wait := g.backoff.NextBackOff()
	g.until = now.Add(wait)
	return wait
}
