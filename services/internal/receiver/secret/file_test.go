package secret_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/secret"
)

var (
	nine = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	who  = secret.Proof{Tenant: "contoso", Channel: "c1"}
)

func openFile(t *testing.T, path string, c clock.Clock) *secret.File {
	t.Helper()
	f, err := secret.Open(path, true, c)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func signed(t *testing.T, s secret.Set) string {
	t.Helper()
	text, err := s.Sign(directory.Entra, who)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func proves(s secret.Set, text string) bool {
	got, err := s.Verify(directory.Entra, text)
	return err == nil && got == who
}

func TestKeysFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "intake.keys")
	if _, err := secret.Open(path, false, clock.System()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file is %v", err)
	}
	s := signed(t, openFile(t, path, clock.System()))
	if !proves(openFile(t, path, clock.System()), s) {
		t.Error("the second start has another key")
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := secret.Open(path, true, clock.System()); err == nil {
		t.Error("a file that everybody may read is taken")
	}
}

// Two processes have the same file. One hears of the new key as late as it may: what the other makes with it is proved anyway.
func TestRotatedWhileTwoProcessesRun(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "intake.keys")
	fake := clock.NewFake(nine)
	one, other := openFile(t, path, fake), openFile(t, path, fake)
	old, before := signed(t, one), one.Current()
	name, err := secret.Rotate(path, fake.Now(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if one.Current() != before || one.Has(name) {
		t.Error("the file was looked at before its time")
	}
	fake.Advance(10 * time.Second)
	if one.Current() != before || !one.Has(name) {
		t.Errorf("the new key is to be known and not to be used yet: %s", one.Current())
	}
	fake.Advance(50 * time.Second)
	if one.Current() != name || other.Current() != name {
		t.Errorf("after its time the new key is to be used: %s, %s", one.Current(), other.Current())
	}
	if !proves(other, signed(t, one)) || !proves(other, old) {
		t.Error("secrets of both keys are to be proved")
	}
	fake.Advance(secret.Proves - time.Second)
	if !proves(one, old) {
		t.Error("after 30 days the old key proves no more")
	}
	fake.Advance(time.Second)
	if proves(one, old) || one.Has(before) {
		t.Error("the old key proves for ever")
	}
	if again, err := secret.Rotate(path, fake.Now(), 0); err != nil || again == name {
		t.Errorf("rotated again: %s, %v", again, err)
	}
	fake.Advance(time.Minute)
	keys, err := secret.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if all := keys.Standings(fake.Now()); len(all) != 2 || all[1].Name != name || !all[0].Current || all[1].Until.IsZero() {
		t.Errorf("kept: %+v", all)
	}
}

func TestRotatedTwiceAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "intake.keys")
	fake := clock.NewFake(nine)
	f := openFile(t, path, fake)
	old := signed(t, f)
	for range 2 {
		if _, err := secret.Rotate(path, fake.Now(), time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		fake.Advance(time.Minute)
		if !proves(f, old) || !proves(f, signed(t, f)) {
			t.Error("a secret that was made is not proved")
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestFileThatCannotBeReadLeavesTheKeysInUse(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "intake.keys")
	fake := clock.NewFake(nine)
	f := openFile(t, path, fake)
	old := signed(t, f)
	if err := os.WriteFile(path, []byte("half a k"), 0o600); err != nil {
		t.Fatal(err)
	}
	fake.Advance(time.Minute)
	if !proves(f, old) {
		t.Error("a broken file takes the keys away")
	}
	if _, err := secret.Rotate(path, nine, 0); err == nil || strings.Contains(err.Error(), "half") {
		t.Errorf("rotated a broken file: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(first)
	f.Add(first + " from=2026-11-22T09:00:00Z until=2026-12-22T09:00:00Z\n# comment\n" + second)
	f.Add("k1: from=")
	f.Add(" \n:")
	f.Fuzz(func(t *testing.T, text string) {
		keys, err := secret.Parse([]byte(text))
		if err != nil {
			return
		}
		for _, now := range []time.Time{nine.AddDate(-90, 0, 0), nine, nine.AddDate(900, 0, 0)} {
			if all := keys.Standings(now); len(all) == 0 || !all[0].Current {
				t.Errorf("%q makes no secrets at %v", text, now)
			}
		}
	})
}
