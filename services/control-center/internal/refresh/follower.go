package refresh

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
)

const (
	// idle is how long a refresh is followed after somebody has last asked for it.
	idle = 2 * time.Minute
	// most is how many are followed at once. Of others it is told whether they have ended, and no more.
	most = 64
)

// follower counts what has been read of one refresh.
type follower struct {
	id       string // of the command, and of the snapshot that answers it
	asked    chan struct{}
	watchers int // under the Book's lock

	mu       sync.Mutex
	state    State
	progress Progress
	result   *event.RefreshCompleted
	changed  chan struct{} // closed when there is something new to tell
	ended    bool
	err      error // what has ended it, where that is no result
}

// follow returns what follows a refresh, and starts it; nil where too many are followed.
func (b *Book) follow(tenant string, r Refresh) *follower {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.following(tenant, r, most)
}

// watch is follow for somebody who waits, of whom there are no more than open pages.
func (b *Book) watch(tenant string, r Refresh) *follower {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.following(tenant, r, math.MaxInt)
	if f != nil {
		f.watchers++
	}
	return f
}

func (b *Book) unwatch(f *follower) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f.watchers--
	f.ask()
}

func (b *Book) following(tenant string, r Refresh, most int) *follower {
	id := prefix(tenant) + r.ID
	f := b.followed[id]
	if f != nil {
		f.ask()
		return f
	}
	if b.ended || len(b.followed) >= most {
		return nil
	}
	f = &follower{id: id, state: Waiting, asked: make(chan struct{}, 1), changed: make(chan struct{})}
	b.followed[id] = f
	b.wait.Go(func() { f.run(b, tenant, r.sequence) })
	return f
}

// ask says that somebody wants to know.
func (f *follower) ask() {
	select {
	case f.asked <- struct{}{}:
	default: // it is known already
	}
}

// run reads on until the refresh has ended, or nobody asks for it any more.
func (f *follower) run(b *Book, tenant string, from uint64) {
	ctx, cancel := context.WithCancel(b.ctx)
	defer cancel()
	b.wait.Go(func() { b.untilIdle(ctx, f, cancel) })
	// An error ends it, and whoever asks next starts another.
	err := b.bus.Read(ctx, bus.ReadSpec{
		Stream: bus.LedgerIn, Filters: []string{"directory.*." + tenant + ".>", "command.*." + tenant + ".refreshed"},
		FromSequence: from, Follow: true,
	}, f.take)
	b.forget(f)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	if f.result == nil {
		f.err = err
	}
	f.news()
}

func (b *Book) forget(f *follower) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.followed[f.id] == f {
		delete(b.followed, f.id)
	}
}

// untilIdle ends the following once nobody has asked for long, and nobody waits.
func (b *Book) untilIdle(ctx context.Context, f *follower, end context.CancelFunc) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.asked:
		case <-b.clock.After(idle):
			if b.leave(f) {
				end()
				return
			}
		}
	}
}

// leave forgets a follower, unless somebody waits for what it tells.
func (b *Book) leave(f *follower) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if f.watchers > 0 {
		return false
	}
	delete(b.followed, f.id)
	return true
}

// news wakes up who waits. It is called under the lock.
func (f *follower) news() {
	close(f.changed)
	f.changed = make(chan struct{})
}

var errEnded = errors.New("the refresh has ended")

func (f *follower) take(m bus.Message) error {
	if m.Fault != nil {
		return nil
	}
	switch m.Event.Type() {
	case event.TypeDirectoryObserved:
		data, err := event.Data[event.DirectoryObserved](m.Event)
		if err != nil || data.Snapshot != f.id {
			return err
		}
		f.count(data)
	case event.TypeSnapshotEnded:
		data, err := event.Data[event.SnapshotEnded](m.Event)
		if err != nil || data.Snapshot != f.id {
			return err
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.state = Comparing
		f.news()
	case event.TypeRefreshCompleted:
		data, err := event.Data[event.RefreshCompleted](m.Event)
		if err != nil || event.Cause(m.Event) != f.id && data.Snapshot != f.id {
			return err
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.result = &data
		return errEnded
	}
	return nil
}

func (f *follower) count(page event.DirectoryObserved) {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer f.news()
	f.state = Reading
	f.progress.Pages++
	for _, o := range page.Observations {
		switch {
		case o.User != nil:
			f.progress.Users++
		case o.Group != nil:
			f.progress.Groups++
		case o.Membership != nil:
			f.progress.Memberships++
		}
	}
}

// tell says how a refresh goes on. What it returns is closed when there is more to tell; nil: it has ended, by err where it has
// no result.
func (f *follower) tell(r *Refresh) (changed <-chan struct{}, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.result != nil {
		r.end(*f.result)
		return nil, nil
	}
	p := f.progress
	r.State, r.Progress = f.state, &p
	if f.ended {
		return nil, f.err
	}
	return f.changed, nil
}
