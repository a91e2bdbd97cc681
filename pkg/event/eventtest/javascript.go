package eventtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// nodeMissing is what a machine without Node is told. The check is not skipped: nobody would notice.
const nodeMissing = "%s is missing: holding the contract to what others make of it needs Node.js (20 or later) and npm, see https://nodejs.org/en/download (Debian: apt-get install nodejs npm)"

const (
	installPatience = 3 * time.Minute
	parsePatience   = time.Minute
)

// JavaScript has the stock CloudEvents SDK for JavaScript read events as they travel, strictly, and fails the test when it
// cannot or gives back something else. It returns how many of each type it has read. The SDK is installed at first use,
// by npm and into schemas/test/node_modules.
func JavaScript(t testing.TB, bodies ...[]byte) map[string]int {
	t.Helper()
	dir := NodeModules(t)
	var lines bytes.Buffer
	for _, body := range bodies {
		if err := json.Compact(&lines, body); err != nil {
			t.Fatalf("event is not JSON: %v", err)
		}
		lines.WriteByte('\n')
	}
	ctx, cancel := context.WithTimeout(t.Context(), parsePatience)
	defer cancel()
	node := exec.CommandContext(ctx, "node", "parse.mjs", "-")
	node.Dir, node.Stdin = dir, &lines
	var stderr bytes.Buffer
	node.Stderr = &stderr
	out, err := node.Output()
	if err != nil {
		t.Fatalf("the CloudEvents SDK for JavaScript refuses events: %v\n%s", err, stderr.String())
	}
	var read struct {
		Types map[string]int `json:"types"`
	}
	if err := json.Unmarshal(out, &read); err != nil {
		t.Fatalf("output of parse.mjs: %v\n%s", err, out)
	}
	return read.Types
}

var install = sync.OnceValues(installNodeModules)

// NodeModules makes sure that the npm packages that package-lock.json names are there, and returns the folder that has
// node_modules.
func NodeModules(t testing.TB) string {
	t.Helper()
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf(nodeMissing, program)
		}
	}
	dir, err := install()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// installNodeModules installs beside the place and renames, so that processes that do so at once do not see each other's
// half.
func installNodeModules() (string, error) {
	dir, err := scriptFolder()
	if err != nil {
		return "", err
	}
	lock, err := os.ReadFile(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		return "", fmt.Errorf("read what to install: %w", err)
	}
	if upToDate(dir, lock) {
		return dir, nil
	}
	fresh, err := os.MkdirTemp(dir, ".install-")
	if err != nil {
		return "", fmt.Errorf("make a folder to install in: %w", err)
	}
	defer func() { _ = os.RemoveAll(fresh) }()
	for _, name := range []string{"package.json", "package-lock.json"} {
		if err := copyFile(filepath.Join(fresh, name), filepath.Join(dir, name)); err != nil {
			return "", err
		}
	}
	if err := npmCI(fresh); err != nil {
		return "", err
	}
	return dir, replace(dir, fresh, lock)
}

// scriptFolder finds schemas/test from the folder of the running test upwards.
func scriptFolder() (string, error) {
	at, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find schemas/test: %w", err)
	}
	for {
		dir := filepath.Join(at, "schemas", "test")
		if _, err := os.Stat(filepath.Join(dir, "parse.mjs")); err == nil {
			return dir, nil
		}
		if filepath.Dir(at) == at {
			return "", errors.New("schemas/test is in no folder above the test's")
		}
		at = filepath.Dir(at)
	}
}

func npmCI(dir string) error {
	ctx, cancel := context.WithTimeout(context.Background(), installPatience)
	defer cancel()
	npm := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci could not install what reads the contract in JavaScript (is an npm registry within reach?): %w\n%s", err, out)
	}
	return nil
}

// installedFrom is a copy of the lock file that node_modules was installed from.
const installedFrom = ".installed-from.json"

func upToDate(dir string, lock []byte) bool {
	was, err := os.ReadFile(filepath.Join(dir, "node_modules", installedFrom))
	return err == nil && bytes.Equal(was, lock)
}

func replace(dir, fresh string, lock []byte) error {
	modules := filepath.Join(fresh, "node_modules")
	if err := os.WriteFile(filepath.Join(modules, installedFrom), lock, 0o600); err != nil {
		return fmt.Errorf("note what was installed: %w", err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "node_modules")); err != nil {
		return fmt.Errorf("remove old packages: %w", err)
	}
	err := os.Rename(modules, filepath.Join(dir, "node_modules"))
	if err != nil && !upToDate(dir, lock) { // another process may have been first
		return fmt.Errorf("put packages in place: %w", err)
	}
	return nil
}

func copyFile(to, from string) error {
	body, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("copy what to install: %w", err)
	}
	if err := os.WriteFile(to, body, 0o600); err != nil {
		return fmt.Errorf("copy what to install: %w", err)
	}
	return nil
}
