package architecture

import (
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var metric = regexp.MustCompile(`rollcall_[a-z0-9_]+[a-z0-9]`)

// checkMetrics: whoever watches Rollcall finds every metric in the documents, and no metric there that is not exported.
func checkMetrics(all []source, document string) (faults []string) {
	exported := map[string]string{}
	for _, s := range all {
		if !s.test() {
			for _, name := range metricsIn(s.File) {
				exported[name] = s.Path
			}
		}
	}
	documented := map[string]bool{}
	for _, name := range metric.FindAllString(document, -1) {
		documented[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(exported)) {
		if !documented[name] {
			faults = append(faults, fmt.Sprintf("%s exports %s, which docs/operations.md does not explain", exported[name], name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(documented)) {
		if exported[name] == "" {
			faults = append(faults, fmt.Sprintf("docs/operations.md explains %s, which nothing exports", name))
		}
	}
	return faults
}

// metricsIn finds the names of metrics that a file writes down: whole ones, and the ends of those that it makes with a
// prefix, "rollcall_worker_" + name, in functions that take the end and a help text.
func metricsIn(file *ast.File) (names []string) {
	var prefixes, ends []string
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			if name, ok := text(n); ok && metric.FindString(name) == name && name != "" {
				names = append(names, name)
			}
		case *ast.BinaryExpr:
			if prefix, ok := text(n.X); ok && n.Op == token.ADD && strings.HasPrefix(prefix, "rollcall_") && strings.HasSuffix(prefix, "_") {
				prefixes = append(prefixes, prefix)
			}
		case *ast.CallExpr:
			if _, local := n.Fun.(*ast.Ident); local && len(n.Args) >= 2 {
				end, first := text(n.Args[0])
				_, second := text(n.Args[1])
				if first && second {
					ends = append(ends, end)
				}
			}
		}
		return true
	})
	slices.Sort(prefixes)
	for _, prefix := range slices.Compact(prefixes) {
		for _, end := range ends {
			names = append(names, prefix+end)
		}
	}
	return names
}

// text is the value of a string literal.
func text(n ast.Node) (string, bool) {
	literal, ok := n.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return "", false
	}
	value, err := strconv.Unquote(literal.Value)
	return value, err == nil
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile(filepath.Join(root, "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	report(t, checkMetrics(must(t, sources), string(document)))
}

func TestMetricsComplain(t *testing.T) {
	t.Parallel()
	exports := []source{parsed(t, "a.go", "package a\nconst name = \"rollcall_things_total\"")}
	if faults := checkMetrics(exports, "`rollcall_things_total`"); len(faults) != 0 {
		t.Errorf("a documented metric is refused: %v", faults)
	}
	if faults := checkMetrics(exports, "`rollcall_stuff_total`"); len(faults) != 2 {
		t.Errorf("want one metric too few and one too many, got %v", faults)
	}
	made := []source{parsed(t, "a.go", "package a\nvar f = func(n, h string) { g(\"rollcall_x_\" + n) }\nfunc init() { f(\"things_total\", \"Things.\") }")}
	if faults := checkMetrics(made, "`rollcall_x_things_total`"); len(faults) != 0 {
		t.Errorf("a metric with a prefix is not found: %v", faults)
	}
}
