package timelapse

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// largest is how many members a minute's quota can list.
var largest = flag.Bool("largest", false, "list a group of 350,000 within Google's quota, rather than a hundredth with a tenth of both the quota and the page")

// TestWithoutPushes: while all pushes are lost and reports are late, an event comes at most 60 s after its change, in a group
// of any size that a minute's quota can list, also while everything is read again.
func TestWithoutPushes(t *testing.T) {
	most := size{"the largest", 2_600, 20, quota / 10} // what is asked beside the lists weighs more here
	if *largest {
		most = size{"the largest", 350_000, 200, quota}
	}
	for _, size := range []size{{"a thousand", 1_000, 200, quota}, most} {
		t.Run(size.name, func(t *testing.T) {
			w := open(t, plan{perMinute: size.perMinute})
			settings := documented()
			settings.PageSize, settings.QuotaPerMinute = size.perPage, size.perMinute
			w.set(settings)
			w.push(control.Push{Mode: control.PushOff})
			c := w.found("initech")
			c.hire(size.members + 100)
			members, others := c.users[:size.members], c.users[size.members:]
			c.gather(members...)
			c.connect(len(members))
			made, random := c.count(), rand.New(rand.NewPCG(*seed, 3))
			quiet := c.lags(c.comeAndGo(random, members[:size.members/2], others[:50], 4*time.Minute, 24), time.Minute)
			c.refresh()
			busy := c.lags(c.comeAndGo(random, members[size.members/2:], others[50:], 4*time.Minute, 24), time.Minute)
			t.Logf("%d members, %s; while everything is read, %s; at most %d requests a minute", size.members, quiet, busy, made.busiest())
			if longest := max(quiet[len(quiet)-1], busy[len(busy)-1]); longest > time.Minute {
				t.Errorf("an event came %s after its change", longest)
			}
			made.check(t, size.perMinute)
			c.verify()
		})
	}
}

// size is of a group, and of what it is read with.
type size struct {
	name                        string
	members, perPage, perMinute int
}

func (w *world) push(p control.Push) {
	w.tb.Helper()
	if err := w.control.SetPush(w.tb.Context(), p); err != nil {
		w.tb.Fatal(err)
	}
}

// refresh orders a complete read, as the command line does.
func (c *customer) refresh() {
	c.tb.Helper()
	id := fmt.Sprintf("%s.refresh.%d", c.id, c.stage.Now().UnixMicro())
	command, err := event.New(event.TypeRefreshRequested, event.Meta{
		ID: id, Source: event.CommandSource(c.id), Time: c.stage.Now(), Tenant: c.id,
	}, event.RefreshRequested{RequestedBy: "test"})
	if err != nil {
		c.tb.Fatal(err)
	}
	if _, err := c.bus.Publish(c.tb.Context(), event.CommandSubject(c.id, "refresh"), command); err != nil {
		c.tb.Fatal(err)
	}
	c.rest()
}
