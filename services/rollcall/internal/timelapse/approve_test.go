package timelapse

import (
	"context"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/command"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/held"
)

// approve has somebody approve whatever is held of the customers, at the time that the clocks show. It reports whether there
// was anything.
func (w *world) approve() (any bool) {
	w.tb.Helper()
	for _, c := range w.customers {
		for _, change := range c.waiting() {
			c.command(event.ApproveRequested{
				Product: tenant.SecureShare().ID, Held: change.Opened.Held, Revision: change.Revision, By: held.Somebody,
			})
			any = true
		}
	}
	return any
}

// waiting are the customer's changes that are held.
func (c *customer) waiting() []held.Change {
	c.tb.Helper()
	var known held.Fold
	for _, e := range c.heard.since(0) {
		if err := known.Apply(e); err != nil {
			c.tb.Fatal(err)
		}
	}
	return known.Open()
}

// neverHold sets that revocations take effect, however many they are.
func (c *customer) neverHold() {
	c.tb.Helper()
	never := 0
	c.command(event.SettingsRequested{Hold: &event.HoldRequest{Share: &never}, By: held.Somebody})
	c.rest()
}

// command gives the worker a command, as the command line does, and waits until it has obeyed.
func (c *customer) command(data any) {
	c.tb.Helper()
	ctx, cancel := context.WithTimeout(c.tb.Context(), patience)
	defer cancel()
	if answer, err := command.New(c.bus, clock.System()).Do(ctx, c.id, "", data); err != nil {
		c.tb.Fatalf("%T: %v, %+v", data, err, answer)
	}
}
