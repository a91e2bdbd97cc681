package graph

import (
	"context"
	"errors"
	"fmt"

	"github.com/rollcall-hq/rollcall/services/graph-receiver/internal/graph/wire"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

// Changes implements receiver.Directory with Graph's delta queries.
//
// A cursor of users or groups is the whole link that Graph gave, followed as it stands. Without "Prefer: return=minimal"
// Graph sends changed objects whole; one that still lacks what decides is set aside, to be read singly. What is deleted
// is observed as Deleted, on any feed: whether a watched group has really vanished is for the engine to prove.
func (d *Directory) Changes(ctx context.Context, feed receiver.Feed, cursor string) (receiver.Page, error) {
	switch feed.Kind {
	case receiver.UsersFeed:
		return d.delta(ctx, request{
			doing: "read changes of users", route: "/users/delta", begin: "/users/delta" + query("$select", wire.UserProperties), cursor: cursor,
		}, wire.Users)
	case receiver.GroupsFeed:
		return d.delta(ctx, request{
			doing: "read changes of groups", route: "/groups/delta", begin: "/groups/delta" + query("$select", wire.GroupProperties), cursor: cursor,
		}, wire.Groups)
	case receiver.MembersFeed:
		return d.memberChanges(ctx, feed.Groups, cursor)
	}
	return receiver.Page{}, fmt.Errorf("read changes: unknown feed %q", feed.Kind)
}

// request is one page to be read: behind its cursor, or from the beginning.
type request struct {
	doing  string // for errors
	route  string // for metrics
	begin  string // path and query, below the API's address
	cursor string
}

// delta reads one page of a delta query.
func (d *Directory) delta(ctx context.Context, r request, decode func([]byte) (wire.Page, error)) (receiver.Page, error) {
	p, err := d.page(ctx, r, decode)
	if err != nil {
		return receiver.Page{}, err
	}
	page := receiver.Page{Observations: p.Observations, Unclear: p.Unclear, SetAside: p.SetAside, Cursor: p.Next, More: p.Next != ""}
	if !page.More {
		page.Cursor = p.Delta
	}
	if page.Cursor == "" {
		return receiver.Page{}, fmt.Errorf("%s: the page has neither a next nor a delta link", r.doing)
	}
	return page, nil
}

// page reads one page of any collection and checks its links before anyone stores them.
func (d *Directory) page(ctx context.Context, r request, decode func([]byte) (wire.Page, error)) (wire.Page, error) {
	address := r.cursor
	switch {
	case r.cursor == "":
		address = d.client.base.String() + r.begin
	case !d.client.owns(r.cursor):
		// Kept from another address of the API. It is of no use, and reading again from the beginning heals it.
		return wire.Page{}, fmt.Errorf("%s: %w: %w", r.doing, errForeign, receiver.ErrCursorExpired)
	}
	body, err := d.client.get(ctx, r.route, address)
	if err != nil {
		return wire.Page{}, d.client.wrap(r.doing, expiry(err, r.cursor))
	}
	p, err := decode(body)
	if err != nil {
		return wire.Page{}, fmt.Errorf("%s: %w", r.doing, err)
	}
	for _, link := range []string{p.Next, p.Delta} {
		if link != "" && !d.client.owns(link) {
			return wire.Page{}, fmt.Errorf("%s: %w", r.doing, errForeign)
		}
	}
	if p.Nameless > 0 {
		d.logger.Warn("graph sent objects without an id", "route", r.route, "objects", p.Nameless)
	}
	return p, nil
}

// expiry marks an answer that says of a cursor that it is too old.
func expiry(err error, cursor string) error {
	var answer *ResponseError
	if cursor != "" && errors.As(err, &answer) && answer.expired() {
		answer.means = receiver.ErrCursorExpired
	}
	return err
}
