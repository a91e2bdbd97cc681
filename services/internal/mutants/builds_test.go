package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// builds are the broken builds that docs/broken-builds.md promises to be found: one way each in which a mirror goes wrong.
var builds = []string{
	"no stamp check", "a hint is acked before its mark is stored", "absence is taken as removal", "the token is advanced before the publish",
	"403 is taken as empty", "the outbox is relayed out of order", "tombstones are dropped",
	"a replica that lags is believed",
}

// row is a line of its table: a build, a fault that makes it, and a test that finds it.
var row = regexp.MustCompile("(?m)^\\| ([^|]+) \\| ([^|]+) \\| `(\\S+) (Test\\w+)` \\|$")

// TestBrokenBuildsAreAsWritten holds the document to the lists: which builds there are, how each is made, and by what it was found.
func TestBrokenBuildsAreAsWritten(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile(filepath.Join(root, "docs/broken-builds.md"))
	if err != nil {
		t.Fatal(err)
	}
	all := slices.Concat(ofRules, ofWorker, ofMirror, ofSync)
	made, listed := map[string]bool{}, map[string]bool{}
	for _, found := range row.FindAllStringSubmatch(string(document), -1) {
		build, fault, tests, name := found[1], found[2], found[3], found[4]
		if !slices.Contains(builds, build) {
			t.Errorf("%q is no build that was promised", build)
		}
		made[build], listed[fault] = true, true
		i := slices.IndexFunc(all, func(m mutant) bool { return m.Clause+": "+m.Name == fault })
		if i < 0 {
			t.Errorf("%q is no fault", fault)
			continue
		}
		if all[i].Tests != tests {
			t.Errorf("%q is found by the tests of %s, not of %s", fault, all[i].Tests, tests)
		}
		if !hasTest(t, tests, name) {
			t.Errorf("%s has no %s", tests, name)
		}
	}
	for _, build := range builds {
		if !made[build] {
			t.Errorf("no fault makes the build %q", build)
		}
	}
	for _, m := range ofSync {
		if fault := m.Clause + ": " + m.Name; !listed[fault] {
			t.Errorf("the document does not say by what %q was found", fault)
		}
	}
}

func hasTest(t *testing.T, folder, name string) bool {
	t.Helper()
	files, err := testFiles(filepath.Join(root, folder))
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(files, func(file string) bool {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(string(text), "\nfunc "+name+"(")
	})
}
