package torture

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
)

// killer kills parts at random, and starts them again.
type killer struct {
	parts *parts
	bus   *bus.Bus
	every time.Duration
	dice  *rand.Rand

	counts map[string]int // kills of a part that had done work in its life, by its name
	idle   int            // of one that had not yet
	total  atomic.Int64   // of those that count
	stored uint64         // messages on the streams when NATS was last started
}

func newKiller(cfg Config, p *parts, b *bus.Bus) *killer {
	return &killer{
		parts: p, bus: b, every: cfg.KillEvery, dice: rand.New(rand.NewPCG(cfg.Seed, diceKills)), //nolint:gosec // G404: the same again
		counts: map[string]int{},
	}
}

// How long a part is away, and how often a second one goes with it.
const (
	longestAway   = 2 * time.Second
	togetherOneIn = 4
)

// run kills until ctx ends. At its end every part is started.
func (k *killer) run(ctx context.Context) error {
	victims := append([]*part{k.parts.nats}, k.parts.services...)
	for {
		if !pause(ctx, k.every/2+time.Duration(k.dice.Int64N(int64(k.every)))) {
			return nil
		}
		order, n := k.dice.Perm(len(victims)), 1
		if k.dice.IntN(togetherOneIn) == 0 {
			n = 2
		}
		for _, i := range order[:n] {
			k.kill(ctx, victims[i])
		}
		pause(ctx, time.Duration(k.dice.Int64N(int64(longestAway))))
		for _, i := range order[:n] {
			if err := victims[i].start(); err != nil {
				return err
			}
		}
	}
}

// kill kills one part, and counts that where the part had done work in this life.
func (k *killer) kill(ctx context.Context, p *part) {
	asked, cancel := context.WithTimeout(ctx, askedWithin)
	worked := k.worked(asked, p)
	cancel()
	p.kill()
	if worked {
		k.counts[p.name]++
		k.total.Add(1)
	} else {
		k.idle++
	}
}

const askedWithin = 2 * time.Second

// worked reports whether a part has done work in its present life.
func (k *killer) worked(ctx context.Context, p *part) bool {
	switch p.name {
	case partNATS:
		stored, err := k.messages(ctx)
		worked := err == nil && stored > k.stored
		if err == nil {
			k.stored = stored // nobody stores anything until it is back
		}
		return worked
	case partWorker:
		return p.metric(ctx, "rollcall_worker_messages_total") > 0
	default:
		return p.metric(ctx, "rollcall_provider_requests_total") > 0
	}
}

// messages is how many messages were ever stored on what carries the work.
func (k *killer) messages(ctx context.Context) (sum uint64, err error) {
	for _, stream := range []string{bus.Notifications, bus.LedgerIn, bus.Licenses} {
		info, err := k.bus.StreamInfo(ctx, stream)
		if err != nil {
			return 0, err
		}
		sum += info.State.LastSeq
	}
	return sum, nil
}

// pause lets time pass by the wall, and reports whether ctx goes on.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
