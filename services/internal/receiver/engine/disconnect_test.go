package engine_test

import (
	"net/http"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/state"
)

// disconnect sets or clears the flag of a tenant.
func (b *bench) disconnect(id string, is bool) {
	b.t.Helper()
	t, err := b.registry.Get(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	t.Disconnected = is
	if err := b.registry.Put(b.t.Context(), t); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) feeds(id string) state.Feeds {
	b.t.Helper()
	kv, err := b.bus.KeyValue(b.t.Context(), bus.BucketCursors)
	if err != nil {
		b.t.Fatal(err)
	}
	f, _, err := state.New(kv).LoadFeeds(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	return f
}

func (b *bench) snapshots(id string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.told {
		if event.Tenant(m.Event) == id && m.Event.Type() == event.TypeSnapshotEnded {
			n++
		}
	}
	return n
}

// A disconnected tenant is neither read nor pushed, whatever is said to it, also after a restart. Connected again it is read
// from the beginning.
func TestDisconnectedTenantIsLeftAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	dir, other := b.tenant("contoso"), b.tenant("fabrikam")
	b.run()
	b.connected("contoso")
	b.connected("fabrikam")
	b.waitFor("channels", func() bool { return len(dir.Channels()) == 2 && len(other.Channels()) == 2 })

	b.disconnect("contoso", true)
	b.waitFor("the end of the channels", func() bool { return len(dir.Channels()) == 0 })
	b.waitFor("the end of what was stored", func() bool { return b.feeds("contoso").FullAt.IsZero() })
	hints, calls := b.stored(bus.Notifications), len(dir.Calls())
	if code := b.push("contoso", "", "u1"); code != http.StatusAccepted || b.stored(bus.Notifications) != hints {
		t.Errorf("a late push: answer %d, %d hints more", code, b.stored(bus.Notifications)-hints)
	}
	b.refresh("contoso", "refresh-1")
	other.PutUser(user("u2"))
	b.pushed("fabrikam", "u2")
	b.shows("fabrikam", "u2")
	b.stop()
	b.run()
	b.waitFor("ready", func() bool { return b.engine.Ready(t.Context()) == nil })
	other.PutUser(user("u3"))
	b.pushed("fabrikam", "u3")
	b.shows("fabrikam", "u3")
	if n := len(dir.Calls()) - calls; n != 0 || len(other.Channels()) != 2 {
		t.Errorf("%d requests to a directory that is disconnected; %d channels of the other", n, len(other.Channels()))
	}

	dir.PutUser(user("u4"))
	before := b.snapshots("contoso")
	b.disconnect("contoso", false)
	b.waitFor("a complete read", func() bool { return b.snapshots("contoso") > before })
	b.shows("contoso", "u4")
	b.waitFor("channels", func() bool { return len(dir.Channels()) == 2 })
}

// A command that comes with the news that the tenant is connected again does not get lost.
func TestCommandThatIsAheadOfTheConnection(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.tenant("contoso")
	b.run()
	b.connected("contoso")
	b.disconnect("contoso", true)
	b.waitFor("the end of what was stored", func() bool { return b.feeds("contoso").FullAt.IsZero() })
	b.refresh("contoso", "refresh-1")
	b.disconnect("contoso", false)
	b.find("snapshot of the command", func(ev event.Event) bool {
		return ev.Type() == event.TypeSnapshotEnded && event.Cause(ev) == "refresh-1"
	})
}

// The end of the channels goes on after a restart, as the records say what is left.
func TestEndOfChannelsGoesOnAfterARestart(t *testing.T) {
	t.Parallel()
	b := setup(t)
	dir := b.tenant("contoso")
	b.run()
	b.connected("contoso")
	b.waitFor("channels", func() bool { return len(dir.Channels()) == 2 })
	dir.Down.Store(true)
	b.disconnect("contoso", true)
	b.waitFor("the end of what was stored", func() bool { return b.feeds("contoso").FullAt.IsZero() })
	b.stop()
	dir.Down.Store(false)
	if len(dir.Channels()) != 2 {
		t.Fatal("the channels are ended, and the provider was down")
	}
	b.run()
	b.waitFor("the end of the channels", func() bool { return len(dir.Channels()) == 0 })
}
