package licensing

import (
	"cmp"
	"slices"
)

// Nest is every group that counts as a part of one group: itself, the groups in it, those in them, and so on. Each is
// reached by the shortest way; of several as short the one through the lower number is taken at each level, so that a
// path depends on nothing but the groups. A cycle ends where it comes back to a group that is reached already.
//
// The zero Nest is that of no group, in which nobody is.
type Nest[G cmp.Ordered] struct {
	root  G
	order []G // by depth, then number
	above map[G]link[G]
}

// link is how a group is reached.
type link[G cmp.Ordered] struct {
	parent G
	depth  int
}

// NestOf finds the nest of root. inside returns the groups that are direct members of a group; their order does not
// matter, and what it returns more than once counts once.
func NestOf[G cmp.Ordered](root G, inside func(G) ([]G, error)) (Nest[G], error) {
	n := Nest[G]{root: root, order: []G{root}, above: map[G]link[G]{root: {}}}
	for level := n.order; len(level) > 0; {
		from := len(n.order)
		for _, parent := range level {
			children, err := inside(parent)
			if err != nil {
				return Nest[G]{}, err
			}
			for _, child := range children {
				if _, reached := n.above[child]; !reached {
					n.above[child] = link[G]{parent: parent, depth: n.above[parent].depth + 1}
					n.order = append(n.order, child)
				}
			}
		}
		slices.Sort(n.order[from:])
		level = n.order[from:]
	}
	return n, nil
}

// Groups returns all groups of the nest, the root first, nearer ones before those further down.
func (n Nest[G]) Groups() []G { return n.order }

// Holds reports whether a group is a part of the nest.
func (n Nest[G]) Holds(g G) bool { _, holds := n.above[g]; return holds }

// Path returns the groups from the root down to g, both included; nil where g is no part of the nest.
func (n Nest[G]) Path(g G) []G {
	at, holds := n.above[g]
	if !holds {
		return nil
	}
	path := make([]G, at.depth+1)
	for i := at.depth; i > 0; i-- {
		path[i] = g
		g = n.above[g].parent
	}
	path[0] = n.root
	return path
}

// Nearest returns the path to the nearest of the groups that somebody is a direct member of, of several as near to the
// one with the lowest number; nil where none of them is a part of the nest.
func (n Nest[G]) Nearest(direct []G) []G {
	best, found := *new(G), false
	for _, g := range direct {
		at, holds := n.above[g]
		if !holds {
			continue
		}
		if order := cmp.Compare(at.depth, n.above[best].depth); !found || order < 0 || order == 0 && g < best {
			best, found = g, true
		}
	}
	if !found {
		return nil
	}
	return n.Path(best)
}

// Differ returns the groups that only one of two nests has, or that they reach by other ways, sorted: who is a direct
// member of none of them has the same path in both.
func (n Nest[G]) Differ(other Nest[G]) []G {
	var all []G
	for _, g := range n.order {
		if !slices.Equal(n.Path(g), other.Path(g)) {
			all = append(all, g)
		}
	}
	for _, g := range other.order {
		if !n.Holds(g) {
			all = append(all, g)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
