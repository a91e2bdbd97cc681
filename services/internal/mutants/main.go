// Command mutants breaks the rules of who is licensed on purpose, one fault at a time, and reports which of them the tests
// find. The faults are listed in list.go, at least one for each clause of the rules. Run it at the repository's root:
//
//	go run ./services/internal/mutants            all of them, some minutes
//	go run ./services/internal/mutants -run seat  those whose clause or name holds the word
//
// It ends with 1 when a fault was found by no test, or cannot be made any more because the code has changed.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("mutants", flag.ContinueOnError)
	flags.SetOutput(stderr)
	only := flags.String("run", "", "only faults whose clause or name holds this")
	root := flags.String("root", ".", "the repository's root")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	survived, tried := 0, 0
	for _, m := range mutants {
		if !strings.Contains(m.Clause+" "+m.Name, *only) {
			continue
		}
		tried++
		begun := time.Now()
		verdict, err := try(ctx, *root, m)
		if err != nil {
			verdict = "CANNOT BE MADE: " + err.Error()
		}
		if verdict != killed {
			survived++
		}
		_, _ = fmt.Fprintf(stdout, "%-9s %5.1f s  %s: %s\n", verdict, time.Since(begun).Seconds(), m.Clause, m.Name)
		if ctx.Err() != nil {
			return 1
		}
	}
	_, _ = fmt.Fprintf(stdout, "\n%d faults, %d found by a test, %d not\n", tried, tried-survived, survived)
	if survived > 0 || tried == 0 {
		return 1
	}
	return 0
}

// The verdicts of a try.
const (
	killed = "killed"
	lives  = "SURVIVED"
)

// try makes one fault, beside the file that it is in, and runs the tests that should find it.
func try(ctx context.Context, root string, m mutant) (verdict string, err error) {
	path, err := filepath.Abs(filepath.Join(root, m.File))
	if err != nil {
		return "", err
	}
	source, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	broken, err := m.apply(string(source))
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "mutant-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {path: filepath.Join(dir, "broken.go")}})
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "broken.go"), []byte(broken), 0o600); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	args := []string{"test", "-overlay", filepath.Join(dir, "overlay.json"), "-failfast", "-count=1", "./" + m.Tests}
	cmd := exec.CommandContext(ctx, "go", args...) //nolint:gosec // G204: the packages of our own list
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case bytes.Contains(out, []byte("[build failed]")) || bytes.Contains(out, []byte("[setup failed]")):
		return "", fmt.Errorf("it does not compile: %s", bytes.TrimSpace(out))
	case err != nil:
		return killed, nil
	default:
		return lives, nil
	}
}

// mutant is one fault.
type mutant struct {
	Clause string // of the rules
	Name   string // what goes wrong
	File   string // from the repository's root
	Old    string // that is there exactly once
	New    string
	Tests  string // the package whose tests must find it
}

func (m mutant) apply(source string) (string, error) {
	if n := strings.Count(source, m.Old); n != 1 {
		return "", fmt.Errorf("%s holds %d times, not once: %s", m.File, n, m.Old)
	}
	return strings.Replace(source, m.Old, m.New, 1), nil
}
