package simulator_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/simulator"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// deed is something done to initech, and the one activity that each application logs of it. An application that is not
// named logs nothing.
type deed struct {
	name string
	do   func() (control.Change, error)
	want map[string]string
}

// byAdmin is how what an admin does is told.
const byAdmin = "admin@initech.com: "

// perform does one deed after another and looks into every log behind each.
func (c *customer) perform(fake *clock.Fake, deeds []deed) {
	c.t.Helper()
	for _, d := range deeds {
		fake.Advance(time.Second)
		must(d.do())(c.t)
		since := fake.Now()
		fake.Advance(time.Second)
		for _, app := range []string{"admin", "groups_enterprise", "groups", "login"} {
			var got, want []string
			for _, a := range must(c.audit().Activities.List("all", app).StartTime(since.Format(time.RFC3339)).Do())(c.t).Items {
				got = append(got, told(a))
				at, err := time.Parse(time.RFC3339, a.Id.Time)
				if err != nil || !at.Equal(since) || a.Id.CustomerId != c.tenant.DirectoryID || a.Id.ApplicationName != app || a.Id.UniqueQualifier == 0 {
					c.t.Errorf("%s: %+v %v", d.name, a.Id, err)
				}
			}
			if text := d.want[app]; text != "" {
				want = []string{text}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				c.t.Errorf("%s, %s (-want +got):\n%s", d.name, app, diff)
			}
		}
	}
}

func TestActivitiesOfUsers(t *testing.T) {
	t.Parallel()
	c, fake := fakeInitech(t, simulator.Config{})
	ctx := t.Context()
	ann, bob := c.person("Ann"), c.person("bob")
	via := c.control.Via
	c.perform(fake, []deed{
		{
			"suspend", func() (control.Change, error) { return c.control.Suspend(ctx, "initech", ann) },
			map[string]string{"admin": byAdmin + "SUSPEND_USER USER_EMAIL=ann@initech.com"},
		},
		{
			"unsuspend", func() (control.Change, error) { return via(control.ViaAPI).Unsuspend(ctx, "initech", ann) },
			map[string]string{"admin": byAdmin + "UNSUSPEND_USER USER_EMAIL=ann@initech.com"},
		},
		{
			"archive", func() (control.Change, error) { return c.control.Archive(ctx, "initech", ann) },
			map[string]string{"admin": byAdmin + "ARCHIVE_USER USER_EMAIL=ann@initech.com"},
		},
		{
			"unarchive", func() (control.Change, error) { return c.control.Unarchive(ctx, "initech", ann) },
			map[string]string{"admin": byAdmin + "UNARCHIVE_USER USER_EMAIL=ann@initech.com"},
		},
		{
			"suspended by Google", func() (control.Change, error) { return via(control.ViaGoogle).Suspend(ctx, "initech", ann) },
			map[string]string{"login": "Google System: account_disabled_generic affected_email_address=ann@initech.com"},
		},
		{"hijacked", func() (control.Change, error) {
			must(c.control.Unsuspend(ctx, "initech", ann))(t)
			fake.Advance(time.Minute)
			return via("google-hijacked").Suspend(ctx, "initech", ann)
		}, map[string]string{"login": "Google System: account_disabled_hijacked affected_email_address=ann@initech.com"}},
		{
			"delete", func() (control.Change, error) { return c.control.RemoveUser(ctx, "initech", ann) },
			map[string]string{"admin": byAdmin + "DELETE_USER USER_EMAIL=ann@initech.com"},
		},
		{
			"undelete", func() (control.Change, error) { return c.control.RestoreUser(ctx, "initech", ann) },
			map[string]string{"admin": byAdmin + "UNDELETE_USER USER_EMAIL=ann@initech.com"},
		},
		{
			"rename a user", func() (control.Change, error) {
				return c.control.RenameUser(ctx, "initech", ann, control.Rename{Address: "anna@initech.com"})
			},
			map[string]string{"admin": byAdmin + "RENAME_USER USER_EMAIL=ann@initech.com NEW_VALUE=anna@initech.com"},
		},
		{
			"add an alias", func() (control.Change, error) {
				return c.control.AddUserAlias(ctx, "initech", ann, "A.N.Other@initech.com")
			},
			map[string]string{"admin": byAdmin + "ADD_NICKNAME USER_EMAIL=anna@initech.com USER_NICKNAME=a.n.other@initech.com"},
		},
		{
			"remove an alias", func() (control.Change, error) {
				return c.control.RemoveUserAlias(ctx, "initech", ann, "a.n.other@initech.com")
			},
			map[string]string{"admin": byAdmin + "REMOVE_NICKNAME USER_EMAIL=anna@initech.com USER_NICKNAME=a.n.other@initech.com"},
		},
		{
			"delete for good", func() (control.Change, error) { return c.control.PurgeUser(ctx, "initech", bob) },
			map[string]string{"admin": byAdmin + "DELETE_USER USER_EMAIL=bob@initech.com"},
		},
		{"make a user who is suspended", func() (control.Change, error) {
			return c.control.AddUser(ctx, "initech", control.NewUser{Address: "sam@initech.com", Suspended: true})
		}, map[string]string{"admin": byAdmin + "CREATE_USER USER_EMAIL=sam@initech.com; SUSPEND_USER USER_EMAIL=sam@initech.com"}},
		{"users uploaded", func() (control.Change, error) {
			u, err := via(control.ViaBulkUpload).AddUser(ctx, "initech", control.NewUser{Address: "eve@initech.com"})
			return control.Change{ID: u.ID}, err
		}, map[string]string{"admin": byAdmin + "USERS_BULK_UPLOAD BULK_UPLOAD_TOTAL_USERS_NUMBER=1 BULK_UPLOAD_FAIL_USERS_NUMBER=0"}},
	})
}

func TestActivitiesOfMembers(t *testing.T) {
	t.Parallel()
	c, fake := fakeInitech(t, simulator.Config{})
	ctx := t.Context()
	ann, bob, team := c.person("ann"), c.person("bob"), c.team("team")
	must(c.control.AddMembers(ctx, "initech", team, bob))(t)
	via := c.control.Via
	c.perform(fake, []deed{
		{"add a member", func() (control.Change, error) { return c.control.AddMembers(ctx, "initech", team, ann) }, map[string]string{
			"admin":             byAdmin + "ADD_GROUP_MEMBER GROUP_EMAIL=team@initech.com USER_EMAIL=ann@initech.com",
			"groups_enterprise": byAdmin + "add_member group_id=team@initech.com member_id=ann@initech.com member_role=member member_type=user namespace=PUBLIC",
		}},
		{"make an owner", func() (control.Change, error) { return c.control.SetRole(ctx, "initech", team, ann, "OWNER") }, map[string]string{
			"admin":             byAdmin + "UPDATE_GROUP_MEMBER GROUP_EMAIL=team@initech.com USER_EMAIL=ann@initech.com OLD_VALUE=MEMBER NEW_VALUE=OWNER",
			"groups_enterprise": byAdmin + "add_member_role group_id=team@initech.com member_id=ann@initech.com member_role=owner member_type=user namespace=PUBLIC; remove_member_role group_id=team@initech.com member_id=ann@initech.com member_role=member member_type=user namespace=PUBLIC",
		}},
		{"remove a member", func() (control.Change, error) { return via(control.ViaAPI).RemoveMembers(ctx, "initech", team, ann) }, map[string]string{
			"admin":             byAdmin + "REMOVE_GROUP_MEMBER GROUP_EMAIL=team@initech.com USER_EMAIL=ann@initech.com",
			"groups_enterprise": byAdmin + "remove_member group_id=team@initech.com member_id=ann@initech.com member_type=user namespace=PUBLIC",
		}},
		{"Cloud Identity", func() (control.Change, error) {
			return via(control.ViaCloudIdentity).AddMembers(ctx, "initech", team, ann)
		}, map[string]string{
			"groups_enterprise": byAdmin + "add_member group_id=team@initech.com member_id=ann@initech.com member_role=member member_type=user namespace=PUBLIC",
		}},
		{"dynamic", func() (control.Change, error) { return via("dynamic").RemoveMembers(ctx, "initech", team, ann) }, map[string]string{
			"groups_enterprise": "Google System: remove_member group_id=team@initech.com member_id=ann@initech.com member_type=user namespace=PUBLIC",
		}},
		{"members uploaded", func() (control.Change, error) {
			return via(control.ViaBulkUpload).AddMembers(ctx, "initech", team, ann)
		}, map[string]string{
			"admin": byAdmin + "GROUP_MEMBER_BULK_UPLOAD GROUP_MEMBER_BULK_UPLOAD_TOTAL_NUMBER=1 GROUP_MEMBER_BULK_UPLOAD_FAILED_NUMBER=0",
		}},
		{"expiry", func() (control.Change, error) { return via("expiry").RemoveMembers(ctx, "initech", team, ann) }, nil},
		{"an external group", func() (control.Change, error) {
			return c.control.AddMember(ctx, "initech", team, control.NewMember{Member: "all@hooli.com", Kind: directory.GroupMember})
		}, map[string]string{
			"admin":             byAdmin + "ADD_GROUP_MEMBER GROUP_EMAIL=team@initech.com USER_EMAIL=all@hooli.com",
			"groups_enterprise": byAdmin + "add_member group_id=team@initech.com member_id=all@hooli.com member_role=member member_type=group namespace=PUBLIC",
		}},
		{"everyone", func() (control.Change, error) {
			return c.control.AddMember(ctx, "initech", team, control.NewMember{Member: control.WholeCustomer})
		}, map[string]string{
			"admin":             byAdmin + "ADD_GROUP_MEMBER GROUP_EMAIL=team@initech.com USER_EMAIL=" + c.tenant.DirectoryID,
			"groups_enterprise": byAdmin + "add_member group_id=team@initech.com member_id=" + c.tenant.DirectoryID + " member_role=member member_type=other namespace=PUBLIC",
		}},
	})
}

func TestActivitiesOfTheGroupsUI(t *testing.T) {
	t.Parallel()
	c, fake := fakeInitech(t, simulator.Config{})
	ctx := t.Context()
	ann, bob, team := c.person("ann"), c.person("bob"), c.team("team")
	must(c.control.AddMembers(ctx, "initech", team, ann, bob))(t)
	via := c.control.Via
	c.perform(fake, []deed{
		{"an owner in the Groups UI", func() (control.Change, error) {
			return via(control.ViaGroupsUI).RemoveMembers(ctx, "initech", team, ann)
		}, map[string]string{
			"groups_enterprise": byAdmin + "remove_member group_id=team@initech.com member_id=ann@initech.com member_type=user namespace=PUBLIC",
			"groups":            byAdmin + "remove_user group_email=team@initech.com user_email=ann@initech.com",
		}},
		{"join", func() (control.Change, error) { return via("groups-ui-join").AddMembers(ctx, "initech", team, ann) }, map[string]string{
			"groups_enterprise": "ann@initech.com: join group_id=team@initech.com namespace=PUBLIC",
			"groups":            "ann@initech.com: join group_email=team@initech.com",
		}},
		{"leave", func() (control.Change, error) { return via("groups-ui-leave").RemoveMembers(ctx, "initech", team, ann) }, map[string]string{
			"groups_enterprise": "ann@initech.com: remove_member group_id=team@initech.com member_id=ann@initech.com member_type=user namespace=PUBLIC",
			"groups":            "ann@initech.com: unsubscribe_via_mail group_email=team@initech.com",
		}},
		{"accept", func() (control.Change, error) { return via("groups-ui-accept").AddMembers(ctx, "initech", team, ann) }, map[string]string{
			"groups_enterprise": "ann@initech.com: accept_invitation group_id=team@initech.com namespace=PUBLIC",
			"groups":            "ann@initech.com: accept_invitation group_email=team@initech.com",
		}},
		{"ban", func() (control.Change, error) { return via("groups-ui-ban").RemoveMembers(ctx, "initech", team, ann) }, map[string]string{
			"groups_enterprise": byAdmin + "ban_member_with_moderation group_id=team@initech.com member_id=ann@initech.com member_type=user namespace=PUBLIC",
			"groups":            byAdmin + "ban_user_with_moderation group_email=team@initech.com user_email=ann@initech.com",
		}},
		{"approve", func() (control.Change, error) { return via("groups-ui-approve").AddMembers(ctx, "initech", team, ann) }, map[string]string{
			"groups_enterprise": byAdmin + "approve_join_request group_id=team@initech.com member_id=ann@initech.com member_type=user namespace=PUBLIC",
			"groups":            byAdmin + "approve_join_request group_email=team@initech.com user_email=ann@initech.com",
		}},
	})
}

func TestActivitiesOfGroups(t *testing.T) {
	t.Parallel()
	c, fake := fakeInitech(t, simulator.Config{})
	ctx := t.Context()
	team := c.team("team")
	c.perform(fake, []deed{
		{
			"a group's alias", func() (control.Change, error) {
				return c.control.AddGroupAlias(ctx, "initech", team, "gang@initech.com")
			},
			map[string]string{"groups_enterprise": byAdmin + "add_info_setting group_id=team@initech.com info_setting=email_alias namespace=PUBLIC"},
		},
		{"make a group", func() (control.Change, error) {
			return c.control.AddGroup(ctx, "initech", control.NewGroup{Address: "new@initech.com"})
		}, map[string]string{
			"admin":             byAdmin + "CREATE_GROUP GROUP_EMAIL=new@initech.com",
			"groups_enterprise": byAdmin + "create_group group_id=new@initech.com namespace=PUBLIC",
		}},
		{"rename a group", func() (control.Change, error) {
			return c.control.RenameGroup(ctx, "initech", team, control.Rename{Address: "crew@initech.com"})
		}, map[string]string{
			"admin":             byAdmin + "CHANGE_GROUP_EMAIL GROUP_EMAIL=team@initech.com NEW_VALUE=crew@initech.com",
			"groups_enterprise": byAdmin + "change_info_setting group_id=crew@initech.com info_setting=email namespace=PUBLIC",
		}},
		{"delete a group", func() (control.Change, error) { return c.control.RemoveGroup(ctx, "initech", team) }, map[string]string{
			"admin":             byAdmin + "DELETE_GROUP GROUP_EMAIL=crew@initech.com",
			"groups_enterprise": byAdmin + "delete_group group_id=crew@initech.com namespace=PUBLIC",
		}},
	})
}
