package graph

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/graph-receiver/internal/graph/wire"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

const adminGroups = "Microsoft 365 admin center > Teams & groups > Active teams & groups"

// provisioningGroups looks up the group of each product, and says what would hide one from Graph altogether. It returns
// those that it found.
func (v *verification) provisioningGroups(ctx context.Context, users bool) []directory.Group {
	var found []directory.Group
	var unseen []string // addresses that no group is seen to have
	for _, product := range v.tenant.Products {
		address := v.tenant.GroupAddress(product)
		groups, err := v.GroupsAt(ctx, address)
		switch {
		case err != nil:
			v.notRead(checkGroup, "which group has "+address, readAllGroups, err)
			unseen = append(unseen, address)
		case len(groups) == 1:
			v.passed(checkGroup, fmt.Sprintf("%s is a %s group: its members are licensed for %s.", address, groups[0].Kind, product.ID))
			found = append(found, groups[0])
		case len(groups) > 1:
			v.add(checkGroup, receiver.Failed, fmt.Sprintf("%d groups have %s, so none of them counts.", len(groups), address),
				"Take the address off all of them but one under "+adminGroups+" > the group > Settings or Aliases.")
		case v.heldByUser(ctx, users, address):
			v.add(checkGroup, receiver.Failed, "A user has "+address+", so that no group can have it.",
				"Take the address off the user under Microsoft 365 admin center > Users > Active users > the user > Manage username and email, then give it to a group.")
		default:
			v.passed(checkGroup, fmt.Sprintf("No group has %s: every active user is licensed for %s.", address, product.ID))
			unseen = append(unseen, address)
		}
	}
	v.unreadable(unseen)
	return found
}

// unreadable tells of what has an address and does not exist for Graph. Source: learn.microsoft.com/graph/api/resources/groups-overview:
// of Exchange's groups it knows distribution and mail-enabled security groups, and no dynamic distribution group.
func (v *verification) unreadable(addresses []string) {
	if len(addresses) == 0 {
		v.passed(checkDynamic, "The address of every provisioning group is taken by something that Graph shows, so no dynamic distribution group can have it.")
		return
	}
	v.add(checkDynamic, receiver.Blind,
		"An Exchange dynamic distribution group that has "+strings.Join(addresses, " or ")+" cannot be read through Graph with any right, and looks as if there were no group; "+
			"so do a mail contact, a public folder and whatever else only Exchange knows.",
		"If there is one, make it a Microsoft 365 group, a mail-enabled security group or a distribution group, under Exchange admin center > Recipients > Groups.")
}

// heldByUser reports whether a user is seen to have the address. Not being able to tell is no.
func (v *verification) heldByUser(ctx context.Context, users bool, address string) bool {
	if !users {
		return false
	}
	header := [2]string{"ConsistencyLevel", "eventual"}
	for _, filter := range addressFilters(address) {
		link := v.client.base.String() + "/users" + query("$filter", filter, "$count", "true", "$select", wire.UserProperties)
		body, err := v.client.get(ctx, "/users", link, header)
		if err != nil {
			continue
		}
		page, err := wire.Users(body)
		if err != nil {
			continue
		}
		for _, o := range page.Observations {
			if slices.Contains(o.User.Addresses, address) {
				return true
			}
		}
	}
	return false
}
