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

// longest is how long the tests of a package may take. Some faults never end.
const longest = 10 * time.Minute

var (
	failure = regexp.MustCompile(`(?m)^--- FAIL: (\S+)`)
	panics  = regexp.MustCompile(`(?m)^(?:panic: |fatal error: )(.*)$`)
)

// test builds the tests of a package, with what an overlay puts in place of files, and runs them but for those to skip. It
// returns the first test that fails, or "" where none does. Tests that cannot be built find nothing, which is an error.
func test(ctx context.Context, root, tests, skip, overlay string) (failed string, err error) {
	dir, err := os.MkdirTemp("", "mutant-test-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary := filepath.Join(dir, "mutant.test")
	build := exec.CommandContext(ctx, "go", "test", "-c", "-overlay", overlay, "-o", binary, "./"+tests) //nolint:gosec // G204: the packages of our own list
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the tests of %s: %w: %s", tests, err, bytes.TrimSpace(out))
	}
	random, err := imports(filepath.Join(root, tests), "pgregory.net/rapid")
	if err != nil {
		return "", err
	}
	// Most faults are found by few random sequences, and on one database. Nobody looks at the example that is found: any will do.
	quick, all := []string{"-test.skip=Postgres|/postgres"}, []string(nil)
	if skip != "" {
		quick[0] += "|" + skip
		all = append(all, "-test.skip="+skip)
	}
	if random {
		anyWillDo := []string{"-rapid.shrinktime=1ns", "-rapid.nofailfile"}
		all = append(all, anyWillDo...)
		quick = slices.Concat(quick, anyWillDo, []string{"-rapid.checks=20"})
	}
	if failed, err = runTests(ctx, root, tests, binary, quick); failed != "" || err != nil {
		return failed, err
	}
	return runTests(ctx, root, tests, binary, all)
}

func runTests(ctx context.Context, root, tests, binary string, flags []string) (failed string, err error) {
	run := exec.CommandContext(ctx, binary, append(flags, "-test.timeout="+longest.String())...) //nolint:gosec // G204: as above
	run.Dir = filepath.Join(root, tests)
	out, err := run.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err == nil && bytes.Contains(out, []byte("no tests to run")):
		return "", fmt.Errorf("%s has no tests", tests)
	case err == nil:
		return "", nil
	case !errors.As(err, &exit):
		return "", fmt.Errorf("run the tests of %s: %w", tests, err)
	}
	for _, how := range []*regexp.Regexp{failure, panics} {
		if match := how.FindSubmatch(out); match != nil {
			return string(match[1]), nil
		}
	}
	return "", fmt.Errorf("the tests of %s end with %w, and name none that fails: %s", tests, err, bytes.TrimSpace(out))
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
