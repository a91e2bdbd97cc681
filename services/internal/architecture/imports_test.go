package architecture

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// edge is a rule about imports: an importer that From selects must not import what Forbids selects.
type edge struct {
	name    string
	why     string
	from    func(importer string) bool
	forbids func(importer, imported string) bool
	tests   bool // holds for tests too
}

const (
	graphSDK     = "github.com/microsoftgraph"
	graphAdapter = services + "/graph-receiver/internal/graph"
	googleSDK    = "google.golang.org/api"
	googleHome   = services + "/workspace-receiver/internal"
	simulator    = services + "/simulator"
	rollcall     = services + "/rollcall"
	verifier     = "verify" // the package of the demo's verifier is named so, wherever it lies in rollcall
)

var edges = []edge{
	{
		name: "dependencies point one way", why: "services → pkg → schemas",
		from: func(p string) bool { return within(p, home+"pkg") || within(p, schemas) },
		forbids: func(p, imported string) bool {
			return within(imported, services) || within(p, schemas) && within(imported, pkg)
		},
		tests: true,
	},
	{
		name: "schemas stands alone", why: "whoever reads the contract takes on nothing else",
		from:    func(p string) bool { return within(p, schemas) },
		forbids: func(_, imported string) bool { return !standard(imported) && !within(imported, schemas) },
		tests:   false,
	},
	{
		name: "directory imports the standard library only", why: "the model knows nobody",
		from:    func(p string) bool { return within(p, pkg+"/directory") },
		forbids: func(_, imported string) bool { return !standard(imported) },
	},
	{
		name: "licensing imports directory only", why: "the rules are pure functions",
		from: func(p string) bool { return within(p, pkg+"/licensing") },
		forbids: func(_, imported string) bool {
			return !standard(imported) && !within(imported, pkg+"/directory") && !within(imported, pkg+"/licensing")
		},
	},
	{
		name: "pkg carries no provider SDK and no SQL driver", why: "others import it",
		from: func(p string) bool { return within(p, pkg) && !strings.HasSuffix(p, "test") },
		forbids: func(_, imported string) bool {
			return slices.ContainsFunc([]string{
				graphSDK, "github.com/Azure", "github.com/AzureAD", "github.com/microsoft", "google.golang.org/api",
				"modernc.org", "github.com/jackc", "database/sql", "github.com/mattn/go-sqlite3", "github.com/lib/pq",
				"github.com/nats-io/nats-server",
			}, func(sdk string) bool { return within(imported, sdk) })
		},
	},
	{
		name: "no service imports another", why: "each can run alone; rollcall alone puts them together",
		from: func(p string) bool { return service(p) != "" && service(p) != "rollcall" },
		forbids: func(p, imported string) bool {
			other := service(imported)
			return other != "" && other != service(p)
		},
	},
	{
		name: "the services' shared code imports no service", why: "it would know who uses it",
		from:    func(p string) bool { return within(p, services+"/internal") },
		forbids: func(_, imported string) bool { return service(imported) != "" },
	},
	{
		name: "one package sees msgraph-sdk-go", why: "its models take minutes to compile",
		from:    func(p string) bool { return p != graphAdapter },
		forbids: func(_, imported string) bool { return within(imported, graphSDK) },
	},
	{
		name: "the Workspace adapter alone sees Google's SDK", why: "what is Google's own stays with it",
		from:    func(p string) bool { return !within(p, googleHome) },
		forbids: func(_, imported string) bool { return within(imported, googleSDK) },
	},
	{
		name: "Google's SDK is tested by the adapter and the simulator", why: "others know Google by the ports only",
		from:    func(p string) bool { return !within(p, googleHome) && !within(p, simulator) },
		forbids: func(_, imported string) bool { return within(imported, googleSDK) },
		tests:   true,
	},
}

// service returns which service a package is of: "worker" for …/services/worker/internal/x, "" for none.
func service(path string) string {
	rest, ok := strings.CutPrefix(path, services+"/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	if name == "internal" {
		return ""
	}
	return name
}

func checkEdges(all []listed, rules []edge) (faults []string) {
	for _, p := range all {
		for _, rule := range rules {
			if !rule.from(p.ImportPath) {
				continue
			}
			imports := p.Imports
			if rule.tests {
				imports = slices.Concat(imports, p.tests())
			}
			for _, imported := range imports {
				if rule.forbids(p.ImportPath, imported) {
					faults = append(faults, fmt.Sprintf("%s imports %s: %s (%s)", p.ImportPath, imported, rule.name, rule.why))
				}
			}
		}
	}
	return faults
}

// checkTestImports: the tests of a service may import the simulator, and no other service than their own.
func checkTestImports(all []listed) (faults []string) {
	for _, p := range all {
		own := service(p.ImportPath)
		if !within(p.ImportPath, services) || own == "rollcall" {
			continue
		}
		for _, imported := range p.tests() {
			if other := service(imported); other != "" && other != own && other != "simulator" {
				faults = append(faults, fmt.Sprintf("the tests of %s import %s: only the simulator may be", p.ImportPath, imported))
			}
		}
	}
	return faults
}

// checkVerifier: what tells whether the demo is right shares no code with what it judges, at any depth.
func checkVerifier(all []listed) (faults []string) {
	imports := map[string][]string{}
	for _, p := range all {
		imports[p.ImportPath] = p.Imports
	}
	judged := []string{services + "/worker", services + "/internal/ledger", pkg + "/licensing"}
	found := false
	for _, p := range all {
		if !within(p.ImportPath, rollcall) || p.Name != verifier {
			continue
		}
		found = true
		for _, reached := range reach(p.ImportPath, imports) {
			if slices.ContainsFunc(judged, func(j string) bool { return within(reached, j) }) {
				faults = append(faults, fmt.Sprintf("%s reaches %s: the verifier must not share what it judges", p.ImportPath, reached))
			}
		}
	}
	if !found {
		faults = append(faults, fmt.Sprintf("no package %s below %s: the demo's verifier has moved, and this test with it", verifier, rollcall))
	}
	return faults
}

// reach returns every package that from imports, directly or not.
func reach(from string, imports map[string][]string) []string {
	seen := map[string]bool{from: true}
	queue := []string{from}
	for i := 0; i < len(queue); i++ {
		for _, next := range imports[queue[i]] {
			if !seen[next] {
				seen[next] = true
				queue = append(queue, next)
			}
		}
	}
	return queue[1:]
}

func TestImports(t *testing.T) {
	t.Parallel()
	all := must(t, packages)
	for _, rule := range edges {
		t.Run(rule.name, func(t *testing.T) {
			t.Parallel()
			report(t, checkEdges(all, []edge{rule}))
		})
	}
	t.Run("tests import no service but their own and the simulator", func(t *testing.T) {
		t.Parallel()
		report(t, checkTestImports(all))
	})
	t.Run("the verifier shares nothing with what it judges", func(t *testing.T) {
		t.Parallel()
		report(t, checkVerifier(all))
	})
}

// TestImportRulesComplain shows each rule a package that breaks it, and one beside it that does not.
func TestImportRulesComplain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rule, importer, bad, good string
	}{
		{"dependencies point one way", pkg + "/bus", services + "/worker", pkg + "/event"},
		{"dependencies point one way", schemas, pkg + "/event", "embed"},
		{"schemas stands alone", schemas, "gopkg.in/yaml.v3", "encoding/json"},
		{"directory imports the standard library only", pkg + "/directory", pkg + "/event", "strings"},
		{"licensing imports directory only", pkg + "/licensing", pkg + "/event", pkg + "/directory"},
		{"pkg carries no provider SDK and no SQL driver", pkg + "/license", "modernc.org/sqlite", "github.com/nats-io/nats.go"},
		{"pkg carries no provider SDK and no SQL driver", pkg + "/bus", "database/sql", pkg + "/event"},
		{"no service imports another", services + "/worker/internal/relay", services + "/graph-receiver", services + "/worker"},
		{"no service imports another", services + "/worker", simulator, services + "/internal/ledger"},
		{"the services' shared code imports no service", services + "/internal/receiver", services + "/worker", pkg + "/bus"},
		{"no service imports another", graphAdapter, googleHome + "/workspace", services + "/internal/receiver"},
		{"one package sees msgraph-sdk-go", services + "/graph-receiver", graphSDK + "/msgraph-sdk-go/models", graphAdapter},
		{"the Workspace adapter alone sees Google's SDK", services + "/workspace-receiver", googleSDK + "/admin/reports/v1", googleHome + "/workspace"},
		{"the Workspace adapter alone sees Google's SDK", simulator, googleSDK + "/googleapi", services + "/internal/clock"},
		{"Google's SDK is tested by the adapter and the simulator", services + "/internal/receiver/lane", googleSDK + "/googleapi", pkg + "/bus"},
	} {
		i := slices.IndexFunc(edges, func(e edge) bool { return e.name == c.rule })
		if i < 0 {
			t.Fatalf("no rule %q", c.rule)
		}
		rule := edges[i : i+1]
		if len(checkEdges([]listed{{ImportPath: c.importer, Imports: []string{c.bad}}}, rule)) == 0 {
			t.Errorf("%s: %s may import %s", c.rule, c.importer, c.bad)
		}
		if faults := checkEdges([]listed{{ImportPath: c.importer, Imports: []string{c.good}}}, rule); len(faults) != 0 {
			t.Errorf("%s: %s may not import %s: %v", c.rule, c.importer, c.good, faults)
		}
	}
	if len(checkEdges([]listed{{ImportPath: pkg + "/bus", XTestImports: []string{simulator}}}, edges)) == 0 {
		t.Error("the tests of pkg may import services")
	}
}

func TestOtherImportRulesComplain(t *testing.T) {
	t.Parallel()
	graph := listed{ImportPath: graphAdapter, TestImports: []string{simulator}}
	if faults := checkTestImports([]listed{graph}); len(faults) != 0 {
		t.Errorf("tests may not import the simulator: %v", faults)
	}
	graph.XTestImports = []string{services + "/worker"}
	if len(checkTestImports([]listed{graph})) == 0 {
		t.Error("the tests of graph-receiver may import worker")
	}

	judge := listed{ImportPath: rollcall + "/internal/verify", Name: verifier, Imports: []string{pkg + "/license"}}
	if faults := checkVerifier([]listed{judge}); len(faults) != 0 {
		t.Errorf("an honest verifier is refused: %v", faults)
	}
	helper := listed{ImportPath: rollcall + "/internal/story", Imports: []string{services + "/internal/ledger"}}
	judge.Imports = append(judge.Imports, helper.ImportPath)
	if len(checkVerifier([]listed{judge, helper})) == 0 {
		t.Error("the verifier may reach the ledger through another package")
	}
	if len(checkVerifier(nil)) == 0 {
		t.Error("a verifier that is gone goes unnoticed")
	}
}
