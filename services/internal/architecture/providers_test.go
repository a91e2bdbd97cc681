package architecture

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// provider is a name of a directory provider, or of what one alone has.
var provider = regexp.MustCompile(`(?i)microsoft|azure|msgraph|google|workspace|clientstate|x-goog|\bgraph|\bentra\b`)

// checkNeutral: what is the same for every provider names none, in code or in comments. Files are keyed by their path from
// the root. Tests, and packages that are there for tests, may play one.
func checkNeutral(files map[string]string) (faults []string) {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if strings.HasSuffix(name, "_test.go") || strings.HasSuffix(path.Dir(name), "test") {
			continue
		}
		for i, line := range strings.Split(files[name], "\n") {
			if found := provider.FindString(line); found != "" {
				faults = append(faults, fmt.Sprintf("%s:%d names a provider: %q", name, i+1, found))
			}
		}
	}
	return faults
}

// window is how many lines in a row two adapters may not share.
const window = 8

// checkCopies: two trees share no run of lines: what both need belongs to neither. Blank lines and imports do not count.
func checkCopies(one, other map[string]string) (faults []string) {
	seen := map[string]string{}
	for name, text := range one {
		for _, run := range runs(text) {
			seen[run] = name
		}
	}
	for _, name := range slices.Sorted(maps.Keys(other)) {
		copied := map[string]bool{}
		for _, run := range runs(other[name]) {
			if from := seen[run]; from != "" && !copied[from] {
				copied[from] = true // one complaint for each pair of files
				faults = append(faults, fmt.Sprintf("%s has %d lines of %s, from %q on", name, window, from, strings.SplitN(run, "\n", 2)[0]))
			}
		}
	}
	return faults
}

var imported = regexp.MustCompile(`(?ms)^import (\(.*?^\)|"[^\n]*)$`)

// runs are all runs of window lines of a file.
func runs(text string) (all []string) {
	var lines []string
	for line := range strings.Lines(imported.ReplaceAllString(text, "")) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	for i := 0; i+window <= len(lines); i++ {
		all = append(all, strings.Join(lines[i:i+window], "\n"))
	}
	return all
}

// production returns the text of the files below a folder that are no tests.
func production(t *testing.T, folder string) map[string]string {
	t.Helper()
	files := map[string]string{}
	if err := walk(folder, ".go", func(path string, text []byte) error {
		if !strings.HasSuffix(path, "_test.go") {
			files[path] = string(text)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("nothing below %s", folder)
	}
	return files
}

func TestReceiverNamesNoProvider(t *testing.T) {
	t.Parallel()
	report(t, checkNeutral(production(t, "services/internal/receiver")))
}

func TestAdaptersShareNoCopies(t *testing.T) {
	t.Parallel()
	report(t, checkCopies(production(t, "services/graph-receiver"), production(t, "services/workspace-receiver")))
}

func TestProviderRulesComplain(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"// Graph calls it slow.\npackage a":                   1,
		"package a // as Entra does":                           1,
		"const header = \"X-Goog-Channel-ID\"":                 1,
		"func f(p directory.GoogleWorkspace) {}\n// workspace": 2,
		"// the central paragraph of a telegraph":              0,
	} {
		if faults := checkNeutral(map[string]string{"a/b.go": text}); len(faults) != want {
			t.Errorf("%q: want %d faults, got %v", text, want, faults)
		}
		for _, tests := range []string{"a/b_test.go", "a/btest/b.go"} {
			if faults := checkNeutral(map[string]string{tests: text}); len(faults) != 0 {
				t.Errorf("%s is held to it: %v", tests, faults)
			}
		}
	}
	lines := func(n int) (text string) {
		for i := range n {
			text += fmt.Sprintf("\tcall(%d)\n\n", i)
		}
		return text
	}
	for n, want := range map[int]int{window - 1: 0, window: 1, 3 * window: 1} {
		one := map[string]string{"a.go": "package a\nimport (\n" + lines(window) + ")\n" + lines(n)}
		other := map[string]string{"b.go": "package b\nimport (\n" + lines(window) + ")\nfunc f() {\n" + lines(n) + "}"}
		if faults := checkCopies(one, other); len(faults) != want {
			t.Errorf("%d lines: want %d faults, got %v", n, want, faults)
		}
	}
}
