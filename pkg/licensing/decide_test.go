package licensing_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
)

func TestDecide(t *testing.T) {
	t.Parallel()
	all := licensing.Policy{Mode: licensing.AllUsers}
	members := licensing.Policy{Mode: licensing.GroupMembers, Group: "g"}
	path := []string{"g"}
	no := func(r licensing.Reason) licensing.Decision { return licensing.Decision{Reason: r} }
	cases := []struct {
		name   string
		user   licensing.User
		policy licensing.Policy
		path   []string
		want   licensing.Decision
	}{
		{"active, all users", user(directory.Active), all, nil, licensing.Decision{Licensed: true, Reason: licensing.DomainDefault}},
		{"a path means nothing to all-users", user(directory.Active), all, path, licensing.Decision{Licensed: true, Reason: licensing.DomainDefault}},
		{"member", user(directory.Active), members, path, licensing.Decision{Licensed: true, Reason: licensing.GroupMember, Path: path}},
		{"no member", user(directory.Active), members, nil, no(licensing.NotAMember)},
		{"suspended member", user(directory.Suspended), members, path, no(licensing.Suspended)},
		{"archived", user(directory.Archived), all, nil, no(licensing.Suspended)},
		{"deleted member", user(directory.Deleted), members, path, no(licensing.Deleted)},
		{"guest member", licensing.User{Status: directory.Active, Guest: true}, members, path, no(licensing.Guest)},
		{"guest, all users", licensing.User{Status: directory.Active, Guest: true}, all, nil, no(licensing.Guest)},
		{"suspended guest", licensing.User{Status: directory.Suspended, Guest: true}, all, nil, no(licensing.Suspended)},
		{"never seen", user(""), members, path, no(licensing.Deleted)},
		{"unknown status", user("on-leave"), all, nil, no(licensing.Deleted)},
	}
	for _, c := range cases {
		got := licensing.Decide(c.user, c.policy, c.path)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if !got.Equal(c.want) {
			t.Errorf("%s: Equal denies what cmp finds equal", c.name)
		}
	}
}

func user(s directory.Status) licensing.User { return licensing.User{Status: s} }

func TestDecisionsDifferByEachField(t *testing.T) {
	t.Parallel()
	base := licensing.Decision{Licensed: true, Reason: licensing.GroupMember, Path: []string{"g"}}
	for name, other := range map[string]licensing.Decision{
		"licensed": {Reason: licensing.GroupMember, Path: []string{"g"}},
		"reason":   {Licensed: true, Reason: licensing.DomainDefault, Path: []string{"g"}},
		"path":     {Licensed: true, Reason: licensing.GroupMember, Path: []string{"g", "h"}},
	} {
		if base.Equal(other) {
			t.Errorf("another %s is equal", name)
		}
	}
}

func TestCapabilities(t *testing.T) {
	t.Parallel()
	c := licensing.Capabilities{Licensed: []string{"share.initiate", "request.initiate"}, Active: []string{"share.receive", "request.respond"}}
	cases := []struct {
		active, licensed bool
		action           string
		want             bool
	}{
		{true, true, "share.initiate", true},
		{true, true, "request.initiate", true},
		{true, true, "share.receive", true},
		{true, false, "share.initiate", false},
		{true, false, "request.initiate", false},
		{true, false, "share.receive", true},
		{true, false, "request.respond", true},
		{false, false, "share.receive", false},
		{false, true, "share.initiate", false},
		{true, true, "share.revoke", false},
		{true, true, "", false},
	}
	for _, tc := range cases {
		if got := c.Allows(tc.active, tc.licensed, tc.action); got != tc.want {
			t.Errorf("active %v, licensed %v, %q: %v, want %v", tc.active, tc.licensed, tc.action, got, tc.want)
		}
	}
}

func TestActiveIsOnlyTheActiveStatus(t *testing.T) {
	t.Parallel()
	for status, want := range map[directory.Status]bool{
		directory.Active: true, directory.Suspended: false, directory.Archived: false, directory.Deleted: false, "": false,
	} {
		if got := user(status).Active(); got != want {
			t.Errorf("%q: %v", status, got)
		}
	}
	if !(licensing.User{Status: directory.Active, Guest: true}).Active() {
		t.Error("a guest may sign in: receiving and responding need no license")
	}
}
