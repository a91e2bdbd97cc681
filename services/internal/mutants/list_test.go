package main

import (
	"slices"
	"testing"
)

const root = "../../.."

// A fault that cannot be made any more finds nothing: whoever changes the code changes the list.
func TestEveryFaultCanBeMade(t *testing.T) {
	t.Parallel()
	if err := check(t.Context(), root, slices.Concat(ofRules, ofWorker, ofMirror, ofSync, ofHealth)); err != nil {
		t.Error(err)
	}
}

func TestEveryClauseHasAFault(t *testing.T) {
	t.Parallel()
	known, faults := map[string]bool{}, map[string]int{}
	for _, m := range slices.Concat(ofRules, ofWorker, ofMirror, ofSync, ofHealth) {
		faults[m.Clause]++
		if name := m.Clause + ": " + m.Name; known[name] {
			t.Errorf("%s is listed twice", name)
		} else {
			known[name] = true
		}
	}
	for _, c := range clauses {
		if faults[c.name] == 0 {
			t.Errorf("nothing breaks %q: %s", c.name, c.says)
		}
		delete(faults, c.name)
	}
	for name := range faults {
		t.Errorf("%q is no clause", name)
	}
}
