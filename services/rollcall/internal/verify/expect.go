package verify

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// standing is what the directory says of a user.
type standing struct {
	active   bool // and of the directory's own
	licensed bool // by the group that counts now
	stands   bool // what was decided stands, whatever it is: the directory cannot say any more who is licensed
}

// expect says who should be licensed: every active user of the directory's own or, where a live group has the address,
// those of them who are in it or in a group inside it, which is all of them where the customer itself is a member. Suspended, archived and deleted
// users are not active; outsiders in a group are not users of the directory. A new group counts for nothing while it is
// empty: what is in force stays so, by the members that it has or, where it is deleted, those that it had.
func expect(ctx context.Context, cfg Config, dir Directory, inForce string) (map[string]standing, error) {
	users, err := dir.Users(ctx, cfg.Simulated)
	if err != nil {
		return nil, fmt.Errorf("read the simulated users: %w", err)
	}
	groups, err := dir.Groups(ctx, cfg.Simulated)
	if err != nil {
		return nil, fmt.Errorf("read the simulated groups: %w", err)
	}
	group, err := provisioning(cfg, groups)
	if err != nil {
		return nil, err
	}
	members, whole, err := belonging(ctx, cfg, dir, group)
	if err != nil {
		return nil, err
	}
	stands := false
	if group != "" && group != inForce && len(members) == 0 {
		group = inForce
		stands = inForce != "" && !slices.ContainsFunc(groups, func(g control.Group) bool { return g.ID == inForce && !g.Deleted })
		if !stands {
			if members, whole, err = belonging(ctx, cfg, dir, group); err != nil {
				return nil, err
			}
		}
	}
	expected := make(map[string]standing, len(users))
	for _, u := range users {
		active := u.Status == directory.Active && !u.Guest
		in := group == "" || whole || members[u.ID]
		expected[u.ID] = standing{active: active, licensed: active && in, stands: active && stands}
	}
	return expected, nil
}

// belonging finds who is in a group or in any group inside it, and whether one of them holds the whole customer.
func belonging(ctx context.Context, cfg Config, dir Directory, group string) (members map[string]bool, whole bool, err error) {
	members = map[string]bool{}
	if group == "" {
		return members, false, nil
	}
	seen := map[string]bool{group: true}
	for left := []string{group}; len(left) > 0; left = left[1:] {
		listed, err := dir.Members(ctx, cfg.Simulated, left[0])
		if err != nil {
			return nil, false, fmt.Errorf("read the members of a simulated group: %w", err)
		}
		for _, m := range listed {
			switch {
			case m.Kind != directory.GroupMember:
				members[m.ID] = true
				whole = whole || m.Kind == directory.CustomerMember
			case !seen[m.ID] && !m.External: // who is in a group of another directory cannot be known
				seen[m.ID] = true
				left = append(left, m.ID)
			}
		}
	}
	return members, whole, nil
}

// provisioning finds the live group at the address, "" for none.
func provisioning(cfg Config, groups []control.Group) (string, error) {
	var found []string
	for _, g := range groups {
		if !g.Deleted && (strings.EqualFold(g.Address, cfg.Group) || slices.ContainsFunc(g.Aliases, sameAs(cfg.Group))) {
			found = append(found, g.ID)
		}
	}
	switch len(found) {
	case 0:
		return "", nil
	case 1:
		return found[0], nil
	default:
		return "", fmt.Errorf("%d live groups have the address %s: nobody can say which one counts", len(found), cfg.Group)
	}
}

func sameAs(address string) func(string) bool {
	return func(s string) bool { return strings.EqualFold(s, address) }
}

var _ Directory = (*control.Client)(nil)
