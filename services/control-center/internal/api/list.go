package api

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/api/openapi"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/paging"
	"github.com/rollcall-hq/rollcall/services/internal/answer"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/search"
)

// ListUsers lists users as somebody asks for them.
func (a *API) ListUsers(ctx context.Context, r openapi.ListUsersRequestObject) (openapi.ListUsersResponseObject, error) {
	q := r.Params
	list := paging.Of("listUsers", r.Tenant, q.Product, q.Search, string(q.Sort), string(q.Order), moment(q.AsOf))
	after, err := list.Read(q.Cursor, 1)
	if err != nil {
		return nil, err
	}
	node, err := search.Parse(q.Search)
	if err != nil {
		return nil, err
	}
	_, state, err := a.mirrored(ctx, r.Tenant)
	if err != nil {
		return nil, err
	}
	p, err := answer.Product(state, q.Product)
	if err != nil {
		return nil, err
	}
	query := ledger.UsersQuery{
		Tenant: r.Tenant, Product: p.ID, Search: node, Sort: ledger.UsersSort(q.Sort), Descending: q.Order == openapi.Descending, At: q.AsOf,
		Counted: q.Count,
	}
	page, err := a.deps.Ledger.Users(ctx, query, behind(after), paging.Limit(q.Limit))
	if err != nil {
		return nil, err
	}
	out := openapi.UserPage{UnknownGroups: page.Unknown, UnreadGroups: page.Unread}
	out.Items = mapped(page.Users, func(u ledger.UserRow) openapi.ListedUser { return listedUser(r.Tenant, p, u) })
	if page.Next != "" {
		out.NextCursor = list.Cursor(page.Next)
	}
	if q.Count {
		counted := userCount(page.Count)
		out.Count = &counted
	}
	return openapi.ListUsers200JSONResponse{Body: out}, nil
}

// moment writes a moment so that one is one.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(t.UnixMicro(), 10)
}

// behind is where a page of the ledger begins.
func behind(position []string) string { return strings.Join(position, "") }

func listedUser(tenantID string, p ledger.ProductState, u ledger.UserRow) openapi.ListedUser {
	out := openapi.ListedUser{
		ID: u.ID, Name: u.Name, Addresses: listed(u.Addresses), Status: openapi.UserStatus(u.Status), Guest: u.Guest,
		Licensed: u.Licensed, Since: u.Since, Reason: u.Reason, Path: pathOf(u.Path), Changed: u.Changed, Cause: u.Cause,
		Sequence: int64(u.Sequence), Activated: u.Activated, //nolint:gosec // a sequence stays far below 2^63
	}
	if u.Reason != "" {
		d := answer.Listed(tenantID, p, u)
		out.Why = d.Because()
	}
	return out
}

func pathOf(path []ledger.PathGroup) []openapi.Step {
	if path == nil {
		return nil
	}
	return mapped(path, func(g ledger.PathGroup) openapi.Step { return openapi.Step{ID: g.ID, Name: g.Name} })
}

// ListEntitlements lists who is, or was, licensed.
func (a *API) ListEntitlements(ctx context.Context, r openapi.ListEntitlementsRequestObject) (openapi.ListEntitlementsResponseObject, error) {
	list := paging.Of("listEntitlements", r.Tenant, r.Product, moment(r.Params.AsOf))
	after, err := list.Read(r.Params.Cursor, 1)
	if err != nil {
		return nil, err
	}
	p, err := a.readProduct(ctx, r.Tenant, r.Product)
	if err != nil {
		return nil, err
	}
	if _, _, err := a.mirrored(ctx, r.Tenant); err != nil {
		return nil, err
	}
	page, err := a.deps.Ledger.Users(ctx, ledger.UsersQuery{
		Tenant: r.Tenant, Product: p.ID, Search: search.Term{Field: search.Is, Value: string(search.Licensed)}, At: r.Params.AsOf,
	}, behind(after), paging.Limit(r.Params.Limit))
	if err != nil {
		return nil, err
	}
	out := openapi.EntitlementPage{Items: mapped(page.Users, func(u ledger.UserRow) openapi.Entitlement {
		return openapi.Entitlement{
			User: u.ID, Name: u.Name, Addresses: listed(u.Addresses), Status: openapi.UserStatus(u.Status), Licensed: u.Licensed,
			Since: u.Since, Reason: u.Reason, Path: pathOf(u.Path), Changed: u.Changed, Cause: u.Cause,
			Sequence: int64(u.Sequence), //nolint:gosec // as above
		}
	})}
	if page.Next != "" {
		out.NextCursor = list.Cursor(page.Next)
	}
	return openapi.ListEntitlements200JSONResponse{Body: out}, nil
}
