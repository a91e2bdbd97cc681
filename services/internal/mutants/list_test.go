package main

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"testing"
)

const root = "../../.."

// A fault that cannot be made any more finds nothing: whoever changes the code changes the list.
func TestEveryFaultCanBeMade(t *testing.T) {
	t.Parallel()
	for _, m := range mutants {
		source, err := os.ReadFile(filepath.Join(root, m.File))
		if err != nil {
			t.Errorf("%s, %s: %v", m.Clause, m.Name, err)
			continue
		}
		broken, err := m.apply(string(source))
		if err != nil {
			t.Errorf("%s, %s: %v", m.Clause, m.Name, err)
			continue
		}
		if _, err := parser.ParseFile(token.NewFileSet(), m.File, broken, 0); err != nil || broken == string(source) {
			t.Errorf("%s, %s: is no fault: %v", m.Clause, m.Name, err)
		}
		if found, err := filepath.Glob(filepath.Join(root, m.Tests, "*_test.go")); err != nil || len(found) == 0 {
			t.Errorf("%s, %s: there are no tests in %s: %v", m.Clause, m.Name, m.Tests, err)
		}
	}
}
