package api

import (
	"context"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/api/openapi"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/paging"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// ListGroups lists the groups of a tenant.
func (a *API) ListGroups(ctx context.Context, r openapi.ListGroupsRequestObject) (openapi.ListGroupsResponseObject, error) {
	list := paging.Of("listGroups", r.Tenant, r.Params.Search)
	after, err := list.Read(r.Params.Cursor, 1)
	if err != nil {
		return nil, err
	}
	if _, _, err := a.read(ctx, r.Tenant); err != nil {
		return nil, err
	}
	page, err := a.deps.Ledger.Groups(ctx, ledger.GroupsQuery{
		Tenant: r.Tenant, Search: r.Params.Search, After: behind(after), Limit: paging.Limit(r.Params.Limit),
	})
	if err != nil {
		return nil, err
	}
	out := openapi.GroupPage{Items: mapped(page.Groups, groupOf)}
	if page.Next != "" {
		out.NextCursor = list.Cursor(page.Next)
	}
	return openapi.ListGroups200JSONResponse{Body: out}, nil
}

func groupOf(g ledger.GroupRow) openapi.Group {
	return openapi.Group{
		ID: g.ID, Name: g.Name, Addresses: listed(g.Addresses), Kind: string(g.Kind), Provisions: listed(g.Provisions), Named: listed(g.Named),
		Kept: g.Kept, Direct: userCount(g.Direct), Groups: g.Groups, Effective: userCount(g.Effective), Whole: g.Whole,
	}
}

func userCount(n ledger.UsersCount) openapi.UserCount {
	return openapi.UserCount{Users: n.Users, More: n.More}
}

// GetGroup tells of one, with what is inside it.
func (a *API) GetGroup(ctx context.Context, r openapi.GetGroupRequestObject) (openapi.GetGroupResponseObject, error) {
	if _, _, err := a.read(ctx, r.Tenant); err != nil {
		return nil, err
	}
	root, more, err := a.deps.Ledger.GroupTree(ctx, r.Tenant, r.Group)
	if err != nil {
		return nil, err
	}
	g := groupOf(root.GroupRow)
	return openapi.GetGroup200JSONResponse{Body: openapi.GroupDetail{
		ID: g.ID, Name: g.Name, Addresses: g.Addresses, Kind: g.Kind, Provisions: g.Provisions, Named: g.Named, Kept: g.Kept,
		Direct: g.Direct, Groups: g.Groups, Effective: g.Effective, Whole: g.Whole,
		Inside: mapped(root.Inside, groupNode), Cut: more,
	}}, nil
}

func groupNode(n ledger.GroupNode) openapi.GroupNode {
	g := groupOf(n.GroupRow)
	return openapi.GroupNode{
		ID: g.ID, Name: g.Name, Addresses: g.Addresses, Kind: g.Kind, Provisions: g.Provisions, Named: g.Named, Kept: g.Kept,
		Direct: g.Direct, Groups: g.Groups, Effective: g.Effective, Whole: g.Whole,
		Inside: mapped(n.Inside, groupNode), Again: n.Again,
	}
}

// ListGroupMembers lists who is a member of a group.
func (a *API) ListGroupMembers(ctx context.Context, r openapi.ListGroupMembersRequestObject) (openapi.ListGroupMembersResponseObject, error) {
	list := paging.Of("listGroupMembers", r.Tenant, r.Group)
	after, err := list.Read(r.Params.Cursor, 1)
	if err != nil {
		return nil, err
	}
	if _, _, err := a.read(ctx, r.Tenant); err != nil {
		return nil, err
	}
	users, next, err := a.deps.Ledger.GroupMembers(ctx, r.Tenant, r.Group, behind(after), paging.Limit(r.Params.Limit))
	if err != nil {
		return nil, err
	}
	out := openapi.MemberPage{Items: mapped(users, func(u ledger.UserState) openapi.Member {
		return openapi.Member{ID: u.ID, Name: u.Name, Addresses: listed(u.Addresses), Status: openapi.UserStatus(u.Status), Guest: u.Guest}
	})}
	if next != "" {
		out.NextCursor = list.Cursor(next)
	}
	return openapi.ListGroupMembers200JSONResponse{Body: out}, nil
}
