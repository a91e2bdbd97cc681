package secret

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

const (
	keyBytes    = 32
	minKeyBytes = 16
)

var keyID = regexp.MustCompile(`^[a-z0-9]{1,12}$`)

// Set makes secrets and proves them: Keys, or a File of them.
type Set interface {
	// Current names the key that makes new secrets.
	Current() string
	// Has reports whether the key of that name still proves what was made with it.
	Has(name string) bool
	// Sign makes the secret of a tenant's channel.
	Sign(directory.Provider, Proof) (string, error)
	// Verify proves an echoed secret, in constant time. Errors: ErrNotProved.
	Verify(provider directory.Provider, echoed string) (Proof, error)
}

// Keys are what secrets are made with. The first one makes new secrets; the rest still prove old ones.
type Keys struct{ all []key }

type key struct {
	id    string
	bytes []byte
	from  time.Time // makes secrets from then on; zero: at once
	until time.Time // proves secrets until then; zero: for as long as it stands there
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

// Parse reads one key a line, "<id>:<base64>", newest first, with "from=<time>" and "until=<time>" behind it where they are not
// zero (RFC 3339). Empty lines and lines that begin with # are skipped. No error shows a key.
func Parse(text []byte) (Keys, error) {
	var keys Keys
	seen := map[string]bool{}
	for i, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Fields(line)
		id, encoded, _ := strings.Cut(fields[0], ":")
		raw, err := base64.StdEncoding.DecodeString(encoded)
		switch {
		case !keyID.MatchString(id):
			return Keys{}, fmt.Errorf("keys, line %d: want <id>:<base64> with an id of 1 to 12 of a-z and 0-9", i+1)
		case err != nil || len(raw) < minKeyBytes:
			return Keys{}, fmt.Errorf("keys, line %d: want at least %d bytes in base64 behind the id", i+1, minKeyBytes)
		case seen[id]:
			return Keys{}, fmt.Errorf("keys, line %d: the id %q stands there twice", i+1, id)
		}
		one := key{id: id, bytes: raw}
		if err := one.during(fields[1:]); err != nil {
			return Keys{}, fmt.Errorf("keys, line %d: %w", i+1, err)
		}
		seen[id] = true
		keys.all = append(keys.all, one)
	}
	if len(keys.all) == 0 {
		return Keys{}, errors.New("keys: there is none")
	}
	return keys, nil
}

// during reads when a key is used.
func (k *key) during(fields []string) error {
	for _, f := range fields {
		name, value, _ := strings.Cut(f, "=")
		at, err := time.Parse(time.RFC3339, value)
		switch {
		case err != nil:
			return fmt.Errorf("want a time behind %q", name)
		case name == "from":
			k.from = at
		case name == "until":
			k.until = at
		default:
			return fmt.Errorf("%q: want from= or until= behind the key", name)
		}
	}
	return nil
}

// text is the line of a key, see Parse.
func (k key) text() string {
	line := k.id + ":" + base64.StdEncoding.EncodeToString(k.bytes)
	if !k.from.IsZero() {
		line += " from=" + k.from.UTC().Format(time.RFC3339)
	}
	if !k.until.IsZero() {
		line += " until=" + k.until.UTC().Format(time.RFC3339)
	}
	return line
}

// at are the keys as they are used at a time: without those whose time is over, and with those whose time is to come behind
// the one that makes secrets. At least one is left.
func (k Keys) at(now time.Time) Keys {
	var current, coming []key
	for _, one := range k.all {
		switch {
		case !one.until.IsZero() && !now.Before(one.until):
		case now.Before(one.from):
			coming = append(coming, one)
		default:
			current = append(current, one)
		}
	}
	if now := append(current, coming...); len(now) > 0 {
		return Keys{all: now}
	}
	return Keys{all: k.all[:1]}
}

// Generate makes one new key that is kept nowhere.
func Generate() Keys { return Keys{all: []key{generate("k1")}} }

func generate(id string) key {
	k := key{id: id, bytes: make([]byte, keyBytes)}
	_, _ = rand.Read(k.bytes) // never fails
	return k
}
