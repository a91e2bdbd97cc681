package refresh

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
)

const (
	// idle is how long a refresh is followed after somebody has last asked for it.
	idle = 2 * time.Minute
	// most is how many are followed at once. Of others it is told whether they have ended, and no more.
	most = 64
)

// follower counts what has been read of one refresh.
type follower struct {
	id    string // of the command, and of the snapshot that answers it
	asked chan struct{}

	mu       sync.Mutex
	state    State
	progress Progress
	result   *event.RefreshCompleted
}

// follow returns what follows a refresh, and starts it; nil where too many are followed.
func (b *Book) follow(tenant string, r Refresh) *follower {
	id := prefix(tenant) + r.ID
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.followed[id]
	if f != nil {
		select {
		case f.asked <- struct{}{}:
		default: // it is known already
		}
		return f
	}
	if b.ended || len(b.followed) >= most {
		return nil
	}
	f = &follower{id: id, state: Waiting, asked: make(chan struct{}, 1)}
	b.followed[id] = f
	b.wait.Go(func() {
		f.run(b, tenant, r.sequence)
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.followed, id)
	})
	return f
}

// run reads on until the refresh has ended, or nobody asks for it any more.
func (f *follower) run(b *Book, tenant string, from uint64) {
	ctx, cancel := context.WithCancel(b.ctx)
	defer cancel()
	b.wait.Go(func() { f.untilIdle(ctx, b.clock, cancel) })
	// An error ends it, and whoever asks next starts another.
	_ = b.bus.Read(ctx, bus.ReadSpec{
		Stream: bus.LedgerIn, Filters: []string{"directory.*." + tenant + ".>", "command.*." + tenant + ".refreshed"},
		FromSequence: from, Follow: true,
	}, f.take)
}

// untilIdle ends the following once nobody has asked for long.
func (f *follower) untilIdle(ctx context.Context, c clock.Clock, end context.CancelFunc) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.asked:
		case <-c.After(idle):
			end()
			return
		}
	}
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

// tell says how a refresh goes on.
func (f *follower) tell(r *Refresh) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.result != nil {
		r.end(*f.result)
		return
	}
	p := f.progress
	r.State, r.Progress = f.state, &p
}
