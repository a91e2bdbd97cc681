package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// mutant is one fault.
type mutant struct {
	Clause string // of the rules
	Name   string // what goes wrong
	File   string // from the repository's root
	Old    string // that is there exactly once
	New    string
	Tests  string // the package whose tests must find it
}

// broken returns the file with the fault in it, and where it is.
func (m mutant) broken(root string) (path, text string, err error) {
	path, err = filepath.Abs(filepath.Join(root, m.File))
	if err != nil {
		return "", "", err
	}
	source, err := os.ReadFile(path)
	if err != nil {
		return "", "", err
	}
	switch n := strings.Count(string(source), m.Old); {
	case n != 1:
		return "", "", fmt.Errorf("%s holds %d times, not once: %s", m.File, n, m.Old)
	case m.Old == m.New:
		return "", "", fmt.Errorf("it changes nothing in %s", m.File)
	}
	return path, strings.Replace(string(source), m.Old, m.New, 1), nil
}

// try makes the fault beside the file that it is in, and runs the tests that should find it. It returns the first that does.
func (m mutant) try(ctx context.Context, tests suite) (failed string, err error) {
	path, text, err := m.broken(tests.root)
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "mutant-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	broken, overlay := filepath.Join(dir, "broken.go"), filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(broken, []byte(text), 0o600); err != nil {
		return "", err
	}
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {path: broken}})
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(overlay, replace, 0o600); err != nil {
		return "", err
	}
	return tests.run(ctx, overlay)
}
