package endtoend

import (
	"fmt"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// TestTenantsWithTheSameIDsNeverMeet: two directories hold users and a group of the same ids, as two that were copied do.
// What happens in one never shows in the other.
func TestTenantsWithTheSameIDsNeverMeet(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	c, other := h.found(t, "contoso"), h.found(t, "fabrikam")
	group := "90000000-0000-4000-8000-000000000001"
	users := make([]string, 6)
	for i := range users {
		users[i] = fmt.Sprintf("10000000-0000-4000-8000-%012d", i)
		for _, of := range []*company{c, other} {
			must(t)(h.control.AddUser(t.Context(), of.id, control.NewUser{ID: users[i], Address: fmt.Sprintf("user%d@%s", i, of.domain)}))
		}
	}
	for i, of := range []*company{c, other} {
		must(t)(h.control.AddGroup(t.Context(), of.id, control.NewGroup{ID: group, Address: of.group(), Kind: directory.Microsoft365}))
		must(t)(h.control.AddMembers(t.Context(), of.id, group, users[2*i], users[2*i+1]))
	}
	c.connect(t)
	other.connect(t)
	mark, otherMark, otherHints := c.licenses.mark(), other.licenses.mark(), other.hints.mark()

	must(t)(h.control.AddMembers(t.Context(), c.id, group, users[4]))
	c.awaitLicense(t, mark, users[4], true)
	must(t)(h.control.RemoveUser(t.Context(), c.id, users[2])) // a member in the other tenant alone
	must(t)(h.control.Suspend(t.Context(), c.id, users[0]))
	c.awaitLicense(t, mark, users[0], false)
	gone := c.licenses.mark()
	must(t)(h.control.RemoveGroup(t.Context(), c.id, group))
	c.approveFlip(t, gone, "")
	c.verify(t)

	if other.hints.mark() != otherHints || other.licenses.mark() != otherMark {
		t.Error("what happened in one tenant was heard in the other")
	}
	must(t)(h.control.RemoveMembers(t.Context(), other.id, group, users[2]))
	other.awaitLicense(t, otherMark, users[2], false)
	if events, _ := other.licenses.since(otherMark); len(events) != 1 {
		t.Errorf("%d events of one change in the other tenant", len(events))
	}
	other.verify(t)
	c.verify(t)
}
