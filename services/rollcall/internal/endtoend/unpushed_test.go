package endtoend

import (
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

func TestPollingAloneBringsAChange(t *testing.T) {
	t.Parallel()
	h := open(t, plan{unpushed: true, poll: 50 * time.Millisecond})
	c := h.found(t, "contoso")
	users := c.hire(t, 5)
	c.connect(t)
	mark := c.licenses.mark()
	must(t)(h.control.Suspend(t.Context(), c.id, users[0]))
	c.awaitLicense(t, mark, users[0], false)
	c.verify(t)
	if n := h.gate.pushes.mark(); n != 0 {
		t.Errorf("%d pushes, want none", n)
	}
}

// TestRefreshAloneBringsEveryChange: nothing is pushed and nothing is polled. The refresh finds who is new, who is
// suspended, who is gone (which a list does not show) and that a group decides now.
func TestRefreshAloneBringsEveryChange(t *testing.T) {
	t.Parallel()
	h := open(t, plan{unpushed: true})
	c := h.found(t, "contoso")
	users := c.hire(t, 8)
	must(t)(h.control.AddGroup(t.Context(), c.id, control.NewGroup{Address: c.group(), Kind: directory.MailEnabledSecurity}))
	must(t)(h.control.AddMembers(t.Context(), c.id, c.group(), users[:6]...))
	c.connect(t)
	mark, ledger := c.licenses.mark(), c.ledger.mark()

	must(t)(h.control.Suspend(t.Context(), c.id, users[0]))
	must(t)(h.control.PurgeUser(t.Context(), c.id, users[1]))
	must(t)(h.control.RemoveMembers(t.Context(), c.id, c.group(), users[2]))
	fresh := must(t)(h.control.AddUser(t.Context(), c.id, control.NewUser{Address: "new@contoso.com"})).ID
	must(t)(h.control.AddMembers(t.Context(), c.id, c.group(), users[6], fresh))
	if n := c.ledger.mark(); n != ledger {
		t.Fatalf("%d messages on LEDGER_IN before anybody has asked", n-ledger)
	}
	id := c.refresh(t)
	done := c.ledger.await(t, ledger, "the end of the refresh", func(m bus.Message) bool {
		return m.Event.Type() == event.TypeRefreshCompleted && event.Cause(m.Event) == id
	})
	result, err := event.Data[event.RefreshCompleted](done.Event)
	if err != nil {
		t.Fatal(err)
	}
	if result.Error != "" || result.Granted != 2 || result.Revoked != 3 || result.Unproven != 0 {
		t.Errorf("refreshed: %+v", result)
	}
	c.verify(t)
	if events, _ := c.licenses.since(mark); len(events) != 5 {
		t.Errorf("%d events of 5 changes", len(events))
	}
}

// refresh asks for a full read as the command line does, and returns the command's id.
func (c *company) refresh(t *testing.T) string {
	t.Helper()
	b, _ := c.house.clients(t, c.house.dial(t))
	id := c.id + ".refresh.by-hand"
	command, err := event.New(event.TypeRefreshRequested, event.Meta{
		ID: id, Source: event.CommandSource(c.id), Time: time.Now(), Tenant: c.id,
	}, event.RefreshRequested{RequestedBy: "test"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Publish(t.Context(), event.CommandSubject(c.id, "refresh"), command); err != nil {
		t.Fatal(err)
	}
	return id
}
