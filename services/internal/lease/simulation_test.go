package lease

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
)

var (
	seed  = flag.Uint64("seed", 0, "of the first simulation; 0 takes a new one")
	lives = flag.Int("lives", 20, "how many simulations there are")
)

// Members join, leave, die, are stopped and go on, and lose the network. At no time do two of them act on one key, and
// every one who acts has a higher epoch than whoever acted before. When all is quiet everything is held, by each its share.
func TestSimulation(t *testing.T) {
	t.Parallel()
	first := *seed
	if first == 0 {
		first = rand.Uint64()
	}
	for i := range *lives {
		seed := first + uint64(i)
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { newTown(t, seed).live() })
		})
	}
}

// town is the members and what they do.
type town struct {
	t       *testing.T
	dice    *dice
	keys    int
	store   *store
	network *gate
	members map[int]*citizen
	born    int
	calm    atomic.Bool

	mu    sync.Mutex
	acted map[int]act // the last one on each key
}

type act struct {
	who   *citizen
	lease Lease
}

// citizen is one process.
type citizen struct {
	process *gate
	network *gate
	end     context.CancelFunc
	done    chan error
}

func newTown(t *testing.T, seed uint64) *town {
	d := newDice(seed)
	return &town{t: t, dice: d, keys: 1 + d.of(12), store: newStore(), network: newGate(), members: map[int]*citizen{}, acted: map[int]act{}}
}

func (w *town) live() {
	w.join()
	for range 40 {
		w.event()
		<-time.After(w.dice.upTo(8 * time.Second))
	}
	for len(w.members) == 0 {
		w.join()
	}
	w.calm.Store(true)
	w.network.lift()
	for _, c := range w.members {
		c.network.lift()
		c.process.lift()
	}
	<-time.After(90 * time.Second)
	w.settled()
	for _, id := range slices.Sorted(maps.Keys(w.members)) {
		w.leave(id)
	}
	<-time.After(time.Second) // what is on its way arrives
}

// event lets something happen.
func (w *town) event() {
	ids := slices.Sorted(maps.Keys(w.members))
	if len(ids) == 0 || len(ids) < 5 && w.dice.of(4) == 0 {
		w.join()
		return
	}
	id := ids[w.dice.of(len(ids))]
	c := w.members[id]
	switch w.dice.of(12) {
	case 0:
		w.leave(id)
	case 1:
		w.kill(id)
	case 2:
		w.network.shut()
	case 3, 4:
		w.network.lift()
	case 5, 6:
		c.process.shut()
	case 7, 8:
		c.process.lift()
	case 9:
		c.network.shut()
	default:
		c.network.lift()
	}
}

func (w *town) join() {
	w.born++
	c := &citizen{process: newGate(), network: newGate(), done: make(chan error, 1)}
	w.members[w.born] = c
	leases := New(Config{Name: fmt.Sprint(w.born)}, Deps{
		KV:    &client{store: w.store, process: c.process, network: [2]*gate{w.network, c.network}, dice: w.dice, calm: &w.calm},
		Clock: gatedClock{clock.System(), c.process}, Logger: slog.New(slog.NewTextHandler(w.t.Output(), nil)).With("member", w.born), Metrics: prometheus.NewRegistry(),
	})
	ctx, end := context.WithCancel(context.Background())
	c.end = end
	go func() {
		c.done <- leases.Run(ctx, "worker", w.keys, func(ctx context.Context, l Lease) error { return w.work(ctx, c, l) })
	}()
}

// work acts on a key every so often, and takes a while to end.
func (w *town) work(ctx context.Context, c *citizen, l Lease) error {
	ticks := gatedClock{clock.System(), c.process}
	w.act(c, l)
	for ctx.Err() == nil {
		timer := ticks.NewTimer(w.dice.upTo(time.Second))
		select {
		case <-ctx.Done():
		case <-timer.C():
			w.act(c, l)
		}
		timer.Stop()
	}
	<-ticks.After(w.dice.upTo(3 * time.Second))
	w.act(c, l)
	return nil
}

func (w *town) act(c *citizen, l Lease) {
	c.process.pass()
	w.mu.Lock()
	defer w.mu.Unlock()
	if !l.Valid() {
		return
	}
	switch before, any := w.acted[l.Key]; {
	case any && before.who != c && before.lease.Valid():
		w.t.Errorf("key %d is held by two, in epochs %d and %d", l.Key, before.lease.Epoch, l.Epoch)
	case any && before.lease.Epoch > l.Epoch, any && before.who != c && before.lease.Epoch == l.Epoch:
		w.t.Errorf("key %d: epoch %d after %d", l.Key, l.Epoch, before.lease.Epoch)
	}
	w.acted[l.Key] = act{c, l}
}

func (w *town) leave(id int) {
	c := w.members[id]
	delete(w.members, id)
	c.process.lift()
	c.end()
	if err := <-c.done; err != nil {
		w.t.Errorf("member %d ended with %v", id, err)
	}
	c.network.lift()
}

// kill ends a member that can tell nobody.
func (w *town) kill(id int) {
	c := w.members[id]
	delete(w.members, id)
	c.network.shut()
	c.process.lift()
	c.end()
	<-c.done
	c.network.lift() // what it sent at last is lost: nobody waits for the answer
}

// settled checks that every key is held by somebody who lives, and that nobody has more than a share.
func (w *town) settled() {
	w.mu.Lock()
	defer w.mu.Unlock()
	held := map[*citizen]int{}
	for key := range w.keys {
		a, any := w.acted[key]
		if !any || !a.lease.Valid() {
			w.t.Errorf("nobody holds key %d", key)
			continue
		}
		held[a.who]++
	}
	for id, c := range w.members {
		if n := held[c]; n < w.keys/len(w.members) || n > (w.keys+len(w.members)-1)/len(w.members) {
			w.t.Errorf("member %d of %d holds %d of %d keys", id, len(w.members), n, w.keys)
		}
	}
}
