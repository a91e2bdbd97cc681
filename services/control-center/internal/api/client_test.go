package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event/eventtest"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/authzen"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/centertest"
	"github.com/rollcall-hq/rollcall/services/internal/telemetry"
)

// node runs a program of schemas/test/node_modules in a folder.
func node(t *testing.T, folder, program string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", append([]string{program}, args...)...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true", "NO_COLOR=1")
	var told strings.Builder
	cmd.Stderr = &told
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", filepath.Base(program), err, out, told.String())
	}
	return string(out)
}

// TestTheDocumentPassesAStockLinter, with nothing to remark.
func TestTheDocumentPassesAStockLinter(t *testing.T) {
	t.Parallel()
	folder := eventtest.NodeModules(t)
	out := node(t, folder, filepath.Join(folder, "node_modules/@redocly/cli/bin/cli.js"), "lint", "../openapi.yaml", "--extends=recommended", "--format=json")
	if !strings.Contains(out, `"errors": 0`) || !strings.Contains(out, `"warnings": 0`) {
		t.Error(out)
	}
}

// TestAClientInTypeScript is generated from the document, understood by the compiler, and understands a real server.
func TestAClientInTypeScript(t *testing.T) {
	t.Parallel()
	h := newHouse(t, patience)
	h.Work(done)
	logger, err := telemetry.NewLogger(t.Output(), "info", "text")
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/access/", centertest.Proved(authzen.New(authzen.Config{}, authzen.Deps{Ledger: h.Reader, Tenants: h.Registry, Logger: logger}).Handler()))
	mux.Handle("/", centertest.Proved(h.Handler))
	server := httptest.NewServer(mux)
	defer server.Close()

	from := eventtest.NodeModules(t)
	folder := t.TempDir()
	for _, name := range []string{"client.ts", "node.d.ts", "tsconfig.json", "package.json"} {
		body, err := os.ReadFile(filepath.Join(from, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name), body, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	modules := filepath.Join(from, "node_modules")
	if err := os.Symlink(modules, filepath.Join(folder, "node_modules")); err != nil {
		t.Fatal(err)
	}
	node(t, folder, filepath.Join(modules, "openapi-typescript/bin/cli.js"), filepath.Join(from, "../openapi.yaml"), "-o", filepath.Join(folder, "api.d.ts"))
	node(t, folder, filepath.Join(modules, "typescript/bin/tsc"), "-p", ".")
	got := strings.TrimSpace(node(t, folder, filepath.Join(folder, "out/client.js"), server.URL, centertest.Proof(t, centertest.Operator)))
	const group = "virtru-drive-provisioning-group@contoso.com"
	want := `{"tenants":["contoso","fabrikam","initech"],"users":["ada","bob","dan","eve","gus","twin-1","twin-2"],` +
		`"why":["contoso ada is licensed for drive: every active user of contoso is, because no group ` + group + ` is in force.",` +
		`"contoso ada is licensed for secure-share: a member of the provisioning group (contoso provisioning > contoso sales)."],` +
		`"command":"seats.from-typescript done","decision":"true active-user","problem":"404 no-such-tenant"}`
	if got != want {
		t.Errorf("the client has understood\n%s, want\n%s", got, want)
	}
}
