package workspace

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/workspace-receiver/internal/workspace/wire"
)

// said is one row of Google's tables: an event with all its parameters, and what it makes stale.
type said struct {
	application, name string
	parameters        map[string]string
	refs              []receiver.Ref
	anew, deleted     bool
}

func (s said) body() string {
	var list []map[string]string
	for name, value := range s.parameters {
		list = append(list, map[string]string{"name": name, "value": value})
	}
	event, err := json.Marshal(map[string]any{"type": "T", "name": s.name, "parameters": list})
	if err != nil {
		panic(err) // strings
	}
	return fmt.Sprintf(`{"id":{"time":"2026-11-23T07:50:00.000Z","uniqueQualifier":"%d","applicationName":%q,"customerId":"C03az79cb"},
		"actor":{"email":"Owner@initech.com","profileId":"100000000000000000007"},"events":[%s]}`, len(s.name)*1000+len(event), s.application, event)
}

const (
	liz   = "liz@initech.com"
	lisa  = "lisa@initech.com"
	group = "seats@initech.com"
	moved = "licensed@initech.com"
	actor = "100000000000000000007"
)

func refUser(keys ...string) (refs []receiver.Ref) {
	for _, key := range keys {
		refs = append(refs, receiver.Ref{Kind: receiver.RefUser, User: key})
	}
	return refs
}

func refGroup(keys ...string) (refs []receiver.Ref) {
	for _, key := range keys {
		refs = append(refs, receiver.Ref{Kind: receiver.RefGroup, Group: key})
	}
	return refs
}

func refMember(group, member string) []receiver.Ref {
	return []receiver.Ref{{Kind: receiver.RefMembership, Group: group, Member: member}}
}

func refMembers(group string) []receiver.Ref {
	return []receiver.Ref{{Kind: receiver.RefMembers, Group: group}}
}

// saidByAdmin are the group and user settings of the application "admin".
func saidByAdmin() (rows []said) {
	say := func(parameters map[string]string, refs []receiver.Ref, names ...string) {
		for _, name := range names {
			rows = append(rows, said{application: "admin", name: name, parameters: parameters, refs: refs})
		}
	}
	say(map[string]string{"GROUP_EMAIL": group}, refGroup(group), "CREATE_GROUP", "DELETE_GROUP")
	say(map[string]string{"GROUP_EMAIL": group}, nil, "CHANGE_GROUP_DESCRIPTION")
	say(map[string]string{"GROUP_EMAIL": group, "NEW_VALUE": moved}, refGroup(group, moved), "CHANGE_GROUP_EMAIL")
	say(map[string]string{"GROUP_EMAIL": group, "NEW_VALUE": "Seats"}, refGroup(group), "CHANGE_GROUP_NAME")
	say(map[string]string{"GROUP_EMAIL": group, "USER_EMAIL": "Liz@Initech.com"}, refMember(group, liz), "ADD_GROUP_MEMBER", "REMOVE_GROUP_MEMBER")
	change := map[string]string{"GROUP_EMAIL": group, "USER_EMAIL": liz, "OLD_VALUE": "MEMBER", "NEW_VALUE": "OWNER"}
	say(change, refMember(group, liz), "UPDATE_GROUP_MEMBER")
	say(change, nil, "UPDATE_GROUP_MEMBER_DELIVERY_SETTINGS", "UPDATE_GROUP_MEMBER_DELIVERY_SETTINGS_CAN_EMAIL_OVERRIDE")
	say(map[string]string{"GROUP_EMAIL": group, "SETTING_NAME": "x", "OLD_VALUE": "a", "NEW_VALUE": "b"}, nil, "CHANGE_GROUP_SETTING")
	say(map[string]string{"GROUP_MEMBER_BULK_UPLOAD_TOTAL_NUMBER": "9", "GROUP_MEMBER_BULK_UPLOAD_FAILED_NUMBER": "1"}, refMembers(""), "GROUP_MEMBER_BULK_UPLOAD")
	say(map[string]string{"WHITELISTED_GROUPS": group}, nil, "WHITELISTED_GROUPS_UPDATED")
	say(nil, nil, "GROUP_LIST_DOWNLOAD", "GROUP_MEMBERS_DOWNLOAD")

	user := map[string]string{"USER_EMAIL": liz}
	say(user, refUser(liz), "CREATE_USER", "UNDELETE_USER", "SUSPEND_USER", "UNSUSPEND_USER", "ARCHIVE_USER", "UNARCHIVE_USER")
	say(user, nil, "GRANT_ADMIN_PRIVILEGE", "REVOKE_ADMIN_PRIVILEGE")
	say(map[string]string{"USER_EMAIL": liz, "NEW_VALUE": lisa}, refUser(lisa, liz), "RENAME_USER")
	say(map[string]string{"USER_EMAIL": liz, "ORG_UNIT_NAME": "/a", "NEW_VALUE": "/b"}, nil, "MOVE_USER_TO_ORG_UNIT")
	say(map[string]string{"USER_EMAIL": liz, "USER_NICKNAME": lisa}, refUser(liz), "ADD_NICKNAME", "REMOVE_NICKNAME")
	say(map[string]string{"USER_EMAIL": liz, "OLD_VALUE": "Liz", "NEW_VALUE": "Lisa"}, refUser(liz), "CHANGE_FIRST_NAME", "CHANGE_LAST_NAME", "CHANGE_DISPLAY_NAME")
	rows = append(rows, said{application: "admin", name: "DELETE_USER", parameters: user, deleted: true})
	bulk := map[string]string{"BULK_UPLOAD_TOTAL_USERS_NUMBER": "9", "BULK_UPLOAD_FAIL_USERS_NUMBER": "1"}
	for _, name := range []string{"BULK_UPLOAD", "USERS_BULK_UPLOAD", "UNMANAGED_USERS_BULK_UPLOAD"} {
		rows = append(rows, said{application: "admin", name: name, parameters: bulk, anew: true})
	}
	return rows
}

// saidByEnterprise are the events of the application "groups_enterprise".
func saidByEnterprise() (rows []said) {
	const id, member = "03x8tuzt3hqdv5v", "111220860655841818702"
	say := func(parameters map[string]string, refs []receiver.Ref, names ...string) {
		for _, name := range names {
			rows = append(rows, said{application: "groups_enterprise", name: name, parameters: parameters, refs: refs})
		}
	}
	whole := map[string]string{"group_id": id, "member_id": member, "member_role": "owner", "member_type": "user", "namespace": "n"}
	say(whole, refMember(id, member), "add_member", "add_member_role", "remove_member_role")
	byAddress := map[string]string{"group_id": group, "member_id": liz, "member_type": "user", "namespace": "n"}
	say(byAddress, refMember(group, liz), "remove_member", "approve_join_request", "ban_member_with_moderation", "unban_member")
	say(byAddress, nil, "invite_member", "reject_join_request", "revoke_invitation")
	alone := map[string]string{"group_id": group, "namespace": "n"}
	say(alone, refMember(group, actor), "join", "accept_invitation")
	say(alone, nil, "request_to_join", "reject_invitation")
	say(byAddress, refMember(group, liz), "add_membership_expiry", "update_membership_expiry", "remove_membership_expiry")
	say(alone, refMembers(group), "add_dynamic_group_query", "change_dynamic_group_query")
	say(alone, refGroup(group), "create_group", "delete_group", "add_info_setting", "change_info_setting", "remove_info_setting")
	say(alone, nil, "add_security_setting", "change_security_setting", "remove_security_setting", "change_security_setting_state",
		"create_namespace", "delete_namespace", "add_service_account_permission", "remove_service_account_permission")

	return rows
}

// saidInGroups are those of "groups", which is not read.
func saidInGroups() (rows []said) {
	say := func(parameters map[string]string, refs []receiver.Ref, names ...string) {
		for _, name := range names {
			rows = append(rows, said{application: "groups", name: name, parameters: parameters, refs: refs})
		}
	}
	ui := map[string]string{"group_email": group, "user_email": liz, "member_role": "member"}
	say(ui, refMember(group, liz), "add_user", "remove_user", "approve_join_request", "ban_user_with_moderation")
	say(ui, nil, "invite_user", "reinvite_user")
	say(map[string]string{"group_email": group}, refMember(group, actor), "join", "accept_invitation", "unsubscribe_via_mail")
	say(map[string]string{"group_email": group}, nil, "request_to_join", "change_acl_permission")
	say(map[string]string{"group_email": group}, refGroup(group), "create_group", "delete_group")
	return rows
}

// TestEveryEventOfTheTables reads each row as Google sends it, over HTTP.
func TestEveryEventOfTheTables(t *testing.T) {
	t.Parallel()
	for feed, rows := range map[receiver.FeedKind][]said{receiver.UsersFeed: saidByAdmin(), receiver.GroupsFeed: saidByEnterprise()} {
		f := newFake(t, nil)
		p := f.provider(t)
		for _, row := range rows {
			d, err := p.Connect(f.tenant())
			if err != nil {
				t.Fatal(err)
			}
			f.answers(pages(map[string]string{row.application: journalOf(row.body())}))
			page := change(t, d, receiver.Feed{Kind: feed}, cursor{Stage: resting, Since: began}.String())
			if diff := cmp.Diff(row.refs, page.Stale); diff != "" || page.Anew != row.anew || page.More != row.deleted {
				t.Errorf("%s: anew %v, more %v, -want +got\n%s", row.name, page.Anew, page.More, diff)
			}
		}
	}
	for _, row := range saidInGroups() {
		if got, _ := read(t, row.application, row.body()); !cmp.Equal(row.refs, got.refs) {
			t.Errorf("%s: %+v", row.name, got.refs)
		}
	}
}

// TestTheTableIsWhole: each row is known by name, and nothing else than the rows has an effect.
func TestTheTableIsWhole(t *testing.T) {
	t.Parallel()
	told := map[string]map[string]bool{}
	for _, row := range slices.Concat(saidByAdmin(), saidByEnterprise(), saidInGroups()) {
		if _, known := events[row.application][row.name]; !known {
			t.Errorf("%s %s is not in the table", row.application, row.name)
		}
		if told[row.application] == nil {
			told[row.application] = map[string]bool{}
		}
		told[row.application][row.name] = true
	}
	for application, names := range events {
		for name, does := range names {
			if does.of != nothing && !told[application][name] && application != groupsUI {
				t.Errorf("%s %s has an effect that no test knows", application, name)
			}
		}
	}
}

// read is what a page with these activities makes stale, and what is logged of it.
func read(t *testing.T, application string, bodies ...string) (*news, string) {
	t.Helper()
	list, _, err := wire.Activities([]byte(`{"kind":"k","items":[`+strings.Join(bodies, ",")+`]}`), application)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	n := newNews("C03az79cb", newStrange(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	for _, a := range list {
		n.add(a)
	}
	return n, log.String()
}

func TestEventsThatSayTooLittle(t *testing.T) {
	t.Parallel()
	nobody := `{"id":{"time":"2026-11-23T07:50:00Z","uniqueQualifier":"1","applicationName":"groups_enterprise"},"actor":{"callerType":"KEY"},"events":[{"name":"join","parameters":[{"name":"group_id","value":"seats@initech.com"}]}]}`
	byAddress := strings.Replace(nobody, `{"callerType":"KEY"}`, `{"email":"Liz@initech.com"}`, 1)
	for name, c := range map[string]struct {
		application, body string
		refs              []receiver.Ref
	}{
		"an actor without an id":       {"groups_enterprise", byAddress, refMember(group, liz)},
		"an actor without anything":    {"groups_enterprise", nobody, refMembers(group)},
		"a member without a group":     {"groups_enterprise", said{application: "groups_enterprise", name: "add_member", parameters: map[string]string{"member_id": liz}}.body(), refMembers("")},
		"a group without a member":     {"groups_enterprise", said{application: "groups_enterprise", name: "add_member", parameters: map[string]string{"group_id": group}}.body(), refMembers(group)},
		"a key that is none":           {"groups_enterprise", said{application: "groups_enterprise", name: "add_member", parameters: map[string]string{"group_id": group, "member_id": "a/b"}}.body(), refMembers(group)},
		"the whole customer":           {"groups_enterprise", said{application: "groups_enterprise", name: "add_member", parameters: map[string]string{"group_id": group, "member_id": "C03az79cb"}}.body(), refMembers(group)},
		"a user without an address":    {"admin", said{application: "admin", name: "SUSPEND_USER"}.body(), nil},
		"no events":                    {"admin", `{"id":{"time":"2026-11-23T07:50:00Z","uniqueQualifier":"1"}}`, nil},
		"events of a wrong kind":       {"admin", `{"id":"x","events":"none"}`, nil},
		"one odd event among others":   {"admin", `{"id":{"uniqueQualifier":5},"events":[7,{"name":3},{"name":"SUSPEND_USER","parameters":[9,{"name":"USER_EMAIL","value":"liz@initech.com","intValue":{}}]}]}`, refUser(liz)},
		"several values":               {"admin", `{"events":[{"name":"SUSPEND_USER","parameters":[{"name":"USER_EMAIL","multiValue":["liz@initech.com","lisa@initech.com"]}]}]}`, refUser(liz, lisa)},
		"the same twice on a page":     {"admin", said{application: "admin", name: "SUSPEND_USER", parameters: map[string]string{"USER_EMAIL": liz}}.body() + "," + said{application: "admin", name: "UNSUSPEND_USER", parameters: map[string]string{"USER_EMAIL": liz}}.body(), refUser(liz)},
		"an application that is odd":   {"admin", `{"id":{"applicationName":7},"events":[{"name":"SUSPEND_USER","parameters":[{"name":"USER_EMAIL","value":"liz@initech.com"}]}]}`, refUser(liz)},
		"no activity at all":           {"admin", `null`, nil},
		"an event of another table":    {"admin", said{application: "admin", name: "add_member", parameters: map[string]string{"group_id": group}}.body(), nil},
		"an event that Google has new": {"admin", said{application: "admin", name: "ENROL_USER_IN_SPACE", parameters: map[string]string{"USER_EMAIL": liz}}.body(), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, log := read(t, c.application, c.body)
			if diff := cmp.Diff(c.refs, got.refs); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			if strings.Contains(log, "initech.com") {
				t.Errorf("the log names somebody: %s", log)
			}
		})
	}
}

func TestUnknownEventsAreToldOnce(t *testing.T) {
	t.Parallel()
	unknown := said{application: "admin", name: "ENROL_USER_IN_SPACE", parameters: map[string]string{"USER_EMAIL": liz}}.body()
	_, log := read(t, "admin", unknown, unknown, said{application: "admin", name: "SUSPEND_USER"}.body(), said{application: "admin", name: "SUSPEND_USER"}.body())
	if strings.Count(log, "ENROL_USER_IN_SPACE") != 1 || strings.Count(log, "SUSPEND_USER") != 1 || !strings.Contains(log, "level=DEBUG") {
		t.Errorf("logged %s", log)
	}
}
