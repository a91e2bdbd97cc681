package control

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

// Entry is one entry of the log of what changed in a directory. One mutation may make several, under rising versions and
// with one time; what was so between them nobody has seen.
type Entry struct {
	Version uint64    `json:"version"`
	At      time.Time `json:"at"` // when it took effect
	Kind    EntryKind `json:"kind"`
	ID      string    `json:"id"` // of the user, or of the group that is changed or whose links are
	// User or Group is the object after the change, nil when it was deleted for good. Members of Group is not told.
	User  *User  `json:"user,omitempty"`
	Group *Group `json:"group,omitempty"`
	// Member is who joined or left the group, or has another role in it now.
	Member *Member `json:"member,omitempty"`
}

// EntryKind says what an Entry is about.
type EntryKind string

// The kinds of entries. The links of an object that is deleted end, and come back when it is restored; a group that is
// deleted, softly or for good, says nothing of the links to its members.
const (
	UserEntry   EntryKind = "user"
	GroupEntry  EntryKind = "group"
	JoinedEntry EntryKind = "joined"
	LeftEntry   EntryKind = "left"
	RoleEntry   EntryKind = "role"
)

// Changes reads the entries of a tenant's log behind a version, oldest first and at most 1,000: ask again behind the last
// one until there are none. From version 0 it is all that ever happened, or an Error with code forgotten.
func (c *Client) Changes(ctx context.Context, tenant string, after uint64) ([]Entry, error) {
	var out []Entry
	err := c.do(ctx, http.MethodGet, path("tenants", tenant, "changes")+"?after="+strconv.FormatUint(after, 10), nil, &out)
	return out, err
}
