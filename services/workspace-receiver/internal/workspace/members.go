package workspace

import (
	"context"
	"fmt"

	"google.golang.org/api/googleapi"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/workspace-receiver/internal/workspace/wire"
)

// maxMembers is what Google sends on one page at most.
const maxMembers = 200

// Members implements receiver.Directory, with what nested groups hold left to themselves. Google sorts members by address.
func (d *Directory) Members(ctx context.Context, groupID, cursor string) (receiver.Page, error) {
	const doing = "read members of a group"
	if !validKey(groupID) {
		return receiver.Page{}, fmt.Errorf("%s: %w", doing, errKey)
	}
	body, err := d.client.send(ctx, doing, "/groups/{key}/members", func(ctx context.Context) error {
		call := d.client.directory.Members.List(groupID).MaxResults(maxMembers).Fields(googleapi.Field(wire.MembersFields))
		if cursor != "" {
			call = call.PageToken(cursor)
		}
		_, err := call.Context(ctx).Do()
		return err
	})
	if err != nil {
		return receiver.Page{}, foreignGroup(noGroup(err))
	}
	p, err := wire.Members(body, groupID)
	if err != nil {
		return receiver.Page{}, fmt.Errorf("%s: %w", doing, err)
	}
	d.strange.nameless("members", p.Nameless)
	return receiver.Page{Observations: p.Observations, SetAside: p.SetAside, Cursor: p.Next, More: p.Next != ""}, nil
}

// Member implements receiver.Directory. A member is an id or an address. Of one who is absent, or who is nobody, Google does
// not say what it is: its Kind is "".
func (d *Directory) Member(ctx context.Context, groupID, member string) (directory.Membership, error) {
	const doing = "read a member of a group"
	if !validKey(groupID) || !validKey(member) {
		return directory.Membership{}, fmt.Errorf("%s: %w", doing, errKey)
	}
	body, err := d.client.send(ctx, doing, "/groups/{key}/members/{key}", func(ctx context.Context) error {
		_, err := d.client.directory.Members.Get(groupID, member).Fields(googleapi.Field(wire.MemberFields)).Context(ctx).Do()
		return err
	})
	if missing(err, "memberKey") || binned(err) || nobody(err) && member != d.customer {
		if member == d.customer {
			return directory.Membership{GroupID: groupID, Kind: directory.CustomerMember}, nil
		}
		return directory.Membership{GroupID: groupID, ID: idOf(member)}, nil
	}
	if err != nil {
		return directory.Membership{}, noGroup(err)
	}
	m, err := wire.Member(body, groupID)
	if err == nil && !isAddress(member) && m.ID != member && m.Kind != directory.CustomerMember {
		err = errOther
	}
	if err != nil {
		return directory.Membership{}, fmt.Errorf("%s: %w", doing, err)
	}
	return m, nil
}
