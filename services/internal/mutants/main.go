// Command mutants breaks the rules of who is licensed on purpose, one fault at a time, and reports which of them the tests
// find. Run it at the repository's root:
//
//	go run ./services/internal/mutants             all of them, the better part of an hour
//	go run ./services/internal/mutants -run seats  those whose clause, name or file matches
//	go run ./services/internal/mutants -skip Random  what the tests find without those whose name matches
//	go run ./services/internal/mutants -check      only whether each can still be made: seconds
//
// It ends with 1 when a fault was found by no test, or cannot be made any more because the code has changed.
//
// To add a fault, add a line to one of the lists: the clause of the rules that it breaks (clauses.go), what goes wrong, the
// file, the text that is there exactly once, what takes its place, and the package whose tests must find it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"sync"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], slices.Concat(ofRules, ofWorker, ofMirror, ofSync, ofHealth), os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, all []mutant, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("mutants", flag.ContinueOnError)
	flags.SetOutput(stderr)
	only := flags.String("run", "", "only faults whose clause, name or file matches this")
	skip := flags.String("skip", "", "leave out the tests whose name matches this")
	root := flags.String("root", ".", "the repository's root")
	onlyCheck := flags.Bool("check", false, "only see that each fault can be made")
	at := flags.Int("j", 2, "how many to try at once")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	wanted, err := regexp.Compile(*only)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, err)
		return 2
	}
	all = slices.DeleteFunc(slices.Clone(all), func(m mutant) bool {
		return !wanted.MatchString(m.Clause + ": " + m.Name + " in " + m.File)
	})
	if len(all) == 0 {
		_, _ = fmt.Fprintf(stderr, "no fault matches %q\n", *only)
		return 1
	}
	if err := check(ctx, *root, all); err != nil {
		_, _ = fmt.Fprintln(stderr, err)
		return 1
	}
	if *onlyCheck {
		_, _ = fmt.Fprintf(stdout, "%d faults can be made\n", len(all))
		return 0
	}
	t := trial{root: *root, skip: *skip, suites: map[string]suite{}, out: stdout}
	if err := t.sound(ctx, all); err != nil {
		_, _ = fmt.Fprintln(stderr, err)
		return 1
	}
	if found := t.tryAll(ctx, all, max(1, *at)); found < len(all) {
		return 1
	}
	return 0
}

// trial is one go through a list of faults.
type trial struct {
	root   string
	skip   string
	suites map[string]suite // by folder
	mu     sync.Mutex
	out    io.Writer
}

// sound sees that the tests pass while nothing is broken: what fails anyway finds nothing.
func (t *trial) sound(ctx context.Context, all []mutant) error {
	var packages []string
	for _, m := range all {
		packages = append(packages, m.Tests)
	}
	slices.Sort(packages)
	for _, tests := range slices.Compact(packages) {
		begun, s := time.Now(), suite{root: t.root, folder: tests, skip: t.skip}
		failed, err := s.run(ctx, "")
		if err == nil && failed != "" {
			err = errors.New("they fail while nothing is broken: " + failed)
		}
		if err != nil {
			return fmt.Errorf("tests of %s: %w", tests, err)
		}
		t.tell("sound", begun, "tests of "+tests)
		t.suites[tests] = s
	}
	return nil
}

// tryAll tries the faults, so many at once, and returns how many were found.
func (t *trial) tryAll(ctx context.Context, all []mutant, at int) (found int) {
	var wg sync.WaitGroup
	turns := make(chan struct{}, at)
	for _, m := range all {
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }()
			if t.try(ctx, m) {
				t.mu.Lock()
				found++
				t.mu.Unlock()
			}
		})
	}
	wg.Wait()
	_, _ = fmt.Fprintf(t.out, "\n%d faults, %d found by a test, %d not\n", len(all), found, len(all)-found)
	return found
}

func (t *trial) try(ctx context.Context, m mutant) (found bool) {
	begun := time.Now()
	failed, err := m.try(ctx, t.suites[m.Tests])
	switch {
	case err != nil:
		t.tell("ERROR", begun, fmt.Sprintf("%s: %s: %v", m.Clause, m.Name, err))
	case failed == "":
		t.tell("SURVIVED", begun, fmt.Sprintf("%s: %s", m.Clause, m.Name))
	default:
		t.tell("killed", begun, fmt.Sprintf("%s: %s (%s)", m.Clause, m.Name, failed))
	}
	return err == nil && failed != ""
}

func (t *trial) tell(verdict string, begun time.Time, what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, _ = fmt.Fprintf(t.out, "%-8s %5.1f s  %s\n", verdict, time.Since(begun).Seconds(), what)
}
