package engine_test

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/engine"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/health"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/lane"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/receivertest"
)

// revoked is an answer that means that consent is missing.
type revoked struct{}

func (revoked) Error() string             { return "403 Forbidden" }
func (revoked) Trouble() receiver.Trouble { return receiver.Consent }

// hears waits for the n-th thing that is said of a tenant's connection.
func (b *bench) hears(id string, n int) event.ConnectionObserved {
	b.t.Helper()
	seen := map[string]bool{}
	ev := b.find(fmt.Sprintf("word %d of the connection of %s", n, id), func(ev event.Event) bool {
		if ev.Type() != event.TypeConnectionObserved || event.Tenant(ev) != id {
			return false
		}
		seen[ev.ID()] = true
		return len(seen) == n
	})
	data, err := event.Data[event.ConnectionObserved](ev)
	if err != nil {
		b.t.Fatal(err)
	}
	return data
}

// words is how often something was said of a tenant's connection.
func (b *bench) words(id string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.told {
		if m.Event.Type() == event.TypeConnectionObserved && event.Tenant(m.Event) == id {
			n++
		}
	}
	return n
}

// degraded is how many connections are degraded by the metrics.
func (b *bench) degraded() int {
	b.t.Helper()
	n, err := testutil.GatherAndCount(b.metrics, "rollcall_connection_degraded")
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

func TestConnectionDegradesAndRecovers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.cfg = engineConfig()
	var down atomic.Bool
	dir := b.tenant("contoso")
	dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		if down.Load() && c.Method == "Changes" {
			return revoked{}
		}
		return nil
	}
	b.tenant("fabrikam")
	b.run()
	if first := b.hears("contoso", 1); first.State != event.ConnectionWorking || !first.Unheard {
		t.Errorf("first said is %+v", first)
	}
	down.Store(true)
	if d := b.hears("contoso", 2); d.Class != event.ClassConsent || d.Action == "" {
		t.Errorf("said is %+v", d)
	}
	b.waitFor("figure of it", func() bool { return b.degraded() == 1 })
	b.stop() // and another process takes over, to which it is degraded too
	b.run()
	if d := b.hears("contoso", 3); d.Class != event.ClassConsent {
		t.Errorf("said is %+v", d)
	}
	b.stop()
	down.Store(false) // while nobody looks
	b.run()
	if d := b.hears("contoso", 4); d.State != event.ConnectionWorking {
		t.Errorf("said is %+v", d)
	}
	dir.PutUser(user("u2"))
	b.pushed("contoso", "u2")
	if d := b.hears("contoso", 5); d.State != event.ConnectionWorking || d.Unheard {
		t.Errorf("said is %+v", d)
	}
	b.waitFor("end of the figure", func() bool { return b.degraded() == 0 })
}

func engineConfig() (cfg engine.Config) {
	cfg.Lane = lane.Config{Poll: 20 * time.Millisecond}
	cfg.Health = health.Config{Patience: 50 * time.Millisecond, Grace: 100 * time.Millisecond}
	return cfg
}

// Channels that die without a word are found by what polls show, and replaced.
func TestSilentChannelsAreReplaced(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.cfg = engineConfig()
	dir := b.tenant("contoso")
	b.run()
	b.hears("contoso", 1)
	b.waitFor("channels", func() bool { return len(dir.Channels()) == 2 })
	before := dir.Channels()
	n := 0
	change := func() bool {
		n++
		dir.PutUser(directory.User{ID: fmt.Sprint("s", n), Status: directory.Active})
		now := dir.Channels()
		return len(now) == 2 && now[0].ID != before[0].ID && now[1].ID != before[1].ID
	}
	b.waitFor("others in their place", change)
	b.waitFor("word of their silence", func() bool { // for they are as silent
		change()
		return b.words("contoso") == 2
	})
	if d := b.hears("contoso", 2); d.Class != event.ClassSilent {
		t.Errorf("said is %+v", d)
	}
	b.pushed("contoso", "u1")
	if d := b.hears("contoso", 3); d.State != event.ConnectionWorking || d.Unheard {
		t.Errorf("said is %+v", d)
	}
}

// The first message on a channel tells of no change, and that pushes come.
func TestFirstMessagesAreHeard(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.cfg.Lane.Poll = 20 * time.Millisecond
	b.tenant("contoso")
	b.run()
	if d := b.hears("contoso", 1); !d.Unheard {
		t.Errorf("said is %+v", d)
	}
	if code := b.push("contoso", string(receiver.ChannelOpened), ""); code != http.StatusAccepted {
		t.Fatalf("answer %d", code)
	}
	if d := b.hears("contoso", 2); d.State != event.ConnectionWorking || d.Unheard {
		t.Errorf("said is %+v", d)
	}
}
