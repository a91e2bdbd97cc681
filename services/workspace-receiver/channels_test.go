package workspacereceiver_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/channel"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/service/servicetest"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
	workspacereceiver "github.com/rollcall-hq/rollcall/services/workspace-receiver"
	"github.com/rollcall-hq/rollcall/services/workspace-receiver/internal/workspace"
)

// retryAtMost is the longest wait of a keeper between two tries, with what is added to it by chance, and a step.
const retryAtMost = 8*time.Minute + step

// step is how far the clock goes at once.
const step = 2 * time.Minute

// twoDays is 48 hours of the channels of one customer, over the simulator, on two clocks that the test moves together: the
// keeper's, whose waiting can be waited for, and everybody else's.
type twoDays struct {
	*testing.T
	sim       *control.Client
	tenant    tenant.Tenant
	intake    *servicetest.Intake // takes the pushes, as new as the records in NATS
	directory receiver.Directory
	world     *clock.Fake
	keeper    *clock.Fake
	kv        jetstream.KeyValue
	stop      func()
	random    *rand.Rand

	calm   time.Time            // since when nothing fails
	served map[string]time.Time // when each resource had a live channel last
}

// newTwoDays has Google's clock ahead of ours by a duration, or behind.
func newTwoDays(t *testing.T, ahead time.Duration) *twoDays {
	t.Helper()
	now := time.Now().Truncate(time.Second)
	s := &twoDays{
		T: t, world: clock.NewFake(now), keeper: clock.NewFake(now), random: rand.New(rand.NewPCG(4, 2)),
		calm: now, served: map[string]time.Time{},
	}
	s.sim, s.tenant = simulate(t, skewed{s.world, ahead})
	unread := s.tenant
	unread.Endpoints = tenant.Endpoints{API: "https://127.0.0.1:1", Authority: "https://127.0.0.1:1"}
	s.intake = servicetest.Start(t, workspacereceiver.New, workspacereceiver.NotificationPath, unread)
	s.intake.Run()
	provider, err := workspace.New(workspace.Config{}, workspace.Deps{Clock: s.world})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(provider.Close)
	if s.directory, err = provider.Connect(s.tenant); err != nil {
		t.Fatal(err)
	}
	if s.kv, err = s.intake.Bus.KeyValue(t.Context(), bus.BucketChannels); err != nil {
		t.Fatal(err)
	}
	s.start()
	t.Cleanup(func() { s.stop() })
	return s
}

// start starts the keeper, anew where one runs, and returns when it waits.
func (s *twoDays) start() {
	if s.stop != nil {
		s.stop()
	}
	keeper := channel.New(channel.Config{URL: s.intake.URL}, channel.Deps{
		Tenant: s.tenant.ID, Provider: s.tenant.Provider, Channels: s.directory, Keys: s.intake.Keys, KV: s.kv, Gap: func() {},
		Logger: slog.New(slog.DiscardHandler), Clock: s.keeper, Errors: prometheus.NewCounter(prometheus.CounterOpts{Name: "errors"}),
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		keeper.Run(ctx)
	}()
	s.stop = func() {
		cancel()
		<-done
	}
	s.keeper.BlockUntil(1)
}

// spoil makes one or a few of the next requests fail.
func (s *twoDays) spoil() {
	s.Helper()
	routes := []string{"POST admin/activities", "POST admin/users/watch", "POST admin/reports/channels/stop", "POST admin/directory/channels/stop", "token"}
	statuses := []int{http.StatusBadRequest, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusForbidden}
	err := s.sim.AddFault(s.Context(), control.Fault{
		Route: routes[s.random.IntN(len(routes))], Status: statuses[s.random.IntN(len(statuses))], Count: 1 + s.random.IntN(3),
	})
	if err != nil {
		s.Fatal(err)
	}
}

// outage makes every watch fail, until mend.
func (s *twoDays) outage() {
	s.Helper()
	for _, route := range []string{"POST admin/activities", "POST admin/users/watch"} {
		if err := s.sim.AddFault(s.Context(), control.Fault{Route: route, Status: http.StatusBadGateway}); err != nil {
			s.Fatal(err)
		}
	}
}

func (s *twoDays) mend() {
	s.Helper()
	if err := s.sim.ClearFaults(s.Context()); err != nil {
		s.Fatal(err)
	}
	s.calm = s.world.Now()
}

func (s *twoDays) advance() {
	s.world.Advance(step)
	s.keeper.Advance(step)
	s.keeper.BlockUntil(1)
}

// records are what is stored, by name.
func (s *twoDays) records() map[string]channel.Record {
	s.Helper()
	watcher, err := s.kv.WatchAll(s.Context(), jetstream.IgnoreDeletes())
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = watcher.Stop() }()
	all := map[string]channel.Record{}
	for entry := range watcher.Updates() {
		if entry == nil {
			break
		}
		var r channel.Record
		if err := json.Unmarshal(entry.Value(), &r); err != nil {
			s.Fatal(err)
		}
		all[r.Name] = r
	}
	return all
}

// held are the channels that the simulator has for the customer.
func (s *twoDays) held() []control.Subscription {
	s.Helper()
	held, err := s.sim.Subscriptions(s.Context(), s.tenant.ID)
	if err != nil {
		s.Fatal(err)
	}
	return held
}

// check holds what must be true at any time but in an outage.
func (s *twoDays) check(outage bool) {
	s.Helper()
	now, records := s.world.Now(), s.records()
	for _, c := range s.held() {
		r, known := records[c.ID]
		switch {
		case !known:
			s.Errorf("Google holds a channel of %s that is not on record", c.Resource)
		case c.Expires.After(r.Expires):
			s.Errorf("a channel of %s is forgotten %s before it expires", r.Resource, c.Expires.Sub(r.Expires))
		case r.State == channel.Live:
			s.served[r.Resource] = now
		}
	}
	for _, resource := range s.directory.Resources() {
		since := s.served[resource]
		if s.calm.After(since) {
			since = s.calm
		}
		if gap := now.Sub(since); gap > retryAtMost && !outage {
			s.Errorf("%s: no live channel for %s", resource, gap)
		}
	}
}

// TestChannelsForTwoDays: channels that live for six hours, a watch or a stop that fails now and then, the process started
// anew now and then, and four hours in which no channel is made. Each step is checked; at the end a change is pushed.
func TestChannelsForTwoDays(t *testing.T) {
	t.Parallel()
	s := newTwoDays(t, 0)
	for at := time.Duration(0); at < 48*time.Hour && !t.Failed(); at += step {
		outage := at >= 20*time.Hour && at < 24*time.Hour
		switch {
		case at == 20*time.Hour:
			s.outage()
		case at == 24*time.Hour:
			s.mend()
		case s.random.IntN(60) == 0:
			s.start()
		case !outage && s.random.IntN(20) == 0 && s.world.Now().Sub(s.calm) > 2*retryAtMost:
			s.spoil()
		}
		s.advance()
		if at%(10*time.Minute) == 0 {
			s.check(outage)
		}
	}
	s.mend()
	for range 7 * time.Hour / step {
		s.advance()
	}
	if n, want := len(s.held()), 2*len(s.directory.Resources()); n > want {
		t.Errorf("%d channels long after everything went well again, want at most %d", n, want)
	}
	before := len(s.changes())
	if _, err := s.sim.AddUser(t.Context(), s.tenant.ID, control.NewUser{Address: "ada@initech.com"}); err != nil {
		t.Fatal(err)
	}
	s.pushed(before)
	if n := s.intake.Counted("ignored", "opened"); n < 48/3*3 {
		t.Errorf("%v channels were opened", n)
	}
	for _, reason := range []string{"forged", "foreign-channel", "foreign-resource", "foreign-tenant", "malformed"} {
		if n := s.intake.Counted("refused", reason); n != 0 {
			t.Errorf("%v pushes were refused as %s", n, reason)
		}
	}
}

// skewed is a clock beside another.
type skewed struct {
	clock.Clock
	by time.Duration
}

func (s skewed) Now() time.Time { return s.Clock.Now().Add(s.by) }

// Google's clock is ahead of ours, or behind it: each channel is followed by the next before Google ends it.
func TestChannelsAcrossClocksThatDiffer(t *testing.T) {
	t.Parallel()
	for name, ahead := range map[string]time.Duration{"ahead": 10 * time.Minute, "behind": -10 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTwoDays(t, ahead)
			for range 20 * time.Hour / step {
				s.advance()
				now, left := s.world.Now().Add(ahead), map[string]time.Duration{}
				for _, c := range s.held() {
					left[c.Resource] = max(left[c.Resource], c.Expires.Sub(now))
				}
				for resource, d := range left {
					if d < s.directory.ChannelLife()/2-15*time.Minute {
						s.Errorf("%s: the last channel ends in %s", resource, d)
					}
				}
				if len(left) != len(s.directory.Resources()) {
					s.Fatalf("channels of %v", left)
				}
			}
		})
	}
}

// changes are the hints that tell of one.
func (s *twoDays) changes() []event.NotificationReceived {
	return slices.DeleteFunc(s.intake.Hints(), func(n event.NotificationReceived) bool { return n.Lifecycle != "" })
}

// pushed waits for a hint more.
func (s *twoDays) pushed(before int) {
	s.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for {
		if hints := s.changes(); len(hints) > before {
			if last := hints[len(hints)-1]; strings.Contains(last.ID, "@") || last.ID == "" {
				s.Errorf("hint %+v", last)
			}
			return
		}
		select {
		case <-tick.C:
			s.world.Advance(time.Second)
		case <-deadline:
			s.Fatal("nothing was pushed")
		}
	}
}
