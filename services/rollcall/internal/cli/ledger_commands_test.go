package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/supervise"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/datadir"
)

// An operator who has lost the ledger brings it back, and sees that it says the same as the record.
func TestLostLedgerIsRebuilt(t *testing.T) {
	t.Parallel()
	cfg := settings(t, 50*time.Millisecond)
	h := &house{data: cfg.Data}
	file := filepath.Join(t.TempDir(), "rollcall.yaml")
	if err := os.WriteFile(file, []byte("sync:\n  push: false\nnats:\n  partitions: 2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Run("before", func(t *testing.T) { //nolint:paralleltest // the process ends with this part
		h.simulator = newSimulator(t)
		process := start(t, cfg, &datadir.Simulator{URL: h.simulator.URL(), CAFile: h.simulator.CAFile(), Tenant: "contoso"},
			supervise.Worker{Name: "simulator", Run: h.simulator.Run})
		h.natsURL = process.NATSURL()
		h.simulate(t)
		h.connect(t)
		if out := h.must(t, "ledger", "verify"); !strings.Contains(out, "the same everywhere") {
			t.Errorf("verify:\n%s", out)
		}
		if _, stderr, code := h.run(t, "ledger", "verify", "--tenant", "fabrikam"); code != 1 || !strings.Contains(stderr, "fabrikam") {
			t.Errorf("verify of nobody: %d %s", code, stderr)
		}
		if _, stderr, code := h.run(t, "ledger", "rebuild", "--config", file); code != 1 || !strings.Contains(stderr, "another rollcall runs") {
			t.Errorf("rebuild beside a running process: %d %s", code, stderr)
		}
	})
	if _, stderr, code := h.run(t, "ledger", "rebuild", "--config", file); code != 1 || !strings.Contains(stderr, "not empty") {
		t.Errorf("rebuild of what is there: %d %s", code, stderr)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(filepath.Join(cfg.Data, "ledger.db") + suffix); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	if out := h.must(t, "ledger", "rebuild", "--config", file); !strings.Contains(out, "1 tenants") {
		t.Errorf("rebuild:\n%s", out)
	}
	process := start(t, cfg, nil)
	h.natsURL = process.NATSURL()
	if out := h.must(t, "ledger", "verify"); !strings.Contains(out, "the same everywhere") {
		t.Errorf("verify of what was rebuilt:\n%s", out)
	}
}
