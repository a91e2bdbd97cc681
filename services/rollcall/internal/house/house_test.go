package house_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/rollcall/internal/house"
)

func TestAKeyIsMadeOnceAndSafe(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "initech.key.json")
	first, err := house.OpenAccount(file)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v, %v", info, err)
	}
	public := first.App("initech.com").PublicKey
	if !strings.HasPrefix(public, "-----BEGIN PUBLIC KEY-----") {
		t.Errorf("public key %q", public)
	}
	if again, err := house.OpenAccount(file); err != nil || again.App("initech.com").PublicKey != public {
		t.Errorf("another key the second time: %v", err)
	}
}

func TestACertificateIsUsedForAsLongAsItIsGood(t *testing.T) {
	t.Parallel()
	folder, now := t.TempDir(), time.Now()
	read := func(at time.Time) string {
		t.Helper()
		cert, _, err := house.Certificate(folder, at)
		if err != nil {
			t.Fatal(err)
		}
		body, err := os.ReadFile(cert)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	first := read(now)
	if read(now.Add(24*time.Hour)) != first {
		t.Error("another certificate the second time")
	}
	if read(now.Add(90*24*time.Hour)) == first {
		t.Error("a certificate is used to its last day")
	}
}

// Who has been given an address may be slow to listen at it.
func TestNoAddressIsGivenTwice(t *testing.T) {
	t.Parallel()
	given := map[string]bool{}
	for range 500 {
		address, err := house.FreeAddress(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if given[address] {
			t.Fatalf("%s was given before", address)
		}
		given[address] = true
	}
}
