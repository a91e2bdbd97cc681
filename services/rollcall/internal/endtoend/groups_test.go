package endtoend

import (
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// makeGroup makes the provisioning group, with members.
func (c *company) makeGroup(tb testing.TB, members ...string) (id string) {
	tb.Helper()
	id = must(tb)(c.house.control.AddGroup(tb.Context(), c.id, control.NewGroup{Address: c.group(), Kind: directory.MailEnabledSecurity})).ID
	must(tb)(c.house.control.AddMembers(tb.Context(), c.id, id, members...))
	return id
}

// TestEveryKindOfGroupCounts, when it comes to a connected tenant, by its address or by an alias.
func TestEveryKindOfGroupCounts(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	for name, group := range map[string]control.NewGroup{
		"microsoft-365":          {Kind: directory.Microsoft365, Address: seats + "@microsoft-365.com"},
		"mail-enabled-security":  {Kind: directory.MailEnabledSecurity, Address: seats + "@mail-enabled-security.com"},
		"distribution":           {Kind: directory.Distribution, Address: seats + "@distribution.com"},
		"security-with-alias":    {Kind: directory.Security, Name: "Seats", Aliases: []string{seats + "@security-with-alias.com"}},
		"alias-of-another":       {Kind: directory.Microsoft365, Address: "team@alias-of-another.com", Aliases: []string{seats + "@alias-of-another.com"}},
		"address-in-mixed-cases": {Kind: directory.Microsoft365, Address: "Virtru-Secure-Share-Provisioning-Group@Address-In-Mixed-Cases.com"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := h.found(t, name)
			users := c.hire(t, 5)
			c.connect(t)
			mark := c.licenses.mark()
			made := must(t)(h.control.AddGroup(t.Context(), c.id, group))
			must(t)(h.control.AddMembers(t.Context(), c.id, made.ID, users[0], users[1]))
			c.approveFlip(t, mark, made.ID)
			c.awaitLicense(t, mark, users[4], false)
			if report := c.verify(t); report.Licensed != 2 {
				t.Errorf("%d users are licensed, want the 2 members", report.Licensed)
			}
		})
	}
}

// TestGroupOnAnotherDomainChangesNothing, and the one on the connecting domain still does.
func TestGroupOnAnotherDomainChangesNothing(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	c := h.found(t, "contoso", "contoso.net")
	users := c.hire(t, 5)
	c.connect(t)
	mark := c.licenses.mark()
	stray := must(t)(h.control.AddGroup(t.Context(), c.id, control.NewGroup{Address: seats + "@contoso.net"})).ID
	c.awaitRound(t, must(t)(h.control.AddMembers(t.Context(), c.id, stray, users[0])))
	real := c.makeGroup(t, users[1], users[2]) // it decides later than the other one would have
	c.approveFlip(t, mark, real)
	c.awaitLicense(t, mark, users[0], false)
	if report := c.verify(t); report.Licensed != 2 {
		t.Errorf("%d users are licensed, want the 2 members", report.Licensed)
	}
}

// TestTwoGroupsAtOneAddressChangeNothing until one of them goes, whether one of them was in force before or not.
func TestTwoGroupsAtOneAddressChangeNothing(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	c, other := h.found(t, "contoso"), h.found(t, "fabrikam")
	users, others := c.hire(t, 5), other.hire(t, 5)
	c.connect(t)
	other.connect(t)
	mark, otherMark := c.licenses.mark(), other.licenses.mark()
	twin := control.NewGroup{Address: c.group(), AllowTaken: true}
	first := must(t)(h.control.AddGroup(t.Context(), c.id, twin)).ID
	made := must(t)(h.control.AddGroup(t.Context(), c.id, twin))
	second := made.ID
	c.awaitRound(t, made)
	must(t)(h.control.AddMembers(t.Context(), c.id, first, users[0]))
	c.awaitRound(t, must(t)(h.control.AddMembers(t.Context(), c.id, second, users[1], users[2])))

	other.approveFlip(t, otherMark, other.makeGroup(t, others[0])) // here a settle time has passed since
	c.settle(t, users[4])
	if events, _ := c.licenses.since(mark); len(events) != 1 {
		t.Fatalf("%d events while two groups have the address, want that of the suspended user alone", len(events))
	}
	must(t)(h.control.RemoveGroup(t.Context(), c.id, first))
	c.approveFlip(t, mark, second)
	c.awaitLicense(t, mark, users[0], false)
	if report := c.verify(t); report.Licensed != 2 {
		t.Errorf("%d users are licensed, want the 2 members of the group that is left", report.Licensed)
	}

	mark, otherMark = c.licenses.mark(), other.licenses.mark()
	third := must(t)(h.control.AddGroup(t.Context(), c.id, twin)).ID
	c.awaitRound(t, must(t)(h.control.AddMembers(t.Context(), c.id, third, users[3])))
	must(t)(h.control.RemoveGroup(t.Context(), other.id, other.group()))
	other.approveFlip(t, otherMark, "")
	c.settle(t, users[1])
	if events, _ := c.licenses.since(mark); len(events) != 1 {
		t.Fatalf("%d events while a second group has the address, want that of the suspended user alone", len(events))
	}
	must(t)(h.control.RemoveGroup(t.Context(), c.id, third))
	if report := c.verify(t); report.Licensed != 1 {
		t.Errorf("%d users are licensed, want the member who is not suspended", report.Licensed)
	}
}

// TestGuestsAndSuspendedMembersHaveNoLicense, whether they were in the group before or came into it.
func TestGuestsAndSuspendedMembersHaveNoLicense(t *testing.T) {
	t.Parallel()
	h := open(t, plan{})
	c := h.found(t, "contoso")
	users := c.hire(t, 4)
	person := func(u control.NewUser) string { return must(t)(h.control.AddUser(t.Context(), c.id, u)).ID }
	guest, later := person(control.NewUser{Address: "guest@fabrikam.com", Guest: true}), person(control.NewUser{Address: "later@fabrikam.com", Guest: true})
	disabled := person(control.NewUser{Address: "disabled@contoso.com", Suspended: true})
	c.makeGroup(t, users[0], guest, disabled)
	c.connect(t)
	mark := c.licenses.mark()
	must(t)(h.control.AddMembers(t.Context(), c.id, c.group(), later))
	must(t)(h.control.AddMembers(t.Context(), c.id, c.group(), users[1]))
	c.awaitLicense(t, mark, users[1], true)
	must(t)(h.control.Unsuspend(t.Context(), c.id, disabled))
	c.awaitLicense(t, mark, disabled, true)
	for name, id := range map[string]string{"a guest": guest, "a guest who joined": later, "who is not in the group": users[3]} {
		if c.licensed(id) {
			t.Errorf("%s is licensed", name)
		}
	}
	if report := c.verify(t); report.Licensed != 3 {
		t.Errorf("%d users are licensed, want 3", report.Licensed)
	}
}
