package cli_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/secret"
)

// A receiver runs while its keys are rotated: what it has made before and what it makes afterwards is proved.
func TestKeysAreRotatedUnderARunningReceiver(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "intake.keys")
	fake := clock.NewFake(time.Now())
	keys, err := secret.Open(file, true, fake)
	if err != nil {
		t.Fatal(err)
	}
	sign := func() string {
		s, err := keys.Sign(directory.Entra, secret.Proof{Tenant: "contoso", Channel: "c1"})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	before, old := keys.Current(), sign()
	out, stderr, code := run(t, "keys", "rotate", "--file", file, "--after", "1h", "--json")
	var all []struct {
		Key     string
		Current bool
		From    time.Time
		Until   time.Time
	}
	if err := json.Unmarshal([]byte(out), &all); err != nil || code != 0 || len(all) != 2 {
		t.Fatalf("%d %s %s %v", code, out, stderr, err)
	}
	if all[0].Key != before || !all[0].Current || all[0].Until.Sub(all[1].From) != secret.Proves {
		t.Errorf("until the hour is over the old key is to make secrets, and to prove them 30 days longer: %+v", all)
	}
	fake.Advance(2 * time.Hour)
	if keys.Current() != all[1].Key {
		t.Errorf("after the hour %s makes secrets, want %s", keys.Current(), all[1].Key)
	}
	for _, s := range []string{old, sign()} {
		if _, err := keys.Verify(directory.Entra, s); err != nil {
			t.Errorf("a secret is not proved: %v", err)
		}
	}
	out, _, code = run(t, "keys", "list", "--file", file)
	if code != 0 || !strings.Contains(out, before) || !strings.Contains(out, all[1].Key) || strings.Contains(out, ":"+old) {
		t.Errorf("list: %d\n%s", code, out)
	}
}

func TestKeysThatAreNotThere(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"list", "rotate"} {
		_, stderr, code := run(t, "keys", command)
		if code != 1 || !strings.Contains(stderr, "intake.keys") || !strings.Contains(stderr, "--file") {
			t.Errorf("%s: %d %s", command, code, stderr)
		}
	}
	if _, stderr, code := run(t, "keys", "rotate", "--after", "-1s"); code != 2 || !strings.Contains(stderr, "--after") {
		t.Errorf("a time that has passed: %d %s", code, stderr)
	}
}
