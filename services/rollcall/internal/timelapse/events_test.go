package timelapse

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// listed are Google's events that change who is licensed, by log.
//
// Sources: developers.google.com/workspace/admin/reports/v1/appendix/activity/admin-group-settings, admin-user-settings,
// groups-enterprise, groups and login.
func listed() map[string][]string {
	return map[string][]string{
		"admin": {
			"ADD_GROUP_MEMBER", "ARCHIVE_USER", "BULK_UPLOAD", "CHANGE_GROUP_EMAIL", "CREATE_GROUP", "CREATE_USER", "DELETE_GROUP",
			"DELETE_USER", "GROUP_MEMBER_BULK_UPLOAD", "REMOVE_GROUP_MEMBER", "SUSPEND_USER", "UNARCHIVE_USER", "UNDELETE_USER",
			"UNMANAGED_USERS_BULK_UPLOAD", "UNSUSPEND_USER", "USERS_BULK_UPLOAD",
		},
		"groups_enterprise": {
			"accept_invitation", "add_dynamic_group_query", "add_info_setting", "add_member", "approve_join_request",
			"ban_member_with_moderation", "change_dynamic_group_query", "change_info_setting", "create_group", "delete_group", "join",
			"remove_info_setting", "remove_member",
		},
		"groups": {
			"accept_invitation", "add_user", "approve_join_request", "ban_user_with_moderation", "join", "remove_user",
			"unsubscribe_via_mail",
		},
		"login": {
			"account_disabled_generic", "account_disabled_hijacked", "account_disabled_password_leak", "account_disabled_spamming",
			"account_disabled_spamming_through_relay",
		},
	}
}

// untold are those that the simulator's logs know by another name, or do not know. That they are understood is a test of the
// package that reads them.
func untold() []string {
	return []string{
		"admin BULK_UPLOAD", "admin UNMANAGED_USERS_BULK_UPLOAD",
		"groups_enterprise add_dynamic_group_query", "groups_enterprise change_dynamic_group_query",
		"login account_disabled_password_leak", "login account_disabled_spamming", "login account_disabled_spamming_through_relay",
	}
}

func TestNoEventIsLeftOut(t *testing.T) {
	var want []string
	for log, events := range listed() {
		for _, event := range events {
			want = append(want, log+" "+event)
		}
	}
	got := untold()
	for _, r := range rows() {
		got = append(got, r.log+" "+r.event)
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, slices.Compact(got)); diff != "" {
		t.Errorf("events with a test (-want +got):\n%s", diff)
	}
}

// TestEveryEventComesByPush: nobody polls and no list is read again, so what a push names is all that there is.
func TestEveryEventComesByPush(t *testing.T) {
	w := open(t, plan{list: never, poll: never})
	for i, r := range rows() {
		t.Run(fmt.Sprintf("%s %s %d", r.log, r.event, i), func(t *testing.T) { w.in(t).play(r, fmt.Sprintf("row%d", i)) })
	}
}

// TestEveryEventComesByJournal: all pushes are lost and no list is read again, so the journals alone tell.
func TestEveryEventComesByJournal(t *testing.T) {
	w := open(t, plan{list: never})
	w.push(control.Push{Mode: control.PushOff})
	for i, r := range rows() {
		if r.unread {
			continue
		}
		t.Run(fmt.Sprintf("%s %s %d", r.log, r.event, i), func(t *testing.T) { w.in(t).play(r, fmt.Sprintf("row%d", i)) })
	}
}

// never is an interval that no test outlives.
const never = 1000 * time.Hour

// in is the world for a part of a test.
func (w *world) in(t *testing.T) *world {
	part := *w
	part.tb = t
	return &part
}

// play has one event happen to a customer of its own, and waits for the license event that must come of it.
func (w *world) play(r row, id string) {
	w.tb.Helper()
	c := w.found(id)
	c.hire(5)
	licensed := 5
	if !r.open {
		c.gather(c.users[:2]...)
		licensed = 2
	}
	c.connect(licensed)
	defer c.disconnect()
	if r.before != nil {
		r.before(c)
		c.pass(5 * time.Minute)
	}
	c.pass(time.Second) // apart from what has happened before, in the log too
	mark, began := c.heard.mark(), c.stage.Now()
	r.act(c)
	if names := c.logged(r.log, began); !names[r.event] {
		c.tb.Errorf("the log of %s tells of %v", r.log, names)
	}
	c.await("the license event", 20*time.Minute, func() bool {
		_, came := c.heard.first(mark, r.who(c), r.licensed)
		return came
	})
}
