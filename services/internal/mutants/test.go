package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"time"
)

var (
	failure = regexp.MustCompile(`(?m)^--- FAIL: (\S+)`)
	panics  = regexp.MustCompile(`(?m)^(?:panic: |fatal error: )(.*)$`)
)

// suite are the tests of a package.
type suite struct {
	root, folder string
	skip         string // the names of those to leave out match this
	// How long each of the two runs took; zero before the first, in which nothing is broken.
	quick, all time.Duration
}

// longest is how long a run may take that took so long while nothing was broken. Some faults never end; on a machine that is
// busy, others take many times as long.
func longest(took time.Duration) time.Duration {
	const most = 10 * time.Minute
	if took == 0 {
		return most
	}
	return min(most, time.Minute+10*took)
}

// run builds the tests, with what an overlay puts in place of files, and runs them. It returns the first test that fails, or
// "" where none does. Tests that cannot be built find nothing, which is an error.
func (s *suite) run(ctx context.Context, overlay string) (failed string, err error) {
	dir, err := os.MkdirTemp("", "mutant-test-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary := filepath.Join(dir, "mutant.test")
	build := exec.CommandContext(ctx, "go", "test", "-c", "-overlay", overlay, "-o", binary, "./"+s.folder) //nolint:gosec // G204: the packages of our own list
	build.Dir = s.root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the tests of %s: %w: %s", s.folder, err, bytes.TrimSpace(out))
	}
	random, err := imports(filepath.Join(s.root, s.folder), "pgregory.net/rapid")
	if err != nil {
		return "", err
	}
	// Most faults are found by few random sequences, and on one database. Nobody looks at the example that is found: any will do.
	quick, all := []string{"-test.skip=Postgres|/postgres"}, []string(nil)
	if s.skip != "" {
		quick[0] += "|" + s.skip
		all = append(all, "-test.skip="+s.skip)
	}
	if random {
		anyWillDo := []string{"-rapid.shrinktime=1ns", "-rapid.nofailfile"}
		all = append(all, anyWillDo...)
		quick = slices.Concat(quick, anyWillDo, []string{"-rapid.checks=20"})
	}
	if failed, err = s.runWith(ctx, binary, &s.quick, quick); failed != "" || err != nil {
		return failed, err
	}
	return s.runWith(ctx, binary, &s.all, all)
}

// runWith runs the tests with some flags. It takes how long that took before, and notes how long it takes.
func (s *suite) runWith(ctx context.Context, binary string, took *time.Duration, flags []string) (failed string, err error) {
	run := exec.CommandContext(ctx, binary, append(flags, "-test.failfast", "-test.timeout="+longest(*took).String())...) //nolint:gosec // G204: as above
	run.Dir = filepath.Join(s.root, s.folder)
	begun := time.Now()
	out, err := run.CombinedOutput()
	*took = time.Since(begun)
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err == nil && bytes.Contains(out, []byte("no tests to run")):
		return "", fmt.Errorf("%s has no tests", s.folder)
	case err == nil:
		return "", nil
	case !errors.As(err, &exit):
		return "", fmt.Errorf("run the tests of %s: %w", s.folder, err)
	}
	for _, how := range []*regexp.Regexp{failure, panics} {
		if match := how.FindSubmatch(out); match != nil {
			return string(match[1]), nil
		}
	}
	return "", fmt.Errorf("the tests of %s end with %w, and name none that fails: %s", s.folder, err, bytes.TrimSpace(out))
}

// imports reports whether a test in a folder imports a package.
func imports(folder, imported string) (bool, error) {
	files, err := testFiles(folder)
	if err != nil {
		return false, err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil || bytes.Contains(text, []byte(`"`+imported+`"`)) {
			return err == nil, err
		}
	}
	return false, nil
}

func testFiles(folder string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err == nil && len(files) == 0 {
		err = errors.New("there are no tests in " + folder)
	}
	return files, err
}
