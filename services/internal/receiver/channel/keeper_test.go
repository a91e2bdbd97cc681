package channel_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
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
	"github.com/rollcall-hq/rollcall/services/internal/receiver/receivertest"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/secret"
)

func TestMain(m *testing.M) { bustest.VerifyNoLeaks(m) }

const (
	url      = "https://rollcall.example.com/graph/notifications"
	firstKey = "k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	nextKey  = "k2:ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="
)

type bench struct {
	t      *testing.T
	dir    *receivertest.Directory
	clock  *clock.Fake
	kv     jetstream.KeyValue
	keys   secret.Keys
	keeper *channel.Keeper
	gaps   atomic.Int32
	kept   func(error) // may be nil
	stop   func()
}

func setup(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, dir: &receivertest.Directory{}, clock: clock.NewFake(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC))}
	b.useKeys(firstKey)
	var err error
	if b.kv, err = bustest.New(t).KeyValue(t.Context(), bus.BucketChannels); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if b.stop != nil {
			b.stop()
		}
	})
	return b
}

func (b *bench) useKeys(lines ...string) {
	b.t.Helper()
	var err error
	if b.keys, err = secret.Parse([]byte(strings.Join(lines, "\n"))); err != nil {
		b.t.Fatal(err)
	}
}

// run starts the keeper, anew where one runs, and returns when it waits.
func (b *bench) run() {
	b.t.Helper()
	if b.stop != nil {
		b.stop()
	}
	b.keeper = channel.New(channel.Config{URL: url, Check: 1000 * time.Hour}, channel.Deps{
		Tenant: "contoso", Provider: directory.Entra, Channels: b.dir, Keys: b.keys, KV: b.kv, Gap: func() { b.gaps.Add(1) },
		Logger: slog.New(slog.DiscardHandler), Clock: b.clock, Errors: prometheus.NewCounter(prometheus.CounterOpts{Name: "errors"}),
		Kept: b.kept,
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.keeper.Run(ctx)
	}()
	b.stop = func() {
		cancel()
		<-done
	}
	b.clock.BlockUntil(1)
}

// after advances the clock and returns when the keeper has answered and waits again.
func (b *bench) after(d time.Duration) {
	b.t.Helper()
	lists := b.count("ListChannels")
	b.clock.Advance(d)
	b.waitFor(func() bool { return b.count("ListChannels") > lists })
	b.clock.BlockUntil(1)
}

func (b *bench) waitFor(ok func() bool) {
	b.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			b.t.Fatal("it does not come about")
		}
	}
}

func (b *bench) count(method string) int {
	n := 0
	for _, c := range b.dir.Calls() {
		if c.Method == method {
			n++
		}
	}
	return n
}

// held returns the ids of the channels that the provider holds, by resource.
func (b *bench) held() map[string][]string {
	all := map[string][]string{}
	for _, c := range b.dir.Channels() {
		all[c.Resource] = append(all[c.Resource], c.ID)
	}
	return all
}

// one checks that there is one channel a resource, and returns that of the users.
func (b *bench) one() receiver.Channel {
	b.t.Helper()
	if h := b.held(); len(h["users"]) != 1 || len(h["groups"]) != 1 {
		b.t.Fatalf("held %v, want one a resource", h)
	}
	all := b.dir.Channels()
	return all[slices.IndexFunc(all, func(c receiver.Channel) bool { return c.Resource == "users" })]
}

func TestOneChannelAResource(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.run()
	c := b.one()
	if c.URL != url || !c.Expires.Equal(b.clock.Now().Add(receivertest.Life)) {
		t.Errorf("channel %+v", c)
	}
	echoed := b.dir.Secret(c.ID)
	proof, err := b.keys.Verify(directory.Entra, echoed)
	if err != nil || proof.Tenant != "contoso" {
		t.Errorf("its secret proves %+v, %v", proof, err)
	}
	entry, err := b.kv.Get(t.Context(), "contoso."+proof.Channel)
	if err != nil {
		t.Fatal(err)
	}
	mac := echoed[strings.LastIndexByte(echoed, '.')+1:]
	if strings.Contains(string(entry.Value()), mac) {
		t.Error("the secret is stored")
	}
	b.run() // and no others after a restart
	if again := b.one(); again.ID != c.ID || b.count("CreateChannel") != 2 || b.gaps.Load() != 0 {
		t.Errorf("the restart made another: %+v", again)
	}
}

func TestRenewalAtHalfLife(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.run()
	c := b.one()
	b.clock.Advance(receivertest.Life/2 - time.Second)
	b.clock.BlockUntil(1)
	if n := b.count("RenewChannel"); n != 0 {
		t.Errorf("renewed %d times before half of the life", n)
	}
	b.after(time.Second)
	if n := b.count("RenewChannel"); n != 2 {
		t.Errorf("renewed %d times, want each once", n)
	}
	if again := b.one(); again.ID != c.ID || !again.Expires.After(c.Expires) {
		t.Errorf("renewed to %+v from %+v", again, c)
	}
}

func TestRenewalWhenAsked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.run()
	proof, err := b.keys.Verify(directory.Entra, b.dir.Secret(b.one().ID))
	if err != nil {
		t.Fatal(err)
	}
	b.keeper.Renew(proof.Channel)
	b.waitFor(func() bool { return b.count("RenewChannel") == 1 })
}

func TestGoneChannelIsMadeAnew(t *testing.T) {
	t.Parallel()
	for name, find := range map[string]func(*bench){
		"found by a look":       func(b *bench) { b.keeper.Look() },
		"found after a restart": func(b *bench) { b.run() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.run()
			lost := b.one().ID
			b.dir.DropChannel(lost)
			find(b)
			b.waitFor(func() bool { return b.gaps.Load() == 1 })
			if c := b.one(); c.ID == lost {
				t.Errorf("still %+v", c)
			}
		})
	}
	t.Run("found by its renewal", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.run()
		lost := b.one().ID
		b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
			if c.Method == "RenewChannel" && c.ID == lost {
				b.dir.DropChannel(lost)
			}
			return nil
		}
		b.after(receivertest.Life / 2)
		b.waitFor(func() bool { return b.gaps.Load() == 1 })
		if c := b.one(); c.ID == lost {
			t.Errorf("still %+v", c)
		}
	})
}

func TestDuplicatesAndStrangersArePruned(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.run()
	kept := b.one().ID
	b.dir.HoldChannel(receiver.NewChannel{Resource: "users", URL: url, Expires: b.clock.Now().Add(receivertest.Life)})
	elsewhere := b.dir.HoldChannel(receiver.NewChannel{Resource: "mail", URL: "https://another.example.com/", Expires: b.clock.Now()})
	b.keeper.Look()
	b.waitFor(func() bool { return len(b.held()["users"]) == 1 })
	if c := b.one(); c.ID != kept {
		t.Errorf("kept %s, want %s, which is known", c.ID, kept)
	}
	if !slices.Equal(b.held()["mail"], []string{elsewhere.ID}) {
		t.Error("another installation's channel was ended")
	}
}

// The new channel is there before the old one goes.
func TestRotatedKeyReplacesChannels(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.run()
	old := b.one().ID
	b.useKeys(nextKey, firstKey)
	b.run()
	if c := b.one(); c.ID != old {
		t.Errorf("replaced before it was due: %+v", c)
	}
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		if c.Method == "DeleteChannel" && len(b.dir.Channels()) != 4 && len(b.dir.Channels()) != 3 {
			return errors.New("the old one goes first")
		}
		return nil
	}
	b.after(receivertest.Life / 2)
	b.waitFor(func() bool { return len(b.dir.Channels()) == 2 })
	c := b.one()
	if s := b.dir.Secret(c.ID); c.ID == old || !strings.HasPrefix(s, "v1.k2.") {
		t.Errorf("channel %s has still the old key", c.ID)
	}
	if b.gaps.Load() != 0 {
		t.Error("a replacement is no gap")
	}
}

func TestFailuresAreTriedAgainLater(t *testing.T) {
	t.Parallel()
	b := setup(t)
	down := true
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		if c.Method == "CreateChannel" && down {
			return errors.New("the handshake failed")
		}
		return nil
	}
	b.run()
	if n := b.count("CreateChannel"); n != 1 {
		t.Errorf("%d tries at once", n)
	}
	b.keeper.Look() // does not cut the wait short
	down = false
	b.after(2 * time.Second)
	b.one()
}

// Keys that were lost and made anew have the old id, and prove nothing of what the provider echoes.
func TestLostKeyReplacesChannelsAtOnce(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]string{
		"of the same id": strings.Replace(nextKey, "k2:", "k1:", 1),
		"of another":     nextKey,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.run()
			old := b.one().ID
			b.useKeys(key)
			b.run()
			c := b.one()
			if _, err := b.keys.Verify(directory.Entra, b.dir.Secret(c.ID)); err != nil || c.ID == old {
				t.Errorf("channel %s: what it echoes is not proved: %v", c.ID, err)
			}
			if b.gaps.Load() != 1 {
				t.Errorf("%d gaps: what was pushed under the lost key was refused", b.gaps.Load())
			}
		})
	}
}

// That pushes were lost is not forgotten when the new channel takes more than one try.
func TestGapOutlivesAFailure(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*bench, receivertest.Call, string) bool{
		"found by a look":      func(b *bench, c receivertest.Call, _ string) bool { return c.Method == "ListChannels" },
		"found by its renewal": func(b *bench, c receivertest.Call, id string) bool { return c.Method == "RenewChannel" && c.ID == id },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.run()
			lost := b.one().ID
			failed := false
			b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
				if lose(b, c, lost) {
					b.dir.DropChannel(lost)
				}
				if c.Method == "CreateChannel" && !failed {
					failed = true
					return errors.New("the handshake failed")
				}
				return nil
			}
			b.after(receivertest.Life / 2)
			b.after(2 * time.Second)
			b.waitFor(func() bool { return b.gaps.Load() == 1 })
			b.one()
		})
	}
}
