package endtoend

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/verify"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// founders found a directory of each provider, whose second domain is its name with .net.
var founders = map[string]func(h *house, tb testing.TB, id string) *company{
	"entra":     func(h *house, tb testing.TB, id string) *company { return h.found(tb, id, id+".net") },
	"workspace": func(h *house, tb testing.TB, id string) *company { return h.foundWorkspace(tb, id, id+".net") },
}

// TestAnAdminMakesTheGroup takes the steps that a customer's admin takes: makes the group, and adds users to it one by one.
// Nobody loses a license until somebody approves; then the members keep theirs, for another reason, and only the others
// lose it. A group of the same name on another of the customer's domains changes nothing at any time.
func TestAnAdminMakesTheGroup(t *testing.T) {
	t.Parallel()
	for name, found := range founders {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, plan{})
			c := found(h, t, "contoso")
			users := c.hire(t, 12)
			c.connect(t)
			mark := c.licenses.mark()

			stray := must(t)(h.control.AddGroup(t.Context(), c.id, control.NewGroup{Address: seats + "@contoso.net"})).ID
			c.awaitRound(t, must(t)(h.control.AddMembers(t.Context(), c.id, stray, users[0], users[9])))
			group := must(t)(h.control.AddGroup(t.Context(), c.id, control.NewGroup{Address: c.group()})).ID
			members := users[:5]
			for _, user := range members {
				must(t)(h.control.AddMembers(t.Context(), c.id, group, user))
				c.awaitMember(t, group, user)
			}
			waits := c.verifyState(t, verify.Parked)
			c.nothingButHeld(t, mark)
			others := len(c.users(t)) - len(members)
			if waits.Licensed != len(members) || len(waits.Held) != 1 || waits.Held[0].Revocations != others || waits.Held[0].Users != others {
				t.Errorf("while it waits: %+v", waits)
			}

			approved := c.licenses.mark()
			c.approveFlip(t, mark, group)
			c.verify(t)
			c.keptOrLost(t, approved, group, members)
			after := c.licenses.mark()
			must(t)(h.control.AddMembers(t.Context(), c.id, stray, users[7]))
			must(t)(h.control.RemoveGroup(t.Context(), c.id, stray))
			c.settle(t, users[4])
			if events, _ := c.licenses.since(after); len(events) != 1 {
				t.Errorf("%d events, want that of the suspended user alone", len(events))
			}
		})
	}
}

// awaitMember waits until a read of the directory has shown a member.
func (c *company) awaitMember(tb testing.TB, group, user string) {
	tb.Helper()
	c.ledger.await(tb, 0, "a member is seen", func(m bus.Message) bool {
		if m.Event.Type() != event.TypeDirectoryObserved {
			return false
		}
		page, err := event.Data[event.DirectoryObserved](m.Event)
		return err == nil && slices.ContainsFunc(page.Observations, func(o event.Observation) bool {
			return o.Membership != nil && o.Membership.Present && o.Membership.GroupID == group && o.Membership.MemberID == user
		})
	})
}

// nothingButHeld demands that since a mark nobody's license has changed, and no policy either.
func (c *company) nothingButHeld(tb testing.TB, mark int) {
	tb.Helper()
	events, _ := c.licenses.since(mark)
	for _, e := range events {
		if !strings.HasPrefix(e.Type, "io.rollcall.held.") {
			tb.Errorf("%s before anybody has approved: %s", e.Type, e.Raw)
		}
	}
}

// keptOrLost demands that since a mark each member has heard of another reason and nothing else, and each other user of the
// loss of the license.
func (c *company) keptOrLost(tb testing.TB, mark int, group string, members []string) {
	tb.Helper()
	want, got := map[string]string{}, map[string]string{}
	for _, user := range c.users(tb) {
		want[user.ID] = event.TypeLicenseRevoked + " not-a-member"
	}
	for _, user := range members {
		want[user] = event.TypeLicenseReasonChanged + " group-member " + group
	}
	events, _ := c.licenses.since(mark)
	for _, e := range events {
		if e.Entitlement == nil {
			continue
		}
		is := e.Entitlement
		got[e.User] += strings.Join(append([]string{e.Type, is.Reason}, is.Path...), " ")
		if before := is.Previous; before == nil || !before.Licensed || before.Reason != string(licensing.DomainDefault) ||
			is.Licensed && !is.Since.Equal(before.Since) {
			tb.Errorf("user %s: %+v, before %+v", e.User, is, before)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		tb.Errorf("what users have heard (-want +got):\n%s", diff)
	}
}
