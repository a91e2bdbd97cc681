package timelapse

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// TestChangesThreeLevelsDown: who comes into a group that is nested three deep, and who leaves it, is told by pushes alone, by
// journals alone and by lists alone, in the time that each of them takes for the provisioning group itself.
func TestChangesThreeLevelsDown(t *testing.T) {
	for _, way := range []struct {
		name   string
		plan   plan
		push   control.PushMode
		lag    time.Duration // of the logs
		within time.Duration
	}{
		{"pushes", plan{list: never, poll: never}, control.PushOn, 0, 5 * time.Second},
		{"journals", plan{list: never}, control.PushOff, 0, 2 * time.Minute},
		{"lists", plan{}, control.PushOff, 100 * time.Hour, 10 * time.Second},
	} {
		t.Run(way.name, func(t *testing.T) {
			w := open(t, way.plan)
			w.push(control.Push{Mode: way.push})
			w.set(control.Settings{ActivityLag: map[string]time.Duration{"admin": way.lag, "groups_enterprise": way.lag}})
			c := w.found("initech")
			c.hire(5)
			c.gather(c.users[0])
			groups := c.nest(3)
			c.must(c.control.AddMembers(t.Context(), c.id, groups[3], c.users[1]))
			c.connect(1)
			told := c.listen()
			c.pass(time.Minute)
			c.deep(told, way.within, groups[3], c.users[2], true, func() (control.Change, error) {
				return c.control.AddMembers(t.Context(), c.id, groups[3], c.users[2])
			})
			c.deep(told, way.within, groups[3], c.users[1], false, func() (control.Change, error) {
				return c.control.RemoveMembers(t.Context(), c.id, groups[3], c.users[1])
			})
			c.deep(told, way.within, groups[2], groups[3], false, func() (control.Change, error) {
				return c.control.RemoveMembers(t.Context(), c.id, groups[2], groups[3])
			})
			c.deep(told, way.within, groups[3], c.users[2], true, func() (control.Change, error) {
				return c.control.AddMembers(t.Context(), c.id, groups[2], groups[3])
			})
		})
	}
}

// nest makes groups one inside the other in the provisioning group, and returns all ids, the outermost first.
func (c *customer) nest(depth int) []string {
	c.tb.Helper()
	groups := []string{c.group}
	for i := range depth {
		made := c.must(c.control.AddGroup(c.tb.Context(), c.id, control.NewGroup{Address: fmt.Sprintf("level%d@%s", i+1, c.domain)}))
		c.must(c.control.AddMembers(c.tb.Context(), c.id, groups[i], made.ID))
		groups = append(groups, made.ID)
	}
	return groups
}

// deep has something happen, and demands that what has become of a member of a group, however deep, is told in time.
func (c *customer) deep(told *observed, within time.Duration, group, member string, present bool, act func() (control.Change, error)) {
	c.tb.Helper()
	c.pass(10 * time.Minute) // apart from what has happened before, in the logs and their echoes too
	mark := told.mark()
	c.act(act())
	c.await(fmt.Sprintf("membership of %s in %s: %t", member, group, present), within, func() bool { return told.membership(mark, group, member, present) })
}

// observed is what the receiver has told, in order.
type observed struct {
	mu  sync.Mutex
	all []event.Observation
}

func (o *observed) mark() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.all)
}

// membership reports whether one was told behind a mark.
func (o *observed) membership(mark int, group, member string, present bool) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, one := range o.all[mark:] {
		if m := one.Membership; m != nil && m.GroupID == group && m.MemberID == member && m.Present == present {
			return true
		}
	}
	return false
}

// listen hears all observations of the customer's directory, from the first on.
func (c *customer) listen() *observed {
	c.tb.Helper()
	o := &observed{}
	c.background("a reader of LEDGER_IN", func(ctx context.Context) error {
		spec := bus.ReadSpec{Stream: bus.LedgerIn, Filters: []string{"directory.*." + c.id + ".page"}, Follow: true}
		err := c.bus.Read(ctx, spec, func(m bus.Message) error {
			page, err := event.Data[event.DirectoryObserved](m.Event)
			if err != nil {
				return err
			}
			o.mu.Lock()
			defer o.mu.Unlock()
			o.all = append(o.all, page.Observations...)
			return nil
		})
		if errors.Is(err, context.Canceled) {
			return nil
		}
		return err
	})
	return o
}
