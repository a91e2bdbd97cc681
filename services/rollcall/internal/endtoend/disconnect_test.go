package endtoend

import (
	"bytes"
	"errors"
	"net/http"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/erase"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// disconnect sets or clears the flag of a tenant, as the command line does.
func (c *company) disconnect(tb testing.TB, is bool) {
	tb.Helper()
	t, err := c.house.process.Tenants().Get(tb.Context(), c.id)
	if err != nil {
		tb.Fatal(err)
	}
	t.Disconnected = is
	if err := c.house.process.Tenants().Put(tb.Context(), t); err != nil {
		tb.Fatal(err)
	}
}

func (c *company) channels(tb testing.TB) []control.Subscription {
	tb.Helper()
	held, err := c.house.control.Subscriptions(tb.Context(), c.id)
	if err != nil {
		tb.Fatal(err)
	}
	return held
}

// pushAgain sends once more what Graph has pushed of the directory. (Of Google's pushes the gate does not keep what proves
// them.)
func (c *company) pushAgain(tb testing.TB) {
	tb.Helper()
	if c.kind != directory.Entra {
		return
	}
	again := 0
	pushes, _ := c.house.gate.pushes.since(0)
	for _, p := range pushes {
		if !bytes.Contains(p.body, []byte(c.directory)) {
			continue
		}
		again++
		if status := c.house.gate.post(tb, bytes.NewReader(p.body)); status != http.StatusAccepted {
			tb.Errorf("a late push is answered with %d", status)
		}
	}
	if again == 0 {
		tb.Error("there was no push")
	}
}

// TestDisconnectedTenantIsLeftAlone: the provider holds no channel for it any more, what it pushes late makes no hint, and
// nothing is read, while the other tenant goes on. Connected again it is read from the beginning.
func TestDisconnectedTenantIsLeftAlone(t *testing.T) {
	t.Parallel()
	h, entra, workspace, users := both(t, plan{})
	for i, c := range []*company{entra, workspace} {
		other, others := workspace, users[1]
		if c == workspace {
			other, others = entra, users[0]
		}
		mark := c.licenses.mark()
		must(t)(h.control.RemoveMembers(t.Context(), c.id, c.group(), users[i][1])) // there is a push of it
		c.awaitLicense(t, mark, users[i][1], false)
		c.disconnect(t, true)
		eventually(t, "the end of the channels of "+c.id, func() bool { return len(c.channels(t)) == 0 })
		served, hints := c.served(t), c.hints.mark()
		mark, otherMark := c.licenses.mark(), other.licenses.mark()
		must(t)(h.control.RemoveMembers(t.Context(), c.id, c.group(), users[i][0]))
		c.pushAgain(t)
		must(t)(h.control.RemoveMembers(t.Context(), other.id, other.group(), others[2]))
		other.awaitLicense(t, otherMark, others[2], false)
		for route, n := range c.served(t) {
			if made := n.Requests - served[route].Requests; made != 0 {
				t.Errorf("%s: %s was served %d times to a receiver that is to leave it alone", c.id, route, made)
			}
		}
		if c.hints.mark() != hints || c.licenses.mark() != mark {
			t.Errorf("%s: %d hints and %d license events while it is disconnected", c.id, c.hints.mark()-hints, c.licenses.mark()-mark)
		}
		c.disconnect(t, false)
		c.awaitLicense(t, mark, users[i][0], false)
		c.awaitPushes(t)
		must(t)(h.control.AddMembers(t.Context(), other.id, other.group(), others[2]))
		other.awaitLicense(t, otherMark, others[2], true)
		c.verify(t)
	}
}

// TestChannelsOfADisconnectedTenantAreEndedAfterARestart: while the provider is away they are on record, and whoever comes
// next ends them.
func TestChannelsOfADisconnectedTenantAreEndedAfterARestart(t *testing.T) {
	t.Parallel()
	h, entra, workspace, _ := both(t, plan{})
	all := []*company{entra, workspace}
	if err := h.control.AddFault(t.Context(), control.Fault{Status: 503}); err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		served := c.served(t)
		c.disconnect(t, true)
		eventually(t, "a request that fails", func() bool { return failed(c.served(t)) > failed(served) })
	}
	h.stop()
	if err := h.control.ClearFaults(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(entra.channels(t)) == 0 || len(workspace.channels(t)) == 0 {
		t.Fatal("channels are ended at a provider that is down")
	}
	h.start(t)
	for _, c := range all {
		eventually(t, "the end of the channels of "+c.id, func() bool { return len(c.channels(t)) == 0 })
	}
}

// TestErasedTenantIsGone, and its neighbour is followed as ever. Its directory may be connected again.
func TestErasedTenantIsGone(t *testing.T) {
	t.Parallel()
	h, entra, workspace, users := both(t, plan{})
	b, _ := h.clients(t, h.dial(t))
	for i, c := range []*company{entra, workspace} {
		other, others := workspace, users[1]
		if c == workspace {
			other, others = entra, users[0]
		}
		if err := erase.Tenant(t.Context(), b, c.id, erase.Any); !errors.Is(err, erase.ErrConnected) {
			t.Fatalf("erased while it is connected: %v", err)
		}
		c.disconnect(t, true)
		eventually(t, "the end of the channels of "+c.id, func() bool { return len(c.channels(t)) == 0 })
		if err := erase.Tenant(t.Context(), b, c.id, erase.Any); err != nil {
			t.Fatal(err)
		}
		all, err := h.process.Tenants().List(t.Context())
		if err != nil || len(all) != 1 || all[0].ID != other.id {
			t.Errorf("tenants %+v, %v", all, err)
		}
		for _, bucket := range []string{bus.BucketCursors, bus.BucketChannels} {
			kv, err := b.KeyValue(t.Context(), bucket)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := bus.DeleteKeys(t.Context(), kv, c.id+".>"); n != 0 || err != nil {
				t.Errorf("%d keys of %s are left in %s, %v", n, c.id, bucket, err)
			}
		}
		mark := other.licenses.mark()
		must(t)(h.control.RemoveMembers(t.Context(), other.id, other.group(), others[1+i]))
		other.awaitLicense(t, mark, others[1+i], false)
		c.join(t)
		c.awaitPushes(t)
	}
}
