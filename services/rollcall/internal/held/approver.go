package held

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/license"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/command"
)

// Somebody is who an Approver approves as.
const Somebody = "somebody"

// Approver does what a person does: it approves whatever is held of one product, with the command that the command line
// gives. It lives through restarts of everything at the other end of its connection.
type Approver struct {
	Tenant, Product string
	NATS            *nats.Conn
	Clock           clock.Clock // nil is the system's

	mu    sync.Mutex
	known Fold
	done  map[string]bool // held changes that were approved, or have ended otherwise
	heard int             // approvals of its own, on LICENSES
}

// Approved is how many changes LICENSES says that it has approved.
func (a *Approver) Approved() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.heard
}

const (
	again = 20 * time.Millisecond // how long to wait before another look, or try
	limit = 2 * time.Second       // how long to wait for an answer, which a server that was killed does not give
)

// Run reads LICENSES and approves until ctx ends.
func (a *Approver) Run(ctx context.Context) error {
	b, err := bus.New(a.NATS, bus.Config{})
	if err != nil {
		return err
	}
	client, err := license.New(a.NATS)
	if err != nil {
		return err
	}
	var read sync.WaitGroup
	defer read.Wait()
	read.Go(func() {
		for ctx.Err() == nil { // once more from the beginning where the server went away
			a.begin()
			_ = client.Replay(ctx, license.Options{Tenant: a.Tenant, Product: a.Product, Follow: true}, a.hear)
			pause(ctx)
		}
	})
	if a.Clock == nil {
		a.Clock = clock.System()
	}
	commands := command.New(b, a.Clock)
	for a.done = map[string]bool{}; ctx.Err() == nil; pause(ctx) {
		for _, c := range a.open() {
			if c.Whole() && !a.done[c.Opened.Held] {
				a.done[c.Opened.Held] = a.approve(ctx, commands, c)
			}
		}
	}
	return nil
}

func (a *Approver) begin() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.known, a.heard = Fold{}, 0
}

func (a *Approver) hear(_ context.Context, e license.Event) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if e.Type == event.TypeHeldClosed {
		ev, err := event.Decode(e.Raw)
		if err != nil {
			return err
		}
		if data, err := event.Data[event.HeldClosed](ev); err == nil && data.Outcome == event.HeldApproved && data.By == Somebody {
			a.heard++
		}
	}
	return a.known.Apply(e)
}

func (a *Approver) open() []Change {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.known.Open()
}

// approve approves one change, and reports whether there is nothing more to do about it. Where its list has changed since,
// the answer tells the revision that it is at.
func (a *Approver) approve(ctx context.Context, commands *command.Client, c Change) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for revision := c.Revision; ; {
		_, err := commands.Do(ctx, a.Tenant, "", event.ApproveRequested{
			Product: a.Product, Held: c.Opened.Held, Revision: revision, By: Somebody,
		})
		refused, is := errors.AsType[*command.Refused](err)
		if !is || refused.Answer.Code != event.CodeRevision {
			return err == nil || is && refused.Answer.Code == event.CodeNotOpen
		}
		revision = refused.Answer.Revision
	}
}

func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(again):
	}
}
