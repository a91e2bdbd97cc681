package architecture

import (
	"fmt"
	"go/ast"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"testing"
)

// rule is a row of the table of what must never happen: its number, the rule, and the tests that hold it.
var rule = regexp.MustCompile(`(?m)^\| (\d+) \| ([^|]+) \| ([^|]+) \|$`)

var named = regexp.MustCompile("`([a-z][a-z/-]+) (Test[A-Za-z0-9]+)`")

// checkRules: every rule names the tests that fail when it is broken, and each of them is there. Folders are below the
// repository's root.
func checkRules(all []source, document string, rules int) (faults []string) {
	tests := testsOf(all)
	found := rule.FindAllStringSubmatch(document, -1)
	if len(found) != rules {
		faults = append(faults, fmt.Sprintf("docs/architecture.md lists %d rules, want %d", len(found), rules))
	}
	for _, row := range found {
		holders := named.FindAllStringSubmatch(row[3], -1)
		if len(holders) == 0 {
			faults = append(faults, fmt.Sprintf("rule %s names no test", row[1]))
		}
		for _, h := range holders {
			if !tests[h[1]+" "+h[2]] {
				faults = append(faults, fmt.Sprintf("rule %s names %s in %s, which is not there", row[1], h[2], h[1]))
			}
		}
	}
	return faults
}

// testsOf are the functions of test files, each with its folder.
func testsOf(all []source) map[string]bool {
	tests := map[string]bool{}
	for _, s := range all {
		for _, d := range s.File.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && s.test() {
				tests[path.Dir(s.Path)+" "+f.Name.Name] = true
			}
		}
	}
	return tests
}

func TestRules(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile(filepath.Join(root, "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	report(t, checkRules(must(t, sources), string(document), 7))
}

func TestRulesComplain(t *testing.T) {
	t.Parallel()
	all := []source{parsed(t, "services/a/a_test.go", "package a\nfunc TestHeld() {}")}
	for document, want := range map[string]int{
		"| 1 | never | `services/a TestHeld` |":  0,
		"| 1 | never | `services/a TestOther` |": 1,
		"| 1 | never | `services/b TestHeld` |":  1,
		"| 1 | never | we are careful |":         1,
		"nothing":                                1,
	} {
		if faults := checkRules(all, document, 1); len(faults) != want {
			t.Errorf("%q: want %d faults, got %v", document, want, faults)
		}
	}
}
