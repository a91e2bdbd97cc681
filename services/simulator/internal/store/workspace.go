package store

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// Admin is an administrator of a Workspace customer whom the app may impersonate.
type Admin struct {
	Address    string   `json:"address"`
	Privileges []string `json:"privileges,omitempty"` // nil for a super admin
}

// Outsider is someone, or a group, of another customer or of none, who is a member of groups here.
type Outsider struct {
	ID      string               `json:"id"`
	Address string               `json:"address"`
	Kind    directory.MemberKind `json:"kind"` // user or group
}

// Via says how a change was made. Other words than these are taken as well.
type Via string

// The ways. The empty one is the Admin console.
const (
	ViaConsole       Via = ""
	ViaAPI           Via = "api"            // Admin SDK Directory API
	ViaCloudIdentity Via = "cloud-identity" // Cloud Identity API or Cloud console
	ViaGroupsUI      Via = "groups-ui"      // a group's owner at groups.google.com
	ViaBulkUpload    Via = "bulk-upload"    // a file uploaded in the Admin console
	ViaGoogle        Via = "google"         // Google itself, e.g. a suspension for abuse
)

// userLife is how long a deleted user of Workspace can be brought back.
// Source: developers.google.com/workspace/admin/directory/v1/guides/manage-users.
const userLife = 20 * 24 * time.Hour

func (t Tenant) provider() directory.Provider {
	if t.Provider == "" {
		return directory.Entra
	}
	return t.Provider
}

// Workspace reports whether the tenant is a Google Workspace customer.
func (t Tenant) Workspace() bool { return t.Provider == directory.GoogleWorkspace }

func (s *state) workspace() bool { return s.info.Workspace() }

// AddOutsiders makes known who may become a member without being of the directory; those that are known are left alone.
func (s *Store) AddOutsiders(tenant string, outsiders []*Outsider) error {
	_, err := s.mutate(tenant, func(st *state) (*record, error) {
		if !st.workspace() {
			return nil, fmt.Errorf("members from elsewhere: %w", ErrInvalid)
		}
		var fresh []*Outsider
		for _, o := range outsiders {
			switch {
			case st.outsiderAt[o.Address] == o.ID:
				continue
			case o.ID == "" || directory.Domain(o.Address) == "":
				return nil, fmt.Errorf("outsider: id and address are needed: %w", ErrInvalid)
			case st.users[o.ID] != nil || st.groups[o.ID] != nil || st.outsiders[o.ID] != nil || st.outsiderAt[o.Address] != "":
				return nil, fmt.Errorf("outsider %s: %w", o.ID, ErrExists)
			}
			fresh = append(fresh, o)
		}
		if len(fresh) == 0 {
			return nil, nil
		}
		return &record{Op: opOutsiders, Outsiders: fresh}, nil
	})
	return err
}

func (s *state) putOutsider(o *Outsider) {
	s.outsiders[o.ID] = o
	s.outsiderAt[o.Address] = o.ID
}

// SetRole changes a member's role; empty means MEMBER.
func (s *Store) SetRole(tenant, group, member, role string) (Result, error) {
	return s.mutate(tenant, func(st *state) (*record, error) {
		if g := st.groups[group]; g == nil || !st.workspace() || !st.members[group].has(member) {
			return nil, fmt.Errorf("member %s of group %s: %w", member, group, ErrNotFound)
		}
		if st.roles[group][member] == role {
			return nil, nil
		}
		return &record{Op: opRole, Group: group, IDs: []string{member}, Role: role}, nil
	})
}

func (s *state) setRole(group, member, role string) {
	if role == "" {
		delete(s.roles[group], member)
		return
	}
	if s.roles[group] == nil {
		s.roles[group] = map[string]string{}
	}
	s.roles[group][member] = role
}

func (s *state) giveRole(at time.Time, group, member, role string) {
	before := roleName(s.roles[group][member])
	s.setRole(group, member, role)
	c := s.aboutMember(MemberChanged, group, member, false)
	c.Before = before
	s.tell(at, c)
}

func roleName(role string) string {
	if role == "" {
		return "MEMBER"
	}
	return role
}

// date sets when a user was suspended and archived, which Workspace tells.
func (s *state) date(old, u *User, now time.Time) {
	if !s.workspace() {
		return
	}
	switch {
	case !u.Disabled:
		u.SuspendedAt, u.Suspension = time.Time{}, ""
	case !old.Disabled:
		u.SuspendedAt = now
		if u.Suspension == "" {
			u.Suspension = "ADMIN"
		}
	}
	switch {
	case !u.Archived:
		u.ArchivedAt = time.Time{}
	case !old.Archived:
		u.ArchivedAt = now
	}
}

// forgotten reports whether a deleted user can no longer be brought back.
func (s *state) forgotten(u *User, now time.Time) bool {
	return s.workspace() && !u.Live() && now.Sub(u.Deleted) > userLife
}

// cycle reports whether the group would hold itself, which Workspace refuses.
func (s *state) cycle(g *Group, child string) bool {
	if g.Kind != directory.WorkspaceGroup {
		return false
	}
	seen := map[string]bool{child: true}
	for queue := []string{child}; len(queue) > 0; queue = queue[1:] {
		if queue[0] == g.ID {
			return true
		}
		for _, id := range s.members[queue[0]].after(0) {
			if s.groups[id] != nil && !seen[id] {
				seen[id] = true
				queue = append(queue, id)
			}
		}
	}
	return false
}

// WorkspaceUserID writes 8 bytes as the id of a Workspace user: 21 digits that begin with 1.
func WorkspaceUserID(b [8]byte) string { return fmt.Sprintf("1%020d", binary.BigEndian.Uint64(b[:])) }

// WorkspaceGroupID writes 14 bytes as the id of a Workspace group: 0 and 14 of [a-z0-9].
func WorkspaceGroupID(b [14]byte) string { return "0" + base36(b[:]) }

// CustomerID writes 8 bytes as the id of a Workspace customer: C and 8 of [a-z0-9].
func CustomerID(b [8]byte) string { return "C" + base36(b[:]) }

// IsCustomerID tells the directory id of a Workspace customer from Entra's GUIDs, which have no capitals.
func IsCustomerID(id string) bool { return strings.HasPrefix(id, "C") }

func base36(raw []byte) string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	var out strings.Builder
	for _, b := range raw {
		out.WriteByte(letters[int(b)%len(letters)])
	}
	return out.String()
}
