package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
)

// The operator's commands find a ledger in Postgres as they find a file, and the password is written down nowhere.
func TestLedgerInPostgres(t *testing.T) {
	t.Parallel()
	const password = "s3cret/ &%"
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := settings(t, 100*time.Millisecond)
	cfg.Ledger.URL, cfg.Ledger.PasswordFile = ledgertest.Guarded(t, password), file
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	h := openAs(t, cfg)
	h.connect(t)
	someone := h.someone(t)
	if !h.licensed(t, someone) {
		t.Errorf("%s is not licensed", someone)
	}
	if out := h.must(t, "explain", "--tenant", "contoso", "--user", someone); !strings.Contains(out, "domain-default") {
		t.Errorf("explain says %s", out)
	}
	if _, err := os.Stat(filepath.Join(h.data, "ledger.db")); err == nil {
		t.Error("there is a file as well")
	}
	endpoints, err := os.ReadFile(filepath.Join(h.data, "endpoints.json"))
	if err != nil || strings.Contains(string(endpoints), "s3cret") || !strings.Contains(string(endpoints), "postgres:") {
		t.Errorf("the process tells of its ledger: %s, %v", endpoints, err)
	}
	address := strings.Replace(cfg.Ledger.URL, "@", ":guess@", 1)
	_, stderr, code := h.run(t, "explain", "--tenant", "contoso", "--user", someone, "--ledger", address)
	if code != 1 || strings.Contains(stderr, "guess") || !strings.Contains(stderr, "password authentication failed") {
		t.Errorf("another password: %d, %s", code, stderr)
	}
}
