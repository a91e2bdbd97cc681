package lease

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
)

// store is the bucket of a simulation: it holds the last value of each key, as the real one does.
type store struct {
	mu       sync.Mutex
	revision uint64
	entries  map[string]entry
	changed  chan struct{} // closed with the next change
}

type entry struct {
	jetstream.KeyValueEntry
	key      string
	value    []byte
	revision uint64
}

func (e entry) Key() string      { return e.key }
func (e entry) Value() []byte    { return e.value }
func (e entry) Revision() uint64 { return e.revision }

func newStore() *store { return &store{entries: map[string]entry{}, changed: make(chan struct{})} }

func (s *store) update(key string, value []byte, revision uint64) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.entries[key].revision != revision {
		return 0, jetstream.ErrKeyRevisionMismatch
	}
	s.revision++
	s.entries[key] = entry{key: key, value: value, revision: s.revision}
	close(s.changed)
	s.changed = make(chan struct{})
	return s.revision, nil
}

// next is the oldest value that stands since a revision, as a consumer would get it: what was overwritten never comes.
func (s *store) next(prefix string, after uint64) (e entry, found bool, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, o := range s.entries {
		if strings.HasPrefix(key, prefix) && o.revision > after && (!found || o.revision < e.revision) {
			e, found = o, true
		}
	}
	return e, found, s.changed
}

// gate holds up one process: while it is shut, nothing of the process goes on.
type gate struct {
	mu   sync.Mutex
	open chan struct{} // closed while it is open
}

func newGate() *gate {
	g := &gate{open: make(chan struct{})}
	close(g.open)
	return g
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.isOpen() {
		g.open = make(chan struct{})
	}
}

func (g *gate) lift() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.isOpen() {
		close(g.open)
	}
}

func (g *gate) isOpen() bool {
	select {
	case <-g.open:
		return true
	default:
		return false
	}
}

// pass returns when the gate is open.
func (g *gate) pass() {
	for {
		g.mu.Lock()
		open, is := g.open, g.isOpen()
		g.mu.Unlock()
		if is {
			return
		}
		<-open
	}
}

// client is one process's connection to the store. Its network is slow, loses answers, and is away now and then.
type client struct {
	jetstream.KeyValue
	store   *store
	process *gate    // shut while the process is stopped
	network [2]*gate // shut while everybody's network, or this one's, is away
	dice    *dice
	calm    *atomic.Bool // nothing is lost any more
}

// dice are rolled by many goroutines.
type dice struct {
	mu sync.Mutex
	*rand.Rand
}

func newDice(seed uint64) *dice {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	return &dice{Rand: rand.New(rand.NewChaCha8(key))}
}

func (d *dice) upTo(most time.Duration) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Duration(d.Int64N(int64(most)))
}

func (d *dice) of(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.IntN(n)
}

// travel is the way to the store or back.
func (c *client) travel() {
	<-time.After(c.dice.upTo(50 * time.Millisecond))
	c.network[0].pass()
	c.network[1].pass()
}

func (c *client) Update(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	type answer struct {
		revision uint64
		err      error
	}
	answered := make(chan answer, 1)
	go func() {
		c.travel()
		next, err := c.store.update(key, value, revision)
		if !c.calm.Load() && c.dice.of(50) == 0 {
			return // the answer is lost
		}
		c.travel()
		answered <- answer{next, err}
	}()
	defer c.process.pass() // a process that is stopped meanwhile learns of it later
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case a := <-answered:
		return a.revision, a.err
	}
}

func (c *client) Get(context.Context, string) (jetstream.KeyValueEntry, error) {
	return nil, jetstream.ErrKeyNotFound
}

type watcher struct {
	updates chan jetstream.KeyValueEntry
	stop    context.CancelFunc
}

func (w watcher) Updates() <-chan jetstream.KeyValueEntry { return w.updates }
func (w watcher) Stop() error                             { w.stop(); return nil }

func (c *client) Watch(ctx context.Context, pattern string, _ ...jetstream.WatchOpt) (jetstream.KeyWatcher, error) {
	ctx, stop := context.WithCancel(ctx)
	w := watcher{updates: make(chan jetstream.KeyValueEntry), stop: stop}
	go c.follow(ctx, w, strings.TrimSuffix(pattern, ">"))
	return w, nil
}

// follow sends what is stored, a mark, and what comes after, late and only what then still stands.
func (c *client) follow(ctx context.Context, w watcher, prefix string) {
	defer close(w.updates)
	told := false
	for after := uint64(0); ctx.Err() == nil; {
		e, found, changed := c.store.next(prefix, after)
		var update jetstream.KeyValueEntry
		switch {
		case found:
			update, after = e, e.revision
		case !told:
			told = true
		default:
			select {
			case <-ctx.Done():
			case <-changed:
			}
			c.travel()
			continue
		}
		c.process.pass()
		select {
		case <-ctx.Done():
		case w.updates <- update:
		}
	}
}

// gatedClock is the clock of a process that may be stopped: its timers fire when it goes on.
type gatedClock struct {
	clock.Clock
	process *gate
}

type gatedTimer struct {
	clock.Timer
	c       chan time.Time
	stopped chan struct{}
	once    sync.Once
}

func (t *gatedTimer) C() <-chan time.Time { return t.c }

func (t *gatedTimer) Stop() bool {
	t.once.Do(func() { close(t.stopped) })
	return t.Timer.Stop()
}

func (c gatedClock) After(d time.Duration) <-chan time.Time { return c.NewTimer(d).C() }

func (c gatedClock) NewTimer(d time.Duration) clock.Timer {
	t := &gatedTimer{Timer: c.Clock.NewTimer(d), c: make(chan time.Time, 1), stopped: make(chan struct{})}
	go func() {
		select {
		case <-t.stopped:
		case at := <-t.Timer.C():
			c.process.pass()
			t.c <- at
		}
	}()
	return t
}
