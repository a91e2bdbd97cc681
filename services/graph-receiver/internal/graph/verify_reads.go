package graph

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/graph-receiver/internal/graph/wire"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

// The permissions that Rollcall asks for.
const (
	readAllUsers  = "User.Read.All"
	readAllGroups = "Group.Read.All"
	readHidden    = "Member.Read.Hidden"
)

// grant is what an admin does about a permission that is missing.
func grant(right string) string {
	return "Add the application permission " + right + " under Entra admin center > App registrations > the application > API permissions > " +
		"Add a permission > Microsoft Graph > Application permissions, then consent again with Grant admin consent."
}

// notRead files why a read failed. What may pass by itself is not found out: it is no word on any right.
func (v *verification) notRead(check, what, right string, err error) {
	answer, ok := errors.AsType[*ResponseError](err)
	if ok && (answer.Status == http.StatusForbidden || answer.Status == http.StatusUnauthorized) {
		v.add(check, receiver.Failed, fmt.Sprintf("Graph refuses to show %s (%d %s).", what, answer.Status, answer.Code), grant(right))
		return
	}
	v.add(check, receiver.Unknown, fmt.Sprintf("Graph did not show %s: %v.", what, err),
		"Try again in a few minutes; an answer that stays is a case for Microsoft's support, with the request id.")
}

// readUsers reads one user. Where Graph shows no more of it than the basic profile, what says who may sign in is hidden.
func (v *verification) readUsers(ctx context.Context) bool {
	page, err := v.first(ctx, "/users", wire.UserProperties, wire.Users)
	switch {
	case err != nil:
		v.notRead(checkUsers, "users", readAllUsers, err)
	case len(page.SetAside) > 0:
		v.add(checkUsers, receiver.Failed, "Graph hides whether users may sign in.", grant(readAllUsers))
	default:
		v.passed(checkUsers, "Users can be read.")
		return true
	}
	return false
}

func (v *verification) readGroups(ctx context.Context) bool {
	if _, err := v.first(ctx, "/groups", wire.GroupProperties, wire.Groups); err != nil {
		v.notRead(checkGroups, "groups", readAllGroups, err)
		return false
	}
	v.passed(checkGroups, "Groups can be read.")
	return true
}

// first reads a list of one.
func (v *verification) first(ctx context.Context, route, properties string, read func([]byte) (wire.Page, error)) (wire.Page, error) {
	body, err := v.client.get(ctx, route, v.client.base.String()+route+query("$top", "1", "$select", properties))
	if err != nil {
		return wire.Page{}, v.client.wrap("read "+route[1:], err)
	}
	return read(body)
}

// readMembers reads the members of the provisioning groups. Without the right to see hidden ones such a group looks empty.
func (v *verification) readMembers(ctx context.Context, groups []directory.Group) {
	for _, g := range groups {
		if _, err := v.Members(ctx, g.ID, ""); err != nil && !errors.Is(err, errHidden) {
			v.notRead(checkMembers, "the members of "+g.Addresses[0], readAllGroups, err)
			return
		}
		hidden, err := v.hides(ctx, g.ID)
		switch {
		case err != nil:
			v.notRead(checkMembers, "the visibility of "+g.Addresses[0], readAllGroups, err)
			return
		case hidden && v.known && !slices.Contains(v.rights, readHidden):
			v.add(checkMembers, receiver.Failed, "The membership of "+g.Addresses[0]+" is hidden, so that the group looks empty.", grant(readHidden))
			return
		case hidden && !v.known:
			v.add(checkMembers, receiver.Unknown, "The membership of "+g.Addresses[0]+" is hidden, and the token does not tell whether it may be read.", grant(readHidden))
			return
		}
	}
	switch {
	case len(groups) > 0:
		v.passed(checkMembers, "The members of the provisioning groups can be read.")
	case v.has(readAllGroups, "GroupMember.Read.All", "Directory.Read.All"):
		v.passed(checkMembers, "Members may be read; there is no provisioning group to try it on.")
	default:
		v.unknown("there is no provisioning group to try it on", checkMembers)
	}
}

// push looks for our subscriptions. That Graph reaches us shows only when it has called.
func (v *verification) push(ctx context.Context) {
	list, err := v.ListChannels(ctx)
	var missing []string
	for _, resource := range v.Resources() {
		if !slices.ContainsFunc(list, func(c receiver.Channel) bool { return c.Resource == resource }) {
			missing = append(missing, resource)
		}
	}
	switch {
	case err != nil:
		v.notRead(checkPush, "its subscriptions", readAllUsers, err)
	case len(missing) == 0:
		v.passed(checkPush, "Graph has subscriptions to users and groups, and reached us when it made them.")
	case v.known && !v.has(readAllGroups, "Directory.Read.All"):
		v.add(checkPush, receiver.Unknown, "Whether Graph tells of changes in groups without "+readAllGroups+" is not documented; without it they come by polling.", grant(readAllGroups))
	default:
		v.add(checkPush, receiver.Unknown, "Graph has no subscription yet: rollcall serve makes them, if it has a public URL. Until then changes come by polling.", "")
	}
}
