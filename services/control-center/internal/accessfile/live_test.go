package accessfile_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/accessfile"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/telemetry"
)

func TestTheFileIsReadAgain(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	logger, err := telemetry.NewLogger(&log, "info", "text")
	if err != nil {
		t.Fatal(err)
	}
	text, path := goodFile(t), filepath.Join(t.TempDir(), "access.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	write(text)
	fake := clock.NewFake(time.Now())
	live, err := accessfile.Open(path, logger, fake)
	if err != nil {
		t.Fatal(err)
	}
	people := func() int { return len(live.Now(t.Context()).People) }
	if n := people(); n != 3 {
		t.Fatalf("%d people", n)
	}
	fewer := strings.Replace(text, `  - {issuer: google, subject: "1142", role: operator}`+"\n", "", 1)
	write(fewer)
	if n := people(); n != 2 {
		t.Errorf("changed: %d people", n)
	}
	for name, broken := range map[string]string{"no YAML": "{", "a fault": strings.Replace(fewer, "role: auditor", "role: owner", 1), "nothing": ""} {
		log.Reset()
		write(broken)
		for range 3 {
			if n := people(); n != 2 {
				t.Errorf("%s: %d people", name, n)
			}
		}
		if n := strings.Count(log.String(), "stays in force"); n != 1 {
			t.Errorf("%s: %d lines:\n%s", name, n, log.String())
		}
	}
	log.Reset()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if n := people(); n != 2 {
			t.Errorf("removed: %d people", n)
		}
		fake.Advance(time.Minute)
	}
	if n := strings.Count(log.String(), "stays in force"); n != 1 {
		t.Errorf("removed: %d lines:\n%s", n, log.String())
	}
	write(text)
	if n := people(); n != 3 {
		t.Errorf("there again: %d people", n)
	}
	// A change that a file system does not show shows within ten seconds.
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(text, `"1142"`, `"1143"`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	fake.Advance(10 * time.Second)
	if s := live.Now(t.Context()).People[0].Subject; s != "1143" {
		t.Errorf("after ten seconds: %s", s)
	}
}

func TestTheFirstFileMustBeGood(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "access.yaml")
	if _, err := accessfile.Open(path, telemetry.Discard(), clock.System()); err == nil {
		t.Error("there is no file")
	}
	if err := os.WriteFile(path, []byte("people: [{}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := accessfile.Open(path, telemetry.Discard(), clock.System()); err == nil || !strings.Contains(err.Error(), "people[0].role") {
		t.Error(err)
	}
	live, err := accessfile.Open("", telemetry.Discard(), clock.System())
	if err != nil || len(live.Now(t.Context()).Issuers) != 0 {
		t.Errorf("without a file nobody comes in: %v", err)
	}
}
