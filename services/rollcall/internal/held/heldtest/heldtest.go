// Package heldtest does for tests what a person does: it approves whatever is held, with the command that the command line
// gives. It lives through restarts of everything at the other end of its connection.
package heldtest

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/license"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/command"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/held"
)

// By is who approves.
const By = "somebody"

// Approver approves what is held of one product.
type Approver struct {
	Tenant, Product string
	NATS            *nats.Conn

	approved atomic.Int64
}

// Approved is how many changes were approved.
func (a *Approver) Approved() int { return int(a.approved.Load()) }

// again is how long to wait before another try.
const again = 20 * time.Millisecond

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
	commands := command.New(b, clock.System())
	for ctx.Err() == nil { // once more from the beginning where the server went away
		var known held.Fold
		_ = client.Replay(ctx, license.Options{Tenant: a.Tenant, Product: a.Product, Follow: true}, func(ctx context.Context, e license.Event) error {
			if err := known.Apply(e); err != nil {
				return err
			}
			for _, c := range known.Open() {
				if c.Whole() {
					a.approve(ctx, commands, c)
				}
			}
			return nil
		})
		pause(ctx)
	}
	return nil
}

// approve approves one change. Where its list has changed since, the answer tells the revision that it is at.
func (a *Approver) approve(ctx context.Context, commands *command.Client, c held.Change) {
	for revision := c.Revision; ctx.Err() == nil; {
		_, err := commands.Do(ctx, a.Tenant, "", event.ApproveRequested{
			Product: a.Product, Held: c.Opened.Held, Revision: revision, By: By,
		})
		refused, is := errors.AsType[*command.Refused](err)
		switch {
		case err == nil:
			a.approved.Add(1)
			return
		case is && refused.Answer.Code == event.CodeRevision:
			revision = refused.Answer.Revision
		case is && refused.Answer.Code != event.CodeListing:
			return // it has ended
		default:
			pause(ctx)
		}
	}
}

func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(again):
	}
}
