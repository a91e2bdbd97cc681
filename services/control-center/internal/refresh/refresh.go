// Package refresh tells how the complete reads of a directory go on and what they have come to, from what is on LEDGER_IN.
package refresh

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/command"
)

var (
	// ErrNone says that LEDGER_IN has no such refresh.
	ErrNone = errors.New("no such refresh")
	// ErrClosed says that the Book is closed.
	ErrClosed = errors.New("refreshes are not followed any more")
)

// State says how far a refresh has come.
type State string

// The states of a refresh.
const (
	Waiting   State = "waiting"   // nothing of it is read yet
	Reading   State = "reading"   // pages come
	Comparing State = "comparing" // all is read; what it brings is being found out
	Done      State = "done"
	Failed    State = "failed"
)

// Refresh is one complete read.
type Refresh struct {
	ID        string // without the tenant: the idempotency key of the command
	Requested time.Time
	By        string // who or what asked
	Preview   bool
	State     State
	Progress  *Progress               // while it is read, where somebody has asked before
	Result    *event.RefreshCompleted // once it has ended

	sequence uint64 // of the command, on LEDGER_IN
}

// Progress is what has been read so far.
type Progress struct{ Pages, Users, Groups, Memberships int }

// Book knows the refreshes. It follows one that runs from when somebody first asks for it, and as long as somebody does.
type Book struct {
	bus   *bus.Bus
	clock clock.Clock

	mu       sync.Mutex
	followed map[string]*follower // by event id
	ended    bool
	wait     sync.WaitGroup
	ctx      context.Context //nolint:containedctx // of all followers: they outlive the requests that start them
	stop     context.CancelFunc
}

// NewBook makes one. What it follows ends with ctx, or with Close.
func NewBook(ctx context.Context, b *bus.Bus, c clock.Clock) *Book {
	ctx, stop := context.WithCancel(ctx)
	return &Book{bus: b, clock: c, followed: map[string]*follower{}, ctx: ctx, stop: stop}
}

// Close ends all following, and waits for that.
func (b *Book) Close() {
	b.mu.Lock()
	b.ended = true
	b.mu.Unlock()
	b.stop()
	b.wait.Wait()
}

// prefix is what ids of a tenant's refreshes begin with.
func prefix(tenant string) string { return event.CommandID(tenant, command.VerbRefresh, "") }

// List returns the refreshes of a tenant that LEDGER_IN knows of, the latest first. How a running one goes on is not in it.
func (b *Book) List(ctx context.Context, tenant string) ([]Refresh, error) {
	byID := map[string]*Refresh{}
	var all []*Refresh
	err := b.bus.Read(ctx, bus.ReadSpec{
		Stream: bus.LedgerIn, Filters: []string{"command.*." + tenant + "." + command.VerbRefresh, "command.*." + tenant + ".refreshed"},
	}, func(m bus.Message) error {
		if m.Fault != nil {
			return nil
		}
		switch m.Event.Type() {
		case event.TypeRefreshRequested:
			data, err := event.Data[event.RefreshRequested](m.Event)
			if err != nil || byID[m.Event.ID()] != nil {
				return err
			}
			r := &Refresh{
				ID: strings.TrimPrefix(m.Event.ID(), prefix(tenant)), Requested: m.Event.Time(), By: cmp.Or(data.By, data.RequestedBy),
				Preview: data.Preview, State: Waiting, sequence: m.Sequence,
			}
			byID[m.Event.ID()] = r
			all = append(all, r)
		case event.TypeRefreshCompleted:
			data, err := event.Data[event.RefreshCompleted](m.Event)
			if err != nil {
				return err
			}
			for _, id := range []string{event.Cause(m.Event), data.Snapshot} {
				if r := byID[id]; r != nil {
					r.end(data)
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(x, y *Refresh) int { return cmp.Compare(y.sequence, x.sequence) })
	list := make([]Refresh, len(all))
	for i, r := range all {
		list[i] = *r
	}
	return list, nil
}

func (r *Refresh) end(data event.RefreshCompleted) {
	r.State, r.Result, r.Progress = Done, &data, nil
	if data.Error != "" {
		r.State = Failed
	}
}

// Get returns one refresh, ErrNone where there is none, and how it goes on.
func (b *Book) Get(ctx context.Context, tenant, id string) (Refresh, error) {
	r, err := b.find(ctx, tenant, id)
	if err != nil || r.Result != nil {
		return r, err
	}
	if f := b.follow(tenant, r); f != nil {
		_, _ = f.tell(&r) // what has ended it is told to whoever waits
	}
	return r, nil
}

func (b *Book) find(ctx context.Context, tenant, id string) (Refresh, error) {
	all, err := b.List(ctx, tenant)
	if err != nil {
		return Refresh{}, err
	}
	i := slices.IndexFunc(all, func(r Refresh) bool { return r.ID == id })
	if i < 0 {
		return Refresh{}, ErrNone
	}
	return all[i], nil
}

// Watch tells how one refresh goes on: at once, and whenever there is something new, until it has told the Result. What comes
// while say is at work is told together. It returns nil then, ErrNone where there is no such refresh, or what has kept it from
// the end: ctx, the end of the Book, the bus, or say.
func (b *Book) Watch(ctx context.Context, tenant, id string, say func(Refresh) error) error {
	r, err := b.find(ctx, tenant, id)
	if err != nil {
		return err
	}
	if r.Result != nil {
		return say(r)
	}
	f := b.watch(tenant, r)
	if f == nil {
		return ErrClosed
	}
	defer b.unwatch(f)
	for {
		changed, err := f.tell(&r)
		if err != nil {
			return err
		}
		if err := say(r); err != nil || changed == nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// Sequence tells a list in the order of asking: the position of a page.
func (r Refresh) Sequence() uint64 { return r.sequence }
