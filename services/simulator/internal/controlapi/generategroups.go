package controlapi

import (
	"encoding/binary"
	"fmt"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

// generateGroups makes groups of up to 40 of the users each. before is what adding the users told.
func (s *Server) generateGroups(as *store.Store, g *generator, users []*store.User, groups int, before store.Result) (store.Result, error) {
	t := g.tenant
	for range groups {
		local := teams[g.rng.IntN(len(teams))]
		group := g.group(g.free(local, t.Domains[0]))
		result, err := as.AddGroup(t.DirectoryID, group, false)
		if err != nil {
			return result, err
		}
		var ids []string
		for range min(len(users), 1+g.rng.IntN(40)) {
			if g.rng.Float64() >= g.external {
				ids = append(ids, users[g.rng.IntN(len(users))].ID)
				continue
			}
			id, err := s.admitted(t, control.NewMember{Member: g.stranger()})
			if err != nil {
				return result, err
			}
			ids = append(ids, id)
		}
		joined, err := as.Join(t.DirectoryID, group.ID, unique(ids))
		if err != nil {
			return joined, err
		}
		joined.Count += before.Count + result.Count
		before = joined
	}
	return before, nil
}

func (g *generator) group(address string) *store.Group {
	kind := kindOf(g.tenant.Provider)
	var raw [16]byte
	binary.LittleEndian.PutUint64(raw[:8], g.rng.Uint64())
	binary.LittleEndian.PutUint64(raw[8:], g.rng.Uint64())
	id := store.GUID(raw)
	if g.tenant.Workspace() {
		id = store.WorkspaceGroupID([14]byte(raw[:14]))
	}
	return &store.Group{ID: id, Name: address[:len(address)-len(g.tenant.Domains[0])-1], Mail: address, Proxies: []string{"SMTP:" + address}, Kind: kind.groups[0]}
}

// stranger is the address of someone of another company.
func (g *generator) stranger() string {
	given := givenNames[g.rng.IntN(len(givenNames))]
	return fmt.Sprintf("%s.%s@%s", given, surnames[g.rng.IntN(len(surnames))], partners[g.rng.IntN(len(partners))])
}

func unique(ids []string) []string {
	seen := map[string]bool{}
	var out []string
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out
}

var teams = []string{"sales", "legal", "finance", "design", "support", "platform", "research", "people", "security", "field"}
