package endtoend

import (
	"testing"
)

// TestRestartedInTheMiddle: Rollcall is stopped while changes are on their way, more come while it is down, and it goes on
// from where it stood. Nothing is read again from the beginning, nothing is told twice.
func TestRestartedInTheMiddle(t *testing.T) {
	t.Parallel()
	h := open(t, plan{poll: patience}) // a round at the start finds what nobody could push
	c := h.found(t, "contoso")
	users := c.hire(t, 40)
	c.makeGroup(t, users[:20]...)
	c.connect(t)
	c.approveAll(t) // so many leave that they are held from the fifth on
	served := c.served(t)
	var before []told
	for life := range 3 {
		mark := c.licenses.mark()
		for _, user := range users[10*life : 10*life+10] {
			if life < 2 {
				must(t)(h.control.RemoveMembers(t.Context(), c.id, c.group(), user))
			} else {
				must(t)(h.control.AddMembers(t.Context(), c.id, c.group(), user))
			}
		}
		c.awaitLicense(t, mark, users[10*life], life == 2) // the first is told; the others may be anywhere
		before, _ = c.licenses.since(0)
		h.stop()
		must(t)(h.control.Suspend(t.Context(), c.id, users[30+life]))
		h.start(t)
		c.follow(t) // from the beginning, as NATS was restarted too
		c.approveAll(t)
		c.verify(t)
		again, _ := c.licenses.since(0)
		if len(again) < len(before) {
			t.Fatalf("%d events after the restart, %d before it", len(again), len(before))
		}
		for i, e := range again {
			if e.Sequence != uint64(i+1) || i < len(before) && e.ID != before[i].ID {
				t.Fatalf("event %d is %s with sequence %d", i+1, e.ID, e.Sequence)
			}
		}
	}
	all, _ := c.licenses.since(0)
	changes := map[string][]bool{}
	for _, e := range all {
		if e.Entitlement == nil {
			continue
		}
		so := changes[e.User]
		if n := len(so); n > 0 && so[n-1] == e.Entitlement.Licensed && e.Entitlement.Previous != nil && e.Entitlement.Previous.Reason == e.Entitlement.Reason {
			t.Errorf("user %s is told %t twice", e.User, e.Entitlement.Licensed)
		}
		changes[e.User] = append(so, e.Entitlement.Licensed)
	}
	after := c.served(t)
	for _, route := range []string{"GET /users/delta initial", "GET /groups/delta initial"} {
		if n := after[route].Requests - served[route].Requests; n != 0 {
			t.Errorf("%s was served %d times after the first read", route, n)
		}
	}
}
