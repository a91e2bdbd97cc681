package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/rollcall-hq/rollcall/services/graph-receiver/internal/graph/wire"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

// groupsPerQuery is how many ids a delta query's $filter may name.
const groupsPerQuery = 50

// memberCursor is the cursor of a members feed: one delta query for each fifty groups, read one after the other.
type memberCursor struct {
	At      int           `json:"at"` // the query that is next
	Queries []memberQuery `json:"queries"`
}

type memberQuery struct {
	Groups []string `json:"groups"`         // that the link was made for
	Link   string   `json:"link,omitempty"` // where it goes on; "" at its beginning
}

// memberChanges reads one page of the members feed. A cursor goes on telling of the groups that it was made for: it serves
// a feed that has lost some of them, and is expired for one that has gained any. No groups need no request.
func (d *Directory) memberChanges(ctx context.Context, groups []string, raw string) (receiver.Page, error) {
	const doing = "read changes of members"
	if len(groups) == 0 {
		return receiver.Page{Cursor: raw}, nil
	}
	cursor, err := openMemberCursor(raw, groups)
	if err != nil {
		return receiver.Page{}, fmt.Errorf("%s: %w", doing, err)
	}
	now := &cursor.Queries[cursor.At]
	begin, err := membersQuery(now.Groups)
	if err != nil {
		return receiver.Page{}, fmt.Errorf("%s: %w", doing, err)
	}
	page, err := d.delta(ctx, request{doing: doing, route: "/groups/delta", begin: begin, cursor: now.Link}, wire.MemberChanges)
	if err != nil {
		return receiver.Page{}, err
	}
	now.Link = page.Cursor
	if !page.More {
		cursor.At = (cursor.At + 1) % len(cursor.Queries)
		page.More = cursor.At != 0
	}
	page.Cursor = cursor.String()
	return page, nil
}

// membersQuery selects members alone, so that Graph tells of nothing else.
func membersQuery(groups []string) (string, error) {
	terms := make([]string, len(groups))
	for i, id := range groups {
		if !wire.ValidID(id) {
			return "", fmt.Errorf("group %q: %w", id, errID)
		}
		terms[i] = "id eq " + quote(id)
	}
	return "/groups/delta" + query("$select", "id,members", "$filter", strings.Join(terms, " or ")), nil
}

func openMemberCursor(raw string, groups []string) (memberCursor, error) {
	if raw == "" {
		return newMemberCursor(groups), nil
	}
	var c memberCursor
	if json.Unmarshal([]byte(raw), &c) != nil || c.At < 0 || c.At >= len(c.Queries) {
		return memberCursor{}, fmt.Errorf("the cursor is none of a members feed: %w", receiver.ErrCursorExpired)
	}
	for _, id := range groups {
		if !slices.ContainsFunc(c.Queries, func(q memberQuery) bool { return slices.Contains(q.Groups, id) }) {
			return memberCursor{}, fmt.Errorf("the cursor is of other groups: %w", receiver.ErrCursorExpired)
		}
	}
	return c, nil
}

func newMemberCursor(groups []string) memberCursor {
	groups = slices.Clone(groups)
	slices.Sort(groups)
	var c memberCursor
	for some := range slices.Chunk(slices.Compact(groups), groupsPerQuery) {
		c.Queries = append(c.Queries, memberQuery{Groups: some})
	}
	return c
}

func (c memberCursor) String() string {
	raw, err := json.Marshal(c)
	if err != nil {
		panic(err) // strings and a number
	}
	return string(raw)
}
