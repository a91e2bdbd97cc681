// Package ledgertest gives tests ledgers on the databases that Rollcall knows: SQLite in a file and a real Postgres, of which
// each test process starts one server and each test has a database of its own.
package ledgertest

import (
	"os"
	"path/filepath"
	"testing"
)

// Backend is one database that a ledger can be on.
type Backend struct {
	Name    string
	Address func(testing.TB) string // of a ledger that nobody has used yet
}

// Backends are all databases that a ledger can be on.
func Backends() []Backend {
	return []Backend{{Name: "sqlite", Address: SQLite}, {Name: "postgres", Address: Postgres}}
}

// Each runs a test on each database, in parallel.
func Each(t *testing.T, test func(*testing.T, Backend)) {
	t.Helper()
	for _, b := range Backends() {
		t.Run(b.Name, func(t *testing.T) {
			t.Parallel()
			test(t, b)
		})
	}
}

// SQLite returns the path of a ledger that is yet to be made.
func SQLite(tb testing.TB) string {
	tb.Helper()
	return filepath.Join(Folder(tb), "a ledger?.db")
}

// Folder is a folder in memory where the system has one: few ledgers of tests have to survive the power.
func Folder(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp(memory(), "rollcall-test-") //nolint:usetesting // t.TempDir is on the disk
	if err != nil {
		return tb.TempDir()
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
