package architecture

import (
	"fmt"
	"go/ast"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	table      = regexp.MustCompile(`(?m)^CREATE TABLE (?:new_)?([a-z_]+)`) // one that is made as new_… is renamed
	natsUser   = regexp.MustCompile(`user: ([a-z-]+)`)
	natsBucket = regexp.MustCompile(`\$KV\.([a-z]+)\.`)
	streamName = regexp.MustCompile(`^[A-Z_]{4,}$`)
	firstCell  = regexp.MustCompile(`(?m)^\| ([^|]*) \|`)
	inCode     = regexp.MustCompile("`([^`]+)`")
)

// checkInventory: everything that keeps something and everybody who may do something has a row of docs/security.md.
func checkInventory(document string, kept map[string][]string) (faults []string) {
	rows := map[string]bool{}
	for _, cell := range firstCell.FindAllStringSubmatch(document, -1) {
		for _, name := range inCode.FindAllStringSubmatch(cell[1], -1) {
			rows[name[1]] = true
		}
	}
	for _, what := range slices.Sorted(maps.Keys(kept)) {
		if len(kept[what]) == 0 {
			faults = append(faults, fmt.Sprintf("there is no %s: where they are written down has moved, and this test with it", what))
		}
		for _, name := range slices.Compact(slices.Sorted(slices.Values(kept[what]))) {
			if !rows[name] {
				faults = append(faults, fmt.Sprintf("the %s %s has no row in docs/security.md", what, name))
			}
		}
	}
	return faults
}

// checkNamed: each test that a document names is there.
func checkNamed(all []source, document string) (faults []string) {
	tests := testsOf(all)
	found := named.FindAllStringSubmatch(strings.Join(strings.Fields(document), " "), -1)
	if len(found) == 0 {
		faults = append(faults, "it names no test")
	}
	for _, test := range found {
		if !tests[test[1]+" "+test[2]] {
			faults = append(faults, fmt.Sprintf("it names %s in %s, which is not there", test[2], test[1]))
		}
	}
	return faults
}

// busNames are the streams and the buckets that package bus lays out.
func busNames(all []source) (streams, buckets []string) {
	for _, s := range all {
		if s.Path != "pkg/bus/bus.go" {
			continue
		}
		ast.Inspect(s.File, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			switch value, ok := text(spec.Values[0]); {
			case ok && strings.HasPrefix(spec.Names[0].Name, "Bucket"):
				buckets = append(buckets, value)
			case ok && streamName.MatchString(value):
				streams = append(streams, value)
			}
			return true
		})
	}
	return streams, buckets
}

// matches are what the first group of a pattern finds in a text.
func matches(pattern *regexp.Regexp, text string) (all []string) {
	for _, match := range pattern.FindAllStringSubmatch(text, -1) {
		all = append(all, match[1])
	}
	return all
}

func TestSecurityDocument(t *testing.T) {
	t.Parallel()
	body, err := os.ReadFile(filepath.Join(root, "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	users, err := os.ReadFile(filepath.Join(root, "deploy", "nats", "users.conf"))
	if err != nil {
		t.Fatal(err)
	}
	all := must(t, sources)
	streams, buckets := busNames(all)
	var tables []string
	if err := walk("services/internal/ledger/migrations", ".sql", func(_ string, text []byte) error {
		tables = append(tables, matches(table, string(text))...)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	report(t, checkInventory(string(body), map[string][]string{
		"stream": streams, "bucket": slices.Concat(buckets, matches(natsBucket, string(users))), "table": tables, "user of NATS": matches(natsUser, string(users)),
	}))
	report(t, checkNamed(all, string(body)))
}

func TestSecurityDocumentComplains(t *testing.T) {
	t.Parallel()
	const document = "| where | what |\n|---|---|\n| `LICENSES`, `held` | events |\n| people | `users` |\n\n`tokens`\n"
	for name, want := range map[string]int{"LICENSES": 0, "held": 0, "users": 1, "tokens": 1, "gone": 1} {
		if faults := checkInventory(document, map[string][]string{"thing": {name}}); len(faults) != want {
			t.Errorf("%s: want %d faults, got %v", name, want, faults)
		}
	}
	if faults := checkInventory(document, map[string][]string{"thing": nil}); len(faults) != 1 {
		t.Errorf("nothing found is no fault: %v", faults)
	}
	streams, buckets := busNames([]source{parsed(t, "pkg/bus/bus.go", "package bus\nconst (\n\tA = \"STREAM_A\"\n\tBucketB = \"b\"\n\tc = \"word\"\n)")})
	if !slices.Equal(streams, []string{"STREAM_A"}) || !slices.Equal(buckets, []string{"b"}) {
		t.Errorf("streams %v, buckets %v", streams, buckets)
	}
	const sql = "CREATE TABLE one (\n);\nCREATE TABLE new_two (\n);\nALTER TABLE new_two RENAME TO two;\n"
	if tables := matches(table, sql); !slices.Equal(tables, []string{"one", "two"}) {
		t.Errorf("tables %v", tables)
	}
	all := []source{parsed(t, "services/a/a_test.go", "package a\nfunc TestHeld() {}")}
	for document, want := range map[string]int{
		"(`services/a TestHeld`)": 0, "(`services/a\n  TestHeld`)": 0, "(`services/a TestOther`)": 1, "we are careful": 1,
	} {
		if faults := checkNamed(all, document); len(faults) != want {
			t.Errorf("%q: want %d faults, got %v", document, want, faults)
		}
	}
}
