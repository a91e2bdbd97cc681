package datadir_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/services/rollcall/internal/datadir"
)

func TestOneProcessAtATime(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data")
	first, err := datadir.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := datadir.Open(path); !errors.Is(err, datadir.ErrInUse) {
		t.Errorf("a second process: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := datadir.Open(path)
	if err != nil {
		t.Fatalf("after the first has gone: %v", err)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestIdentityStays(t *testing.T) {
	t.Parallel()
	ids := map[string]bool{}
	for _, path := range []string{t.TempDir(), t.TempDir()} {
		for range 2 {
			dir, err := datadir.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			id, err := dir.Identity()
			if err = errors.Join(err, dir.Close()); err != nil || id == "" {
				t.Fatalf("identity %q, %v", id, err)
			}
			ids[id] = true
		}
	}
	if len(ids) != 2 {
		t.Errorf("two folders have %d identities", len(ids))
	}
}

func TestEndpointsAreFoundWhileItRuns(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	if _, err := datadir.Find(path); !errors.Is(err, datadir.ErrNotRunning) {
		t.Errorf("before: %v", err)
	}
	dir, err := datadir.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	want := datadir.Endpoints{
		NATS: "nats://127.0.0.1:4222", HTTP: "http://127.0.0.1:8080",
		Simulator: &datadir.Simulator{URL: "https://127.0.0.1:7443", CAFile: "ca.pem", Tenant: "contoso"},
	}
	for range 2 { // the second replaces the first
		if err := dir.Announce(want); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := datadir.Find(path); err != nil || !cmp.Equal(want, got) {
		t.Errorf("found %+v, %v", got, err)
	}
	info, err := os.Stat(filepath.Join(path, "endpoints.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := dir.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := datadir.Find(path); !errors.Is(err, datadir.ErrNotRunning) {
		t.Errorf("after: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(path, "endpoints*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}
