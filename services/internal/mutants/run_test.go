package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// house is a module with one rule and one test of it.
var house = map[string]string{
	"go.mod": "module example.com/house\n\ngo 1.26\n",
	"seats/seats.go": `package seats

// Free reports whether a seat is.
func Free(used, purchased int) bool {
	if used < 0 {
		used = 0
	}
	return used < purchased
}
`,
	"seats/seats_test.go": `package seats

import "testing"

func TestFree(t *testing.T) {
	if !Free(1, 2) || Free(2, 2) {
		t.Error("a seat is free until all are used")
	}
}
`,
	"none/none.go": "package none\n",
	"broken/broken_test.go": `package broken

import "testing"

func TestNothing(t *testing.T) { t.Error("it fails anyway") }
`,
	"empty/empty_test.go": "package empty\n",
}

func build(t *testing.T) (root string) {
	t.Helper()
	root = t.TempDir()
	for name, text := range house {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func fault(name, old, next string) mutant {
	return mutant{"seats", name, "seats/seats.go", old, next, "seats"}
}

func in(m mutant, tests string) mutant { m.Tests = tests; return m }

func TestRun(t *testing.T) {
	t.Parallel()
	root := build(t)
	found := fault("one too many", "used < purchased", "used <= purchased")
	missed := fault("less than none", "used < 0", "used < -9")
	for name, c := range map[string]struct {
		flags []string
		all   []mutant
		code  int
		says  []string
	}{
		"only what is found":    {[]string{"-run", "too many in seats"}, []mutant{found, missed}, 0, []string{"TestFree", "1 faults, 1 found by a test, 0 not"}},
		"what is not, as well":  {nil, []mutant{found, missed}, 1, []string{"SURVIVED", "seats: less than none", "2 faults, 1 found by a test, 1 not"}},
		"none":                  {[]string{"-run", "elsewhere"}, []mutant{found}, 1, []string{`no fault matches "elsewhere"`}},
		"neither of the two":    {[]string{"-run", "(little|much) in"}, []mutant{found, missed}, 1, []string{"no fault matches"}},
		"what is no pattern":    {[]string{"-run", "("}, []mutant{found}, 2, []string{"missing closing"}},
		"without its test":      {[]string{"-skip", "Free"}, []mutant{found}, 1, []string{"seats has no tests"}},
		"only looked at":        {[]string{"-check"}, []mutant{found, missed}, 0, []string{"2 faults can be made"}},
		"a flag that is none":   {[]string{"-all"}, []mutant{found}, 2, nil},
		"a text that is gone":   {nil, []mutant{fault("", "used > purchased", "")}, 1, []string{"holds 0 times, not once"}},
		"a text that is twice":  {nil, []mutant{fault("", "used <", "used >")}, 1, []string{"holds 2 times, not once"}},
		"what does not compile": {nil, []mutant{fault("", "return used", "return unused")}, 1, []string{"undefined: unused"}},
		"what is no Go":         {nil, []mutant{fault("", "return used", "return return")}, 1, []string{"expected operand"}},
		"what changes nothing":  {nil, []mutant{fault("", "used < 0", "used < 0")}, 1, []string{"changes nothing"}},
		"a test that is broken": {nil, []mutant{{"", "", "seats/seats_test.go", "!Free(1, 2)", "Free(1, 2)", "seats"}}, 1, []string{"is no source of a package"}},
		"no such file":          {nil, []mutant{{"", "", "seats/none.go", "a", "b", "seats"}}, 1, []string{"no such file"}},
		"tests that fail":       {nil, []mutant{in(found, "broken")}, 1, []string{"they fail while nothing is broken: TestNothing"}},
		"tests of nothing":      {nil, []mutant{in(found, "empty")}, 1, []string{"empty has no tests"}},
		"no tests":              {nil, []mutant{in(found, "none")}, 1, []string{"there are no tests in"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			if code := run(t.Context(), append(c.flags, "-root", root), c.all, &out, &out); code != c.code {
				t.Errorf("ends with %d", code)
			}
			for _, says := range c.says {
				if !strings.Contains(out.String(), says) {
					t.Errorf("does not say %q:\n%s", says, out.String())
				}
			}
		})
	}
}

// A fault may be in a file that is no Go, such as one that is embedded.
func TestFaultsOfEmbeddedFiles(t *testing.T) {
	t.Parallel()
	root := build(t)
	for path, text := range map[string]string{
		"store/defaults.sql":  "hold 1\n",
		"store/store.go":      "package store\n\nimport _ \"embed\"\n\n//go:embed defaults.sql\nvar defaults string\n",
		"store/store_test.go": "package store\n\nimport \"testing\"\n\nfunc TestHold(t *testing.T) {\n\tif defaults != \"hold 1\\n\" {\n\t\tt.Error(defaults)\n\t}\n}\n",
	} {
		if err := os.MkdirAll(filepath.Join(root, "store"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, path), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	m := mutant{"hold", "by default not", "store/defaults.sql", "hold 1", "hold 0", "store"}
	if code := run(t.Context(), []string{"-root", root}, []mutant{m}, &out, &out); code != 0 || !strings.Contains(out.String(), "TestHold") {
		t.Errorf("ends with %d:\n%s", code, out.String())
	}
}
