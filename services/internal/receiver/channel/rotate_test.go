package channel_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/channel"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/secret"
)

// rotation is a keeper of the channels of rotating, on a clock that the test moves.
type rotation struct {
	t     testing.TB
	clock *clock.Fake
	dir   *rotating
	kv    jetstream.KeyValue
	keys  secret.Keys
	url   string
	gaps  int // read while the keeper waits
	look  func()
	anew  func()
	stop  func()
}

func setupRotation(t testing.TB) *rotation {
	t.Helper()
	c := clock.NewFake(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC))
	r := &rotation{t: t, clock: c, dir: newRotating(c), url: url}
	r.useKeys(firstKey)
	var err error
	if r.kv, err = bustest.New(t).KeyValue(t.Context(), bus.BucketChannels); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.stop() })
	return r
}

func (r *rotation) useKeys(lines ...string) {
	r.t.Helper()
	var err error
	if r.keys, err = secret.Parse([]byte(strings.Join(lines, "\n"))); err != nil {
		r.t.Fatal(err)
	}
}

// start starts a keeper, after the one that runs has ended.
func (r *rotation) start() {
	if r.stop != nil {
		r.stop()
	}
	keeper := channel.New(channel.Config{URL: r.url, Check: time.Hour}, channel.Deps{
		Tenant: "initech", Provider: directory.GoogleWorkspace, Channels: r.dir, Keys: r.keys, KV: r.kv, Gap: func() { r.gaps++ },
		Logger: slog.New(slog.DiscardHandler), Clock: r.clock, Errors: prometheus.NewCounter(prometheus.CounterOpts{Name: "errors"}),
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		keeper.Run(ctx)
	}()
	r.look, r.anew = keeper.Look, keeper.Replace
	r.stop = func() {
		cancel()
		<-done
	}
}

// run starts a keeper and returns when it waits.
func (r *rotation) run() {
	r.start()
	r.clock.BlockUntil(1)
}

// after advances the clock in steps, so that what comes of one step is done before the next.
func (r *rotation) after(d time.Duration) {
	for ; d > 0; d -= time.Minute {
		r.clock.Advance(min(d, time.Minute))
		r.clock.BlockUntil(1)
	}
}

// records are what is stored, by name.
func (r *rotation) records() map[string]channel.Record {
	r.t.Helper()
	watcher, err := r.kv.WatchAll(r.t.Context(), jetstream.IgnoreDeletes())
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = watcher.Stop() }()
	all := map[string]channel.Record{}
	for entry := range watcher.Updates() {
		if entry == nil {
			break
		}
		var record channel.Record
		if err := json.Unmarshal(entry.Value(), &record); err != nil {
			r.t.Fatal(err)
		}
		all[record.Name] = record
	}
	return all
}

// states are how many records of a resource are in each state.
func (r *rotation) states(resource string) map[channel.State]int {
	r.t.Helper()
	n := map[channel.State]int{}
	for _, record := range r.records() {
		if record.Resource == resource {
			n[record.State]++
		}
	}
	return n
}

// of are the channels of a resource that the provider holds, oldest first.
func (r *rotation) of(resource string) []made {
	return slices.DeleteFunc(r.dir.channels(), func(m made) bool { return m.Resource != resource })
}

func (r *rotation) want(resource string, held int, states map[channel.State]int) {
	r.t.Helper()
	if n := len(r.of(resource)); n != held {
		r.t.Errorf("%s: %d channels at the provider, want %d", resource, n, held)
	}
	got := r.states(resource)
	for _, s := range []channel.State{channel.Pending, channel.Live, channel.Retired, channel.Ended} {
		if got[s] != states[s] {
			r.t.Errorf("%s: %d records are %q, want %d", resource, got[s], s, states[s])
		}
	}
}

func TestNextChannelAtHalfOfLife(t *testing.T) {
	t.Parallel()
	r := setupRotation(t)
	r.run()
	r.want("admin", 1, map[channel.State]int{channel.Live: 1})
	first := r.of("admin")[0]
	proof, err := r.keys.Verify(directory.GoogleWorkspace, first.secret)
	if err != nil || proof != (secret.Proof{Tenant: "initech", Channel: first.ID}) {
		t.Errorf("its secret proves %+v, %v", proof, err)
	}
	r.after(life/2 - time.Minute)
	r.want("admin", 1, map[channel.State]int{channel.Live: 1})
	r.after(time.Minute)
	r.want("admin", 2, map[channel.State]int{channel.Live: 2})
	r.after(time.Minute)
	r.want("admin", 2, map[channel.State]int{channel.Live: 2}) // what the first one pushed may still be on its way
	r.after(time.Minute)
	r.want("admin", 1, map[channel.State]int{channel.Live: 1, channel.Ended: 1})
	if next := r.of("admin")[0]; next.ID == first.ID || r.records()[first.ID].State != channel.Ended {
		t.Errorf("held %+v, want the next one", next)
	}
	r.after(life/2 - 3*time.Minute)
	r.want("admin", 1, map[channel.State]int{channel.Live: 1, channel.Ended: 1}) // until the first would have expired
	r.after(time.Minute)
	r.want("admin", 2, map[channel.State]int{channel.Live: 2})
	if r.gaps != 0 {
		t.Errorf("%d gaps", r.gaps)
	}
}

func TestRecordIsThereBeforeTheChannel(t *testing.T) {
	t.Parallel()
	r := setupRotation(t)
	asked := 0
	r.dir.seen = func(c receiver.NewChannel) {
		asked++
		if got := r.records()[c.Name]; got.State != channel.Pending || got.Resource != c.Resource || !got.Expires.Equal(c.Expires) {
			t.Errorf("asked for %s with the record %+v", c.Name, got)
		}
	}
	r.run()
	if asked != 2 {
		t.Errorf("asked for %d channels", asked)
	}
}

func TestFailedCreate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		what   outcome
		extra  int // channels that nobody knows how to end
		states map[channel.State]int
	}{
		"refused for certain":    {refused, 0, map[channel.State]int{channel.Live: 1}},
		"made, and not told":     {lost, 1, map[channel.State]int{channel.Live: 1, channel.Retired: 1}},
		"not made, and not told": {failed, 0, map[channel.State]int{channel.Live: 1, channel.Retired: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := setupRotation(t)
			first := true
			r.dir.let(func(string) outcome {
				defer func() { first = false }()
				if first {
					return c.what
				}
				return fine
			})
			r.run()
			r.want("groups", 1, map[channel.State]int{channel.Live: 1}) // that of one resource stops no other
			r.after(2 * time.Minute)
			r.want("admin", 1+c.extra, c.states)
			r.after(life + time.Hour - 2*time.Minute)
			for _, record := range r.records() {
				if record.State == channel.Retired {
					t.Errorf("still there after its expiry: %+v", record)
				}
			}
		})
	}
}

func TestRestartWhileAChannelIsAskedFor(t *testing.T) {
	t.Parallel()
	r := setupRotation(t)
	first := true
	r.dir.let(func(string) outcome {
		defer func() { first = false }()
		if first {
			return hung
		}
		return fine
	})
	r.start()
	<-r.dir.stuck
	r.run()
	r.want("admin", 2, map[channel.State]int{channel.Live: 1, channel.Retired: 1})
	r.run()
	r.want("admin", 2, map[channel.State]int{channel.Live: 1, channel.Retired: 1})
	r.want("groups", 1, map[channel.State]int{channel.Live: 1})
}

func TestChannelThatCannotBeEndedIsTriedAgain(t *testing.T) {
	t.Parallel()
	r := setupRotation(t)
	deletes := 0
	r.dir.let(func(method string) outcome {
		if method == "delete" {
			deletes++
			return failed
		}
		return fine
	})
	r.run()
	r.after(life/2 + 2*time.Minute)
	r.want("admin", 2, map[channel.State]int{channel.Live: 1, channel.Retired: 1})
	if deletes != 2 {
		t.Errorf("%d tries, want one a resource", deletes)
	}
	r.after(10 * time.Minute)
	if deletes != 4 {
		t.Errorf("%d tries, want two a resource", deletes)
	}
	r.dir.let(nil)
	r.after(10 * time.Minute)
	r.want("admin", 1, map[channel.State]int{channel.Live: 1, channel.Ended: 1})
}

func TestKeysOfChannelsThatRotate(t *testing.T) {
	t.Parallel()
	t.Run("a new key comes with the next channel", func(t *testing.T) {
		t.Parallel()
		r := setupRotation(t)
		r.run()
		r.useKeys(nextKey, firstKey)
		r.run()
		r.want("admin", 1, map[channel.State]int{channel.Live: 1})
		r.after(life/2 + 2*time.Minute)
		r.want("admin", 1, map[channel.State]int{channel.Live: 1, channel.Ended: 1})
		if m := r.of("admin")[0]; !strings.HasPrefix(m.secret, "v1.k2.") || r.gaps != 0 {
			t.Errorf("the key is the old one, or %d gaps", r.gaps)
		}
	})
	t.Run("a lost key is replaced at once", func(t *testing.T) {
		t.Parallel()
		r := setupRotation(t)
		r.run()
		r.useKeys(nextKey)
		r.run()
		r.want("admin", 2, map[channel.State]int{channel.Live: 2})
		if r.gaps != 1 {
			t.Errorf("%d gaps", r.gaps)
		}
		r.after(2 * time.Minute)
		r.want("admin", 1, map[channel.State]int{channel.Live: 1, channel.Ended: 1})
	})
}

// The old address is pushed to until the new one is.
func TestAddressMoves(t *testing.T) {
	t.Parallel()
	r := setupRotation(t)
	r.run()
	r.url = "https://moved.example.com/notifications"
	r.dir.let(func(string) outcome { return refused })
	r.run()
	r.want("admin", 1, map[channel.State]int{channel.Live: 1})
	r.dir.let(nil)
	r.after(5 * time.Minute)
	r.want("admin", 1, map[channel.State]int{channel.Live: 1, channel.Ended: 1})
	if m := r.of("admin")[0]; m.URL != r.url {
		t.Errorf("pushes go to %s", m.URL)
	}
}
