package secret

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

const (
	keyBytes    = 32
	minKeyBytes = 16
)

var keyID = regexp.MustCompile(`^[a-z0-9]{1,12}$`)

// Keys are what secrets are made with. The first one makes new secrets; the rest still prove old ones, so that a key is
// rotated by putting a new one in front and dropping the old when no channel uses it any more.
type Keys struct{ all []key }

type key struct {
	id    string
	bytes []byte
}

// Current names the key that makes new secrets: its id and a fingerprint, as a lost key is often made anew under its id.
func (k Keys) Current() string {
	if len(k.all) == 0 {
		return ""
	}
	return k.all[0].name()
}

// Has reports whether the key of that name is one of them: what was made with it still proves itself.
func (k Keys) Has(name string) bool {
	return slices.ContainsFunc(k.all, func(one key) bool { return one.name() == name })
}

// name ends in 32 bits of a MAC, which tell keys apart and nothing about them.
func (k key) name() string {
	h := hmac.New(sha256.New, k.bytes)
	h.Write([]byte("name"))
	return k.id + "-" + hex.EncodeToString(h.Sum(nil)[:4])
}

// Parse reads one key a line, "<id>:<base64>", newest first. Empty lines and lines that begin with # are skipped. No error
// shows a key.
func Parse(text []byte) (Keys, error) {
	var keys Keys
	seen := map[string]bool{}
	for i, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		id, encoded, _ := strings.Cut(line, ":")
		raw, err := base64.StdEncoding.DecodeString(encoded)
		switch {
		case !keyID.MatchString(id):
			return Keys{}, fmt.Errorf("keys, line %d: want <id>:<base64> with an id of 1 to 12 of a-z and 0-9", i+1)
		case err != nil || len(raw) < minKeyBytes:
			return Keys{}, fmt.Errorf("keys, line %d: want at least %d bytes in base64 behind the id", i+1, minKeyBytes)
		case seen[id]:
			return Keys{}, fmt.Errorf("keys, line %d: the id %q stands there twice", i+1, id)
		}
		seen[id] = true
		keys.all = append(keys.all, key{id: id, bytes: raw})
	}
	if len(keys.all) == 0 {
		return Keys{}, errors.New("keys: there is none")
	}
	return keys, nil
}

// Load reads the keys of a file that nobody but its owner may read.
func Load(path string) (Keys, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Keys{}, fmt.Errorf("load intake's keys: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return Keys{}, fmt.Errorf("load intake's keys: others may read %s, want mode 0600", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return Keys{}, fmt.Errorf("load intake's keys: %w", err)
	}
	return Parse(text)
}

// LoadOrGenerate is Load, and writes a file with one new key first where there is none.
func LoadOrGenerate(path string) (Keys, error) {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return Load(path)
	}
	if err := write(path, generate()); err != nil && !errors.Is(err, fs.ErrExist) {
		return Keys{}, fmt.Errorf("write intake's first key: %w", err)
	}
	return Load(path)
}

// Generate makes one new key that is kept nowhere.
func Generate() Keys {
	keys, err := Parse(generate())
	if err != nil {
		panic(err) // generate writes what Parse reads
	}
	return keys
}

func generate() []byte {
	raw := make([]byte, keyBytes)
	_, _ = rand.Read(raw) // never fails
	return fmt.Appendf(nil, "k1:%s\n", base64.StdEncoding.EncodeToString(raw))
}

// write puts the whole file there or nothing, and never over one that another process has written meanwhile.
func write(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".keys-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Link(f.Name(), path)
}
