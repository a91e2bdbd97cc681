package controlapi

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

// mostChanges is how many entries of the log one answer holds.
const mostChanges = 1000

// errForgotten says that the log does not go back as far as that.
var errForgotten = errors.New("the log has forgotten what came behind that version")

func (s *Server) changes(r *http.Request, t store.Tenant) (any, error) {
	after, err := strconv.ParseUint(r.URL.Query().Get("after"), 10, 64)
	if err != nil {
		return nil, invalid("after %q: want a version", r.URL.Query().Get("after"))
	}
	out := []control.Entry{}
	return &out, s.Store.View(t.DirectoryID, func(v store.View) error {
		if after < v.Oldest() {
			return fmt.Errorf("version %d: %w", after, errForgotten)
		}
		for _, c := range v.Changes(after, min(after+mostChanges, v.Version())) {
			out = append(out, showChange(v, c))
		}
		return nil
	})
}

func showChange(v store.View, c store.Change) control.Entry {
	e := control.Entry{Version: c.Version, At: c.At, ID: c.ID}
	switch c.Kind {
	case store.UserChanged, store.UserPurged:
		e.Kind = control.UserEntry
		if c.User != nil {
			u := showUser(c.User)
			e.User = &u
		}
	case store.GroupChanged, store.GroupPurged:
		e.Kind = control.GroupEntry
		if c.Group != nil {
			g := describe(c.Group)
			e.Group = &g
		}
	case store.MemberJoined, store.MemberLeft, store.MemberChanged:
		e.Kind = map[store.ChangeKind]control.EntryKind{
			store.MemberJoined: control.JoinedEntry, store.MemberLeft: control.LeftEntry, store.MemberChanged: control.RoleEntry,
		}[c.Kind]
		e.Member = showLink(v, c)
	}
	return e
}

func showLink(v store.View, c store.Change) *control.Member {
	m := control.Member{ID: c.Member, Kind: directory.UserMember, Direct: true, Address: c.MemberAddress, Role: c.Role}
	switch {
	case c.MemberGroup:
		m.Kind = directory.GroupMember
	case v.Tenant().Workspace() && c.Member == v.Tenant().DirectoryID:
		m.Kind = directory.CustomerMember
	}
	m.External = v.Outsider(c.Member) != nil
	return &m
}
