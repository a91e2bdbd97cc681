package endtoend

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/event"
)

// TestRefusedWhileNATSIsAway: what cannot be made durable is refused, and brings its change when it is sent again.
func TestRefusedWhileNATSIsAway(t *testing.T) {
	t.Parallel()
	server := bustest.StartServer(t)
	h := open(t, plan{nats: server})
	c := h.found(t, "contoso")
	users := c.hire(t, 5)
	c.connect(t)
	mark, hints := c.licenses.mark(), c.hints.mark()

	server.Stop()
	must(t)(h.control.Suspend(t.Context(), c.id, users[0]))
	refused := h.gate.pushes.await(t, 0, "a push that is refused", func(p push) bool { return p.status == http.StatusServiceUnavailable })
	if again := h.gate.post(t, bytes.NewReader(refused.body)); again != http.StatusServiceUnavailable {
		t.Errorf("sent again while NATS is away: %d", again)
	}
	server.Resume()
	var accepted int
	eventually(t, "the push is taken once NATS is back", func() bool {
		status := h.gate.post(t, bytes.NewReader(refused.body))
		if status != http.StatusServiceUnavailable {
			accepted = status
		}
		return accepted != 0
	})
	if accepted != http.StatusAccepted {
		t.Fatalf("sent again after NATS is back: %d", accepted)
	}
	revoked := c.awaitLicense(t, mark, users[0], false)
	hint := c.hints.await(t, hints, "the hint", func(bus.Message) bool { return true })
	if asked := c.cause(t, revoked); asked != hint.Event.ID() {
		t.Errorf("the event was brought by %q, and not by the push %q", asked, hint.Event.ID())
	}
	c.settle(t, users[1])
	if events, _ := c.licenses.since(mark); len(events) != 2 {
		t.Errorf("%d events of 2 changes", len(events))
	}
	c.verify(t)
}

// cause returns the id of what had the page read that a license event comes from.
func (c *company) cause(t *testing.T, e told) string {
	t.Helper()
	page := c.ledger.await(t, 0, "the page behind the event", func(m bus.Message) bool { return m.Event.ID() == e.Cause })
	return event.Cause(page.Event)
}

// settle suspends a user whom nobody watches. When that is published, all that was observed before has had its effects.
func (c *company) settle(t *testing.T, user string) {
	t.Helper()
	mark := c.licenses.mark()
	must(t)(c.house.control.Suspend(t.Context(), c.id, user))
	c.awaitLicense(t, mark, user, false)
}

// TestBadItemsChangeNothing: items that prove nothing are refused without a word, and do not spoil those beside them.
func TestBadItemsChangeNothing(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	c, other := h.found(t, "contoso"), h.found(t, "fabrikam")
	users, others := c.hire(t, 5), other.hire(t, 5)
	c.connect(t)
	other.connect(t)
	mark, hints, otherMark, otherHints := c.licenses.mark(), c.hints.mark(), other.licenses.mark(), other.hints.mark()

	h.gate.closed.Store(true) // changes there are, in both directories, and nobody has heard of them
	seen := h.gate.pushes.mark()
	must(t)(h.control.Suspend(t.Context(), c.id, users[0]))
	must(t)(h.control.Suspend(t.Context(), other.id, others[0]))
	good := h.gate.item(t, seen, c.directory)
	foreign := h.gate.item(t, seen, other.directory)
	bad := []map[string]any{
		with(good, "clientState", forge(good["clientState"])),
		with(good, "clientState", nil),
		with(with(good, "subscriptionId", "0c9a3d3e-0000-4000-8000-000000000000"), "clientState", "guessed"),
		with(foreign, "clientState", good["clientState"]), // contoso's secret for news of fabrikam
		with(good, "tenantId", other.directory),
		with(good, "tenantId", "0c9a3d3e-0000-4000-8000-00000000000f"),
		without(good, "clientState"),
	}
	if status := h.gate.post(t, batch(t, bad...)); status != http.StatusAccepted {
		t.Errorf("bad items alone: %d", status)
	}
	if status := h.gate.post(t, batch(t, append(bad[:3:3], append([]map[string]any{good}, bad[3:]...)...)...)); status != http.StatusAccepted {
		t.Errorf("a good item among bad ones: %d", status)
	}
	revoked := c.awaitLicense(t, mark, users[0], false)
	hint := c.hints.await(t, hints, "the hint", func(bus.Message) bool { return true })
	if asked := c.cause(t, revoked); asked != hint.Event.ID() {
		t.Errorf("the event was brought by %q, and not by the push %q", asked, hint.Event.ID())
	}
	if n := c.hints.mark() - hints; n != 1 { // a hint is stored before its push is answered: no other can follow
		t.Errorf("%d hints of one good item", n)
	}
	if other.hints.mark() != otherHints || other.licenses.mark() != otherMark {
		t.Error("a push with another tenant's secret was heard")
	}
	if status := h.gate.post(t, batch(t, foreign)); status != http.StatusAccepted { // its own does it
		t.Errorf("the other tenant's own push: %d", status)
	}
	other.awaitLicense(t, otherMark, others[0], false)
	c.verify(t)
	other.verify(t)
}

// TestLifecycleItemWithoutResource: Graph says that it has lost notifications, and Rollcall looks for what they told.
func TestLifecycleItemWithoutResource(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	c := h.found(t, "contoso")
	users := c.hire(t, 5)
	c.connect(t)
	mark := c.licenses.mark()
	h.gate.closed.Store(true)
	must(t)(h.control.Suspend(t.Context(), c.id, users[0]))
	h.gate.pushes.await(t, 0, "a push that is lost", func(push) bool { return true })
	h.gate.closed.Store(false)
	held, err := h.control.Subscriptions(t.Context(), c.id)
	if err != nil || len(held) == 0 {
		t.Fatalf("subscriptions: %v, %v", held, err)
	}
	if err := h.control.SendLifecycle(t.Context(), c.id, held[0].ID, "missed"); err != nil {
		t.Fatal(err)
	}
	c.awaitLicense(t, mark, users[0], false)
	c.verify(t)
}

// TestMembersInANotificationAreNotBelieved: the array of members may say anything, in either form; only what Graph's API
// shows counts.
func TestMembersInANotificationAreNotBelieved(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	c := h.found(t, "contoso")
	users := c.hire(t, 6)
	c.makeGroup(t, users[0], users[1])
	c.connect(t)
	for i, members := range [][]any{
		{map[string]any{"id": users[3]}, map[string]any{"id": users[3], "@removed": "deleted"}}, // added and removed in one array
		{map[string]any{"id": users[0], "@removed": "deleted"}},
		{map[string]any{"id": users[0], "@removed": map[string]any{"reason": "deleted"}}},
		{map[string]any{"id": users[5]}},
	} {
		mark, seen := c.licenses.mark(), h.gate.pushes.mark()
		joins := users[2]
		act := h.control.AddMembers
		if i%2 == 1 {
			act = h.control.RemoveMembers
		}
		h.gate.closed.Store(true)
		must(t)(act(t.Context(), c.id, c.group(), joins))
		item := h.gate.item(t, seen, c.directory)
		data, _ := item["resourceData"].(map[string]any)
		if status := h.gate.post(t, batch(t, with(item, "resourceData", with(data, "members@delta", members)))); status != http.StatusAccepted {
			t.Errorf("array %d: %d", i, status)
		}
		c.awaitLicense(t, mark, joins, i%2 == 0)
		h.gate.closed.Store(false)
	}
	c.verify(t)
}

// TestHostileBodies are sent to the real listener. It takes a good one after them.
func TestHostileBodies(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	c := h.found(t, "contoso")
	users := c.hire(t, 5)
	c.connect(t)
	hints := c.hints.mark()
	large := `{"value":[` + strings.Repeat(" ", 5<<20) + `]}`
	old := client(t, h.pair.cert)
	t.Run("while others wait", func(t *testing.T) {
		for protocol, client := range map[string]*http.Client{"HTTP/2": h.gate.client, "HTTP/1.1": old} {
			for name, is := range map[string]struct {
				body   io.Reader
				status int
			}{
				"5 MB of announced length": {strings.NewReader(large), http.StatusRequestEntityTooLarge},
				"5 MB of unknown length":   {io.MultiReader(strings.NewReader(large)), http.StatusRequestEntityTooLarge},
				"broken JSON":              {strings.NewReader(`{"value":[{"subscriptionId":`), http.StatusBadRequest},
				"JSON of another shape":    {strings.NewReader(`["value"]`), http.StatusBadRequest},
				"nothing":                  {strings.NewReader(""), http.StatusBadRequest},
				"a body that never ends":   {endless(t), http.StatusServiceUnavailable},
			} {
				t.Run(name+" over "+protocol, func(t *testing.T) {
					t.Parallel()
					if status := h.gate.postWith(t, client, is.body); status != is.status {
						t.Errorf("status %d, want %d", status, is.status)
					}
				})
			}
		}
	})
	if n := c.hints.mark() - hints; n != 0 {
		t.Errorf("%d hints of hostile bodies", n)
	}
	c.settle(t, users[0])
	c.verify(t)
}

// endless begins, and sends nothing more until the test is over.
func endless(t *testing.T) io.Reader {
	t.Helper()
	reader, writer := io.Pipe()
	t.Cleanup(func() { _ = writer.Close() })
	return io.MultiReader(strings.NewReader(`{"value":[`), reader)
}

// item returns the first item of a push behind a mark that tells of the directory.
func (g *gate) item(t *testing.T, mark int, directory string) map[string]any {
	t.Helper()
	var found map[string]any
	g.pushes.await(t, mark, "a push of the directory", func(p push) bool {
		var body struct{ Value []map[string]any }
		if err := json.Unmarshal(p.body, &body); err != nil {
			t.Fatal(err)
		}
		for _, item := range body.Value {
			if item["tenantId"] == directory && found == nil {
				found = item
			}
		}
		return found != nil
	})
	return found
}

func batch(t *testing.T, items ...map[string]any) io.Reader {
	t.Helper()
	raw, err := json.Marshal(map[string]any{"value": items})
	if err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(raw)
}

// with returns a copy of an item with one field set; without, with one field less.
func with(item map[string]any, field string, value any) map[string]any {
	item = maps.Clone(item)
	item[field] = value
	return item
}

func without(item map[string]any, field string) map[string]any {
	item = maps.Clone(item)
	delete(item, field)
	return item
}

// forge changes the proof in a clientState, and nothing else of it.
func forge(state any) string {
	s, _ := state.(string)
	proof := strings.LastIndexByte(s, '.') + 1
	first := "A"
	if s[proof:proof+1] == first {
		first = "B"
	}
	return s[:proof] + first + s[proof+1:]
}
