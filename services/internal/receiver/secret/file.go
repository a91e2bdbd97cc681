package secret

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
)

const (
	// lookEvery is how long a file's keys are used before it is looked at again.
	lookEvery = 10 * time.Second
	// Proves is how long a key that was replaced goes on proving secrets: longer than a channel of any provider lives, which is
	// 29 days at most.
	Proves = 30 * 24 * time.Hour
)

// File is a file of keys that is read again when it has changed, so that a rotation needs no restart. It is safe for
// concurrent use.
type File struct {
	path  string
	clock clock.Clock

	mu     sync.Mutex
	keys   Keys
	read   os.FileInfo // the file as it was read
	looked time.Time
}

var _ Set = (*File)(nil)

// Open reads the keys of a file that nobody but its owner may read, and with create writes one with a new key first where there
// is none.
func Open(path string, create bool, c clock.Clock) (*File, error) {
	if create {
		if err := first(path); err != nil {
			return nil, err
		}
	}
	f := &File{path: path, clock: c, looked: c.Now()}
	return f, f.load()
}

// Load reads the keys of a file that nobody but its owner may read, whenever they are used.
func Load(path string) (Keys, error) {
	f := &File{path: path}
	err := f.load()
	return f.keys, err
}

func (f *File) load() error {
	info, err := os.Stat(f.path)
	if err != nil {
		return fmt.Errorf("load intake's keys: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("load intake's keys: others may read %s, want mode 0600", f.path)
	}
	text, err := os.ReadFile(f.path)
	if err != nil {
		return fmt.Errorf("load intake's keys: %w", err)
	}
	keys, err := Parse(text)
	if err != nil {
		return fmt.Errorf("load intake's keys from %s: %w", f.path, err)
	}
	f.keys, f.read = keys, info
	return nil
}

// now are the keys as they are used now. A file that cannot be read, such as a half-written one, leaves those that were read
// before in use.
func (f *File) now() Keys {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.clock.Now()
	if now.Sub(f.looked) >= lookEvery {
		f.looked = now
		if info, err := os.Stat(f.path); err == nil && (!os.SameFile(info, f.read) || !info.ModTime().Equal(f.read.ModTime())) {
			_ = f.load()
		}
	}
	return f.keys.at(now)
}

// Current is Set's.
func (f *File) Current() string { return f.now().Current() }

// Has is Set's.
func (f *File) Has(name string) bool { return f.now().Has(name) }

// Sign is Set's.
func (f *File) Sign(provider directory.Provider, p Proof) (string, error) {
	return f.now().Sign(provider, p)
}

// Verify is Set's.
func (f *File) Verify(provider directory.Provider, echoed string) (Proof, error) {
	return f.now().Verify(provider, echoed)
}

// Rotate puts a new key in front of those in a file, and returns its name. It makes secrets once after has passed, by when every
// process must have the file: until then it only proves them. Those that it replaces prove what was made with them for Proves
// longer; those whose time is over are dropped.
func Rotate(path string, now time.Time, after time.Duration) (string, error) {
	keys, err := Load(path)
	if err != nil {
		return "", err
	}
	fresh := generate(keys.free())
	fresh.from = now.Add(after)
	lines := []string{fresh.text()}
	for _, k := range keys.all {
		if !k.until.IsZero() && !now.Before(k.until) {
			continue
		}
		if k.until.IsZero() {
			k.until = fresh.from.Add(Proves)
		}
		lines = append(lines, k.text())
	}
	if err := replace(path, lines); err != nil {
		return "", fmt.Errorf("rotate intake's keys: %w", err)
	}
	return fresh.name(), nil
}

// free is an id that no key has.
func (k Keys) free() string {
	for n := len(k.all) + 1; ; n++ {
		id := fmt.Sprintf("k%d", n)
		taken := false
		for _, one := range k.all {
			taken = taken || one.id == id
		}
		if !taken {
			return id
		}
	}
}

// first writes a file with one new key where there is none. Where another process has written one meanwhile, that one stands.
func first(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil // whatever is wrong with it is said when it is read
	}
	err := write(path, []string{generate("k1").text()}, os.Link)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("write intake's first key: %w", err)
	}
	return nil
}

func replace(path string, lines []string) error { return write(path, lines, os.Rename) }

// write puts the whole file there or nothing: put brings it from where it was written to its place.
func write(path string, lines []string, put func(from, to string) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".keys-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.WriteString(strings.Join(lines, "\n") + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return put(f.Name(), path)
}

// Standing is what may be told of a key.
type Standing struct {
	Name    string    // its id and a fingerprint
	Current bool      // it makes the secrets
	From    time.Time // it makes them from then on; zero: it always did
	Until   time.Time // it proves them until then; zero: for as long as nothing replaces it
}

// Standings tells of the keys as they are used at a time, the current one first.
func (k Keys) Standings(now time.Time) (all []Standing) {
	for i, one := range k.at(now).all {
		all = append(all, Standing{Name: one.name(), Current: i == 0, From: one.from, Until: one.until})
	}
	return all
}
