package workspace

import (
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/googleerror"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

// listMembers answers members.list: alphabetically by address, the whole customer, which has none, first.
func (s *Server) listMembers(c *call) error {
	size, err := s.pageSize(c, maxGroups, maxGroups, false)
	if err != nil {
		return err
	}
	from, err := s.pageToken(c)
	if err != nil {
		return err
	}
	roles, err := readRoles(c.query.Get("roles"))
	if err != nil {
		return err
	}
	derived := strings.EqualFold(c.query.Get("includeDerivedMembership"), "true")
	out, page := object{"kind": "admin#directory#members"}, []object{}
	err = s.view(c, func(v store.View) error {
		g, err := c.group(v, c.r.PathValue("groupKey"))
		if err != nil {
			return err
		}
		source := v.RosterAsOf(g.ID, s.shownUntil()).After(from.place())
		if derived {
			source = everyone(v, g.ID, from.place())
		}
		var last store.Member
		for m := range source {
			if roles != nil && !slices.Contains(roles, m.Role) {
				continue
			}
			if len(page) == size {
				out["nextPageToken"] = s.next(from.List, "", store.Place{Address: last.Address, ID: last.ID})
				break
			}
			page, last = append(page, memberObject(v, m)), m
		}
		return nil
	})
	if err != nil {
		return err
	}
	if c.items = len(page); c.items > 0 {
		out["members"] = page
	}
	return c.reply(listShape("members", memberShape()), tagged(out))
}

// shownUntil is when the memberships are from that reads show; zero for now.
func (s *Server) shownUntil() time.Time {
	if lag := s.Settings().MemberLag; lag > 0 {
		return s.Clock.Now().Add(-lag)
	}
	return time.Time{}
}

func readRoles(text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	var out []string
	for role := range strings.SplitSeq(text, ",") {
		role = strings.ToUpper(strings.TrimSpace(role))
		if !slices.Contains([]string{control.RoleOwner, control.RoleManager, control.RoleMember}, role) {
			return nil, googleerror.Invalid("Invalid Input: roles")
		}
		out = append(out, role)
	}
	return out, nil
}

// everyone yields the members of a group and of all groups within it, each once, behind a place. It costs as much as
// there are members.
func everyone(v store.View, group string, from store.Place) iter.Seq[store.Member] {
	found := map[string]store.Member{}
	for queue := []string{group}; len(queue) > 0; queue = queue[1:] {
		for m := range v.Roster(queue[0], store.Place{}) {
			if _, seen := found[m.ID]; seen {
				continue
			}
			if queue[0] != group {
				m.Role = control.RoleMember // what it is in the group within says nothing of this one
			}
			found[m.ID] = m
			if m.Kind == directory.GroupMember && !m.External {
				queue = append(queue, m.ID)
			}
		}
	}
	sorted := slices.SortedFunc(maps.Values(found), func(a, b store.Member) int {
		return strings.Compare(a.Address+"\x00"+a.ID, b.Address+"\x00"+b.ID)
	})
	return func(yield func(store.Member) bool) {
		for _, m := range sorted {
			if m.Address+"\x00"+m.ID > from.Address+"\x00"+from.ID && !yield(m) {
				return
			}
		}
	}
}

// getMember answers members.get, for direct members.
func (s *Server) getMember(c *call) error {
	var out object
	err := s.view(c, func(v store.View) error {
		g, err := c.group(v, c.r.PathValue("groupKey"))
		if err != nil {
			return err
		}
		id := member(v, c.r.PathValue("memberKey"))
		m, ok := v.RosterAsOf(g.ID, s.shownUntil()).Member(id)
		switch {
		case !ok && id != c.tenant().DirectoryID && v.User(id) == nil && v.Group(id) == nil && v.Outsider(id) == nil:
			return googleerror.Nobody()
		case !ok:
			return googleerror.NotFound("memberKey")
		}
		out = memberObject(v, m)
		out["delivery_settings"] = "ALL_MAIL"
		return nil
	})
	if err != nil {
		return err
	}
	c.items = 1
	return c.reply(memberShape(), out)
}

// hasMember answers members.hasMember, for users of the customer, direct or through nested groups.
func (s *Server) hasMember(c *call) error {
	found := false
	err := s.view(c, func(v store.View) error {
		g, err := c.group(v, c.r.PathValue("groupKey"))
		if err != nil {
			return err
		}
		u, err := c.user(v, c.r.PathValue("memberKey"))
		if err != nil {
			return googleerror.Invalid("Invalid Input: memberKey")
		}
		found = within(v, u.ID, g.ID) || within(v, c.tenant().DirectoryID, g.ID)
		return nil
	})
	if err != nil {
		return err
	}
	return c.reply(names("isMember"), object{"isMember": found})
}

// within walks from a member upwards, which is shorter than downwards.
func within(v store.View, member, group string) bool {
	seen := map[string]bool{}
	for queue := []string{member}; len(queue) > 0; queue = queue[1:] {
		for _, parent := range v.GroupsOf(queue[0]) {
			if parent == group {
				return true
			}
			if !seen[parent] {
				seen[parent] = true
				queue = append(queue, parent)
			}
		}
	}
	return false
}
