package secret_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/secret"
)

const (
	first  = "k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	second = "k2:ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="
)

func keys(t testing.TB, lines ...string) secret.Keys {
	t.Helper()
	k, err := secret.Parse([]byte(strings.Join(lines, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func sign(t testing.TB, k secret.Keys, p secret.Proof) string {
	t.Helper()
	s, err := k.Sign(directory.Entra, p)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSecretProvesItself(t *testing.T) {
	t.Parallel()
	k := keys(t, first)
	want := secret.Proof{Tenant: strings.Repeat("t", 40), Channel: strings.Repeat("C", 26)}
	s := sign(t, k, want)
	if len(s) > 128 {
		t.Errorf("a secret of %d characters", len(s))
	}
	got, err := k.Verify(directory.Entra, s)
	if err != nil || got != want {
		t.Errorf("Verify = %+v, %v, want %+v", got, err, want)
	}
}

func TestSecretOfAnotherIsNoProof(t *testing.T) {
	t.Parallel()
	k := keys(t, first)
	good := sign(t, k, secret.Proof{Tenant: "contoso", Channel: "c1"})
	for name, s := range map[string]string{
		"empty":            "",
		"another tenant":   strings.Replace(good, "contoso", "fabrikam", 1),
		"another channel":  strings.Replace(good, ".c1.", ".c2.", 1),
		"no mac":           good[:strings.LastIndexByte(good, '.')+1],
		"cut mac":          good[:len(good)-1],
		"changed mac":      good[:len(good)-2] + "zz",
		"another version":  strings.Replace(good, "v1.", "v2.", 1),
		"unknown key":      strings.Replace(good, "k1.", "k9.", 1),
		"a part too many":  good + ".x",
		"far too long":     good + strings.Repeat("x", 200),
		"another key's":    sign(t, keys(t, strings.Replace(second, "k2", "k1", 1)), secret.Proof{Tenant: "contoso", Channel: "c1"}),
		"null as a string": "null",
	} {
		if _, err := k.Verify(directory.Entra, s); !errors.Is(err, secret.ErrNotProved) {
			t.Errorf("%s: Verify = %v, want ErrNotProved", name, err)
		}
	}
	if _, err := k.Verify(directory.GoogleWorkspace, good); !errors.Is(err, secret.ErrNotProved) {
		t.Errorf("another provider's secret is taken: %v", err)
	}
}

func TestKeysRotate(t *testing.T) {
	t.Parallel()
	p := secret.Proof{Tenant: "contoso", Channel: "c1"}
	old := sign(t, keys(t, first), p)
	both := keys(t, "# newest first", second, "", first)
	if both.Current() != keys(t, second).Current() {
		t.Errorf("current key is %q", both.Current())
	}
	if was := keys(t, first).Current(); !both.Has(was) || keys(t, second).Has(was) {
		t.Error("the previous key is not told from a dropped one")
	}
	if both.Has(keys(t, strings.Replace(second, "k2", "k1", 1)).Current()) {
		t.Error("another key of the same id is taken for the previous one")
	}
	if _, err := both.Verify(directory.Entra, old); err != nil {
		t.Errorf("a secret of the previous key is refused: %v", err)
	}
	if s := sign(t, both, p); !strings.HasPrefix(s, "v1.k2.") {
		t.Error("new secrets are not made with the first key")
	}
	if _, err := keys(t, second).Verify(directory.Entra, old); !errors.Is(err, secret.ErrNotProved) {
		t.Errorf("a secret of a dropped key still proves itself: %v", err)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"nothing": "\n# none\n", "no id": ":MDEyMzQ1Njc4OWFiY2RlZg==", "no base64": "k1:%%%", "short": "k1:MDE=",
		"bad id": "K.1:MDEyMzQ1Njc4OWFiY2RlZg==", "twice": first + "\n" + first,
		"no time": first + " from=soon", "no such field": first + " since=2026-11-22T09:00:00Z", "a word": first + " x",
	} {
		_, err := secret.Parse([]byte(text))
		if err == nil {
			t.Errorf("%s: taken", name)
		} else if strings.Contains(err.Error(), "MDE") {
			t.Errorf("%s: the error shows the key: %v", name, err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	k := keys(f, first)
	good := sign(f, k, secret.Proof{Tenant: "contoso", Channel: "c1"})
	f.Add(good)
	f.Add("")
	f.Add("v1.k1.contoso.c1.")
	f.Add("....")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := k.Verify(directory.Entra, s)
		if err != nil {
			return
		}
		if again := sign(t, k, p); again != s {
			t.Errorf("%q proves %+v, whose secret is %q", s, p, again)
		}
	})
}
