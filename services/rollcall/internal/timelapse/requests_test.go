package timelapse

import (
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// quota is how many requests a minute Google grants.
const quota = 2400

// served reads what the provider's APIs have served to the customer, by route.
func (c *customer) served() map[string]control.Counter {
	c.tb.Helper()
	counters, err := c.control.Counters(c.tb.Context(), c.id)
	if err != nil {
		c.tb.Fatal(err)
	}
	return counters
}

// requests sums up all but those of the sign-in. Google's two APIs are served from one budget.
func requests(served map[string]control.Counter) (n int) {
	for route, counter := range served {
		if !strings.Contains(route, "token") && !strings.Contains(route, "iam/") {
			n += counter.Requests + counter.Throttled + counter.Failed
		}
	}
	return n
}

// tally knows how many requests had been made at each moment.
type tally struct{ marks []mark }

type mark struct {
	at  time.Time
	all int
}

// count notes the customer's requests from now on.
func (c *customer) count() *tally {
	t := &tally{}
	c.onStep = func(at time.Time) { t.marks = append(t.marks, mark{at, requests(c.served())}) }
	c.onStep(c.stage.Now())
	return t
}

// busiest is the most requests that were made within one minute, wherever it began.
func (t *tally) busiest() (most int) {
	begin := 0
	for _, r := range t.marks {
		for r.at.Sub(t.marks[begin].at) >= time.Minute {
			begin++
		}
		before := t.marks[0].all
		if begin > 0 {
			before = t.marks[begin-1].all
		}
		most = max(most, r.all-before)
	}
	return most
}
