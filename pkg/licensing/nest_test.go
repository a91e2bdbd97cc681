package licensing_test

import (
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/rollcall-hq/rollcall/pkg/licensing"
)

type graph map[int][]int

func (g graph) nest(tb testing.TB, root int) licensing.Nest[int] {
	tb.Helper()
	n, err := licensing.NestOf(root, func(at int) ([]int, error) { return g[at], nil })
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

func TestNestReachesByTheShortestWay(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		graph graph
		of    int
		want  []int
	}{
		"itself":                 {graph{}, 1, []int{1}},
		"three levels down":      {graph{1: {2}, 2: {3}, 3: {4}}, 4, []int{1, 2, 3, 4}},
		"not inside":             {graph{1: {2}, 3: {4}}, 4, nil},
		"not upwards":            {graph{2: {1}}, 2, nil},
		"a cycle":                {graph{1: {2}, 2: {3}, 3: {1, 2}}, 3, []int{1, 2, 3}},
		"itself inside":          {graph{1: {1, 2}, 2: {2}}, 2, []int{1, 2}},
		"a diamond, lower first": {graph{1: {3, 2}, 2: {4}, 3: {4}}, 4, []int{1, 2, 4}},
		"a short cut":            {graph{1: {2, 4}, 2: {3}, 3: {4}}, 4, []int{1, 4}},
		"named twice":            {graph{1: {2, 2}}, 2, []int{1, 2}},
	} {
		n := c.graph.nest(t, 1)
		if got := n.Path(c.of); !slices.Equal(got, c.want) {
			t.Errorf("%s: path %v, want %v", name, got, c.want)
		}
		if n.Holds(c.of) != (c.want != nil) {
			t.Errorf("%s: holds %v", name, n.Holds(c.of))
		}
	}
}

func TestNearestOfSeveralGroups(t *testing.T) {
	t.Parallel()
	n := graph{1: {2, 3}, 2: {5}, 3: {4}}.nest(t, 1)
	for name, c := range map[string]struct{ direct, want []int }{
		"none":                  {nil, nil},
		"none that counts":      {[]int{9}, nil},
		"the root":              {[]int{4, 1}, []int{1}},
		"the nearer one":        {[]int{4, 2}, []int{1, 2}},
		"as near: lower number": {[]int{5, 4}, []int{1, 3, 4}},
		"whatever the order":    {[]int{4, 5}, []int{1, 3, 4}},
	} {
		if got := n.Nearest(c.direct); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	if got := (licensing.Nest[int]{}).Nearest([]int{0, 1}); got != nil {
		t.Errorf("somebody is in no group: %v", got)
	}
}

func TestNestPassesErrorsOn(t *testing.T) {
	t.Parallel()
	fault := errors.New("no")
	if _, err := licensing.NestOf(1, func(int) ([]int, error) { return nil, fault }); !errors.Is(err, fault) {
		t.Error(err)
	}
}

// ways are all paths from the root without a repetition.
func (g graph) ways(path []int, found map[int][]int) {
	at := path[len(path)-1]
	if known, has := found[at]; !has || len(path) < len(known) || len(path) == len(known) && slices.Compare(path, known) < 0 {
		found[at] = slices.Clone(path)
	} else {
		return // what lies behind is reached as well by the other way
	}
	for _, next := range g[at] {
		if !slices.Contains(path, next) {
			g.ways(append(path, next), found)
		}
	}
}

func randomGraph(t *rapid.T) graph {
	g := graph{}
	for range rapid.IntRange(0, 20).Draw(t, "edges") {
		from := rapid.IntRange(0, 7).Draw(t, "from")
		g[from] = append(g[from], rapid.IntRange(0, 7).Draw(t, "to"))
	}
	return g
}

// Each group that can be reached is, by a shortest way; the groups in which two nests differ are those whose path differs.
func TestNestFindsAllAndDiffers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := randomGraph(t), randomGraph(t)
		na, nb := nestOf(t, a), nestOf(t, b)
		found := map[int][]int{}
		a.ways([]int{0}, found)
		if len(found) != len(na.Groups()) {
			t.Fatalf("reached %v, want %v", na.Groups(), found)
		}
		for g, way := range found {
			path := na.Path(g)
			if len(path) != len(way) {
				t.Fatalf("path %v to %d, a shortest is %v", path, g, way)
			}
			for i := range path[1:] {
				if !slices.Contains(a[path[i]], path[i+1]) {
					t.Fatalf("path %v goes where no group is", path)
				}
			}
		}
		for g := range 8 {
			if differs := slices.Contains(na.Differ(nb), g); differs == slices.Equal(na.Path(g), nb.Path(g)) {
				t.Fatalf("%d differs %v: %v and %v", g, differs, na.Path(g), nb.Path(g))
			}
		}
	})
}

func nestOf(t *rapid.T, g graph) licensing.Nest[int] {
	n, err := licensing.NestOf(0, func(at int) ([]int, error) { return g[at], nil })
	if err != nil {
		t.Fatal(err)
	}
	return n
}
