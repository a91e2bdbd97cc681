package apply

import (
	"slices"
	"sync"

	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// nest is a group with all that is nested in it, as the ledger has it.
type nest struct {
	licensing.Nest[int64]
	whole []int64          // groups of it that hold the whole customer
	refs  map[int64]string // the provider's ids
}

// path returns the way to somebody who is a direct member of the given groups, as numbers; nil for no member.
func (n nest) path(direct []int64) []int64 {
	if len(n.whole) > 0 {
		direct = slices.Concat(direct, n.whole)
	}
	return n.Nearest(direct)
}

// named returns a path as the provider's ids.
func (n nest) named(path []int64) []string {
	var refs []string
	for _, id := range path {
		refs = append(refs, n.refs[id])
	}
	return refs
}

// any reports whether one of the groups with these ids is a part of the nest.
func (n nest) any(refs []string) bool {
	for _, ref := range n.refs {
		if slices.Contains(refs, ref) {
			return true
		}
	}
	return false
}

// nestCache remembers nests from one transaction to the next, so that a change of a single member costs the same however
// many groups are nested. A tenant's version tells whether they still hold.
type nestCache struct {
	mu      sync.Mutex
	tenants map[int64]tenantNests
}

type tenantNests struct {
	version int64
	nests   map[int64]nest // by root
}

func newNestCache() *nestCache { return &nestCache{tenants: map[int64]tenantNests{}} }

func (c *nestCache) get(t ledger.Tenant, root int64) (nest, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.tenants[t.ID]
	if known.version != t.NestVersion {
		return nest{}, false
	}
	n, found := known.nests[root]
	return n, found
}

// put takes a nest that was read at the version that the tenant had when the transaction began: what a transaction that is
// not committed yet has changed must not stay here.
func (c *nestCache) put(t ledger.Tenant, root int64, n nest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.tenants[t.ID]
	if known.version != t.NestVersion || known.nests == nil {
		known = tenantNests{version: t.NestVersion, nests: map[int64]nest{}}
	}
	known.nests[root] = n
	c.tenants[t.ID] = known
}

// nestOf returns the nest of the group with a provider's id; the zero nest for "", and for a group nobody has heard of.
func (s *session) nestOf(ref string) (nest, error) {
	if ref == "" {
		return nest{}, nil
	}
	root, found := s.roots[ref]
	if !found {
		var err error
		if root, found, err = s.tx.GroupNumber(s.tenant.ID, ref); !found || err != nil {
			return nest{}, err
		}
		if s.roots == nil {
			s.roots = map[string]int64{}
		}
		s.roots[ref] = root
	}
	if n, known := s.nests[root]; known {
		return n, nil
	}
	moved := s.tenant.NestVersion != s.nestVersion
	n, known := nest{}, false
	if !moved {
		n, known = s.cache.get(s.tenant, root)
	}
	if !known {
		var err error
		if n, err = s.readNest(root); err != nil {
			return nest{}, err
		}
		if !moved {
			s.cache.put(s.tenant, root, n)
		}
	}
	if s.nests == nil {
		s.nests = map[int64]nest{}
	}
	s.nests[root] = n
	return n, nil
}

func (s *session) readNest(root int64) (n nest, err error) {
	n.refs = map[int64]string{}
	if n.Nest, err = licensing.NestOf(root, s.tx.Inside); err != nil {
		return nest{}, err
	}
	for _, group := range n.Groups() {
		if n.refs[group], err = s.tx.GroupRef(group); err != nil {
			return nest{}, err
		}
		whole, err := s.tx.HoldsCustomer(group)
		if err != nil {
			return nest{}, err
		}
		if whole {
			n.whole = append(n.whole, group)
		}
	}
	return n, nil
}

// nestsMoved notes that which groups are nested, or which hold the whole customer, is not what it was.
func (s *session) nestsMoved() {
	s.tenant.NestVersion++
	s.nests = nil
}

// inhabited reports whether anybody is in the nest.
func (s *session) inhabited(n nest) (bool, error) {
	if len(n.whole) > 0 {
		return true, nil
	}
	for _, group := range n.Groups() {
		some, err := s.tx.DirectMembers(group, 1)
		if err != nil || len(some) > 0 {
			return len(some) > 0, err
		}
	}
	return false, nil
}

// watched are the groups that some product has a use for: those at its address, the one in force and the one that may
// come to be, each with all that is nested in it. Sync keeps their members true, and nobody else's.
func (s *session) watched() (map[int64]string, error) {
	all := map[int64]string{}
	for _, p := range s.products {
		roots, err := s.tx.GroupsAt(s.tenant.ID, p.Address)
		if err != nil {
			return nil, err
		}
		roots = append(roots, p.State.Policy.Group)
		if p.State.Change != nil {
			roots = append(roots, p.State.Change.Group)
		}
		for _, root := range roots {
			n, err := s.nestOf(root)
			if err != nil {
				return nil, err
			}
			for _, group := range n.Groups() {
				all[group] = n.refs[group]
			}
		}
	}
	return all, nil
}

// rewatching runs what may change which groups are watched, and then forgets the members of those that are not any more:
// sync stops reading them, so from here on nobody would notice that they are wrong.
func (s *session) rewatching(do func() error) error {
	before, err := s.watched()
	if err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	after, err := s.watched()
	if err != nil {
		return err
	}
	for group, ref := range before {
		if _, still := after[group]; still {
			continue
		}
		if err := s.tx.ForgetMembers(s.tenant.ID, ref, s.tenant.Seen); err != nil {
			return err
		}
		s.nestsMoved()
	}
	return nil
}
