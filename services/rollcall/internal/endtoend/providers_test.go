package endtoend

import (
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// both opens a Rollcall that follows an Entra directory and a Workspace customer, each with a group of three of five users.
func both(t *testing.T, p plan) (h *house, entra, workspace *company, users [2][]string) {
	t.Helper()
	h = open(t, p)
	entra, workspace = h.found(t, "contoso"), h.foundWorkspace(t, "initech")
	for i, c := range []*company{entra, workspace} {
		users[i] = c.hire(t, 5)
		group := must(t)(h.control.AddGroup(t.Context(), c.id, control.NewGroup{Address: c.group()})).ID
		must(t)(h.control.AddMembers(t.Context(), c.id, group, users[i][:3]...))
		c.connect(t)
	}
	return h, entra, workspace, users
}

// TestTwoProvidersAtOnce: in one Rollcall a change in each provider's directory at the same time is told of each, and of
// each once.
func TestTwoProvidersAtOnce(t *testing.T) {
	t.Parallel()
	h, entra, workspace, users := both(t, plan{})
	all := []*company{entra, workspace}
	marks := [2]int{entra.licenses.mark(), workspace.licenses.mark()}
	changed := make(chan error, len(all))
	for i, c := range all {
		go func() {
			_, err := h.control.AddMembers(t.Context(), c.id, c.group(), users[i][3])
			if err == nil {
				_, err = h.control.Suspend(t.Context(), c.id, users[i][0])
			}
			changed <- err
		}()
	}
	for range all {
		if err := <-changed; err != nil {
			t.Fatal(err)
		}
	}
	for i, c := range all {
		c.awaitLicense(t, marks[i], users[i][3], true)
		c.awaitLicense(t, marks[i], users[i][0], false)
		c.verify(t)
		if events, _ := c.licenses.since(marks[i]); len(events) != 2 {
			t.Errorf("%s: %d events of two changes", c.id, len(events))
		}
	}
}

// TestOneProviderDownDelaysNotTheOther: while every request to the one is answered with 500, changes at the other are told
// as ever; and what was missed comes when it is back.
func TestOneProviderDownDelaysNotTheOther(t *testing.T) {
	t.Parallel()
	for _, down := range []string{"contoso", "initech"} {
		t.Run(down, func(t *testing.T) {
			t.Parallel()
			h, entra, workspace, users := both(t, plan{poll: 200 * time.Millisecond})
			ill, well, lost, others := entra, workspace, users[0], users[1]
			if down == workspace.id {
				ill, well, lost, others = workspace, entra, users[1], users[0]
			}
			if err := h.control.AddFault(t.Context(), control.Fault{Tenant: ill.id, Status: 500}); err != nil {
				t.Fatal(err)
			}
			illMark := ill.licenses.mark()
			must(t)(h.control.AddMembers(t.Context(), ill.id, ill.group(), lost[3]))
			eventually(t, "the provider fails", func() bool { return failed(ill.served(t)) > 0 })
			for _, user := range others[:3] {
				mark := well.licenses.mark()
				must(t)(h.control.RemoveMembers(t.Context(), well.id, well.group(), user))
				well.awaitLicense(t, mark, user, false)
			}
			well.verify(t)
			if n := ill.licenses.mark() - illMark; n != 0 {
				t.Errorf("%d events of a directory that cannot be read", n)
			}
			if err := h.control.ClearFaults(t.Context()); err != nil {
				t.Fatal(err)
			}
			ill.awaitLicense(t, illMark, lost[3], true)
			ill.verify(t)
		})
	}
}

// failed sums up the requests that were answered with an error.
func failed(served map[string]control.Counter) (n int) {
	for _, counter := range served {
		n += counter.Failed
	}
	return n
}
