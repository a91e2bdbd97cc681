package licensing_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rollcall-hq/rollcall/pkg/licensing"
)

// graph says which groups are direct members of which.
type graph map[int][]int

func (g graph) inside(group int) ([]int, error) { return g[group], nil }

func nestOf(t interface{ Fatal(...any) }, g graph) licensing.Nest[int] {
	n, err := licensing.NestOf(1, g.inside)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestNest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		graph  graph
		groups []int
		paths  map[int][]int
	}{
		"alone":            {graph{}, []int{1}, map[int][]int{1: {1}, 2: nil}},
		"three levels":     {graph{1: {2}, 2: {3}, 3: {4}}, []int{1, 2, 3, 4}, map[int][]int{4: {1, 2, 3, 4}}},
		"cycle":            {graph{1: {2}, 2: {3}, 3: {1, 2}}, []int{1, 2, 3}, map[int][]int{1: {1}, 3: {1, 2, 3}}},
		"in itself":        {graph{1: {1}}, []int{1}, map[int][]int{1: {1}}},
		"diamond":          {graph{1: {3, 2}, 2: {4}, 3: {4}}, []int{1, 2, 3, 4}, map[int][]int{4: {1, 2, 4}}},
		"shorter":          {graph{1: {2, 5}, 2: {3}, 3: {4}, 5: {4}}, []int{1, 2, 5, 3, 4}, map[int][]int{4: {1, 5, 4}}},
		"named twice":      {graph{1: {2, 2}}, []int{1, 2}, map[int][]int{2: {1, 2}}},
		"not a part of it": {graph{2: {1}}, []int{1}, map[int][]int{2: nil}},
	} {
		n := nestOf(t, c.graph)
		if diff := cmp.Diff(c.groups, n.Groups()); diff != "" {
			t.Errorf("%s, groups (-want +got):\n%s", name, diff)
		}
		for group, path := range c.paths {
			if diff := cmp.Diff(path, n.Path(group)); diff != "" {
				t.Errorf("%s, path to %d (-want +got):\n%s", name, group, diff)
			}
		}
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	n := nestOf(t, graph{1: {2, 3}, 2: {4}, 3: {5}})
	for name, c := range map[string]struct{ direct, want []int }{
		"of nothing":              {nil, nil},
		"of groups elsewhere":     {[]int{6, 7}, nil},
		"in the root":             {[]int{5, 1}, []int{1}},
		"the nearer":              {[]int{4, 3}, []int{1, 3}},
		"as near, the lower":      {[]int{5, 4}, []int{1, 2, 4}},
		"whatever else there is":  {[]int{9, 5}, []int{1, 3, 5}},
		"a number below the root": {[]int{0}, nil},
	} {
		if diff := cmp.Diff(c.want, n.Nearest(c.direct)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	var none licensing.Nest[int]
	if none.Nearest([]int{0, 1}) != nil || none.Holds(0) || len(none.Groups()) != 0 {
		t.Error("somebody is in the nest of no group")
	}
}

func TestNestThatCannotBeRead(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	_, err := licensing.NestOf(1, func(g int) ([]int, error) {
		if g == 2 {
			return nil, broken
		}
		return []int{2}, nil
	})
	if !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

// distance is how far down a group is, found by trying every way.
func (g graph) distance(from, to int, seen []int) int {
	if from == to {
		return 0
	}
	best := -1
	for _, child := range g[from] {
		if slices.Contains(seen, child) {
			continue
		}
		if d := g.distance(child, to, append(slices.Clone(seen), child)); d >= 0 && (best < 0 || d+1 < best) {
			best = d + 1
		}
	}
	return best
}

func drawGraph(t *rapid.T, label string) graph {
	g := graph{}
	for range rapid.IntRange(0, 12).Draw(t, label) {
		parent := rapid.IntRange(1, 6).Draw(t, "parent")
		g[parent] = append(g[parent], rapid.IntRange(1, 6).Draw(t, "child"))
	}
	return g
}

// nearest is the nearest of some groups, of several as near the one with the lowest number; -1 where no way leads to any.
func (g graph) nearest(direct []int) int {
	best, far := -1, 0
	for _, group := range slices.Sorted(slices.Values(direct)) {
		if d := g.distance(1, group, []int{1}); d >= 0 && (best < 0 || d < far) {
			best, far = group, d
		}
	}
	return best
}

// reversed is the same graph, told in another order.
func (g graph) reversed() graph {
	other := graph{}
	for parent, children := range g {
		other[parent] = slices.Clone(children)
		slices.Reverse(other[parent])
	}
	return other
}

// In any graph: a group is in the nest if some way leads to it, its path is one of the shortest of them, in whatever order
// the groups are told, and who is a direct member of none of the groups that differ has the same path in two nests.
func TestNestsOfAnyGraph(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		g := drawGraph(t, "edges")
		n := nestOf(t, g)
		for group := range 7 {
			path, far := n.Path(group), g.distance(1, group, []int{1})
			if n.Holds(group) != (far >= 0) || len(path) != far+1 {
				t.Fatalf("%v: path %v to %d, which is %d away", g, path, group, far)
			}
			for i := 1; i < len(path); i++ {
				if !slices.Contains(g[path[i-1]], path[i]) {
					t.Fatalf("%v: path %v leads where nothing leads", g, path)
				}
				for lower := range path[i-1] { // is there none as near with a lower number?
					if slices.Contains(g[lower], path[i]) && g.distance(1, lower, []int{1}) == i-1 {
						t.Fatalf("%v: path %v, and %d is as near", g, path, lower)
					}
				}
			}
		}
		if same := nestOf(t, g.reversed()); len(n.Differ(same)) > 0 || !slices.Equal(n.Groups(), same.Groups()) {
			t.Fatalf("%v: in another order, %v is another nest than %v", g, same, n)
		}
		other := nestOf(t, drawGraph(t, "edges of another"))
		differ := n.Differ(other)
		if !slices.Equal(differ, other.Differ(n)) {
			t.Fatalf("differ by %v, and by %v", differ, other.Differ(n))
		}
		direct := rapid.SliceOfN(rapid.IntRange(0, 7), 0, 3).Draw(t, "direct")
		if near := n.Nearest(direct); !slices.Equal(near, n.Path(g.nearest(direct))) {
			t.Fatalf("%v: to a member of %v leads %v, the nearest is %d", g, direct, near, g.nearest(direct))
		}
		if !slices.ContainsFunc(direct, func(g int) bool { return slices.Contains(differ, g) }) &&
			!slices.Equal(n.Nearest(direct), other.Nearest(direct)) {
			t.Fatalf("paths %v and %v to a member of %v, none of %v", n.Nearest(direct), other.Nearest(direct), direct, differ)
		}
	})
}
