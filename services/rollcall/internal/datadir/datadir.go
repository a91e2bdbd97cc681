// Package datadir is the folder of one running Rollcall: it belongs to one process at a time, and tells the operator's
// commands where that process is reached.
package datadir

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ErrInUse says that another process has the folder.
var ErrInUse = errors.New("another rollcall runs with this data folder")

// ErrNotRunning says that no process has left its endpoints in the folder.
var ErrNotRunning = errors.New("no rollcall runs with this data folder")

// Endpoints says where a running process is reached.
type Endpoints struct {
	NATS      string     `json:"nats"`
	HTTP      string     `json:"http"`
	Ledger    string     `json:"ledger,omitempty"`    // address of the database, where this process has the worker's role
	Simulator *Simulator `json:"simulator,omitempty"` // of a demo
}

// Simulator says where the simulated directory of a demo is changed.
type Simulator struct {
	URL    string `json:"url"`
	CAFile string `json:"ca_file"`
	Tenant string `json:"tenant"` // the simulator's name of the tenant that the demo connected
}

const (
	lockFile      = "rollcall.lock"
	endpointsFile = "endpoints.json"
	identityFile  = "identity"
)

// Dir is a folder that this process has for itself.
type Dir struct {
	path string
	lock *os.File
}

// Open makes the folder where it is missing and takes it. It fails with ErrInUse when another process has it; the end of
// a process, however it comes, gives the folder back.
func Open(path string) (*Dir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(path, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the data folder: %w", err)
	}
	if err := acquire(lock); err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("open the data folder %s: %w", path, err)
	}
	return &Dir{path: path, lock: lock}, nil
}

// Join returns the path of a file or folder in it.
func (d *Dir) Join(name string) string { return filepath.Join(d.path, name) }

// Identity is an id that no other folder has, the same at each start. A folder that was copied must lose its own.
func (d *Dir) Identity() (string, error) {
	path := d.Join(identityFile)
	body, err := os.ReadFile(path)
	if id := strings.TrimSpace(string(body)); err == nil && id != "" {
		return id, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the folder's identity: %w", err)
	}
	id := rand.Text()
	if err := os.WriteFile(path, []byte(id+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("give the folder an identity: %w", err)
	}
	return id, nil
}

// Announce writes where this process is reached, whole or not at all.
func (d *Dir) Announce(e Endpoints) error {
	body, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the endpoints: %w", err)
	}
	f, err := os.CreateTemp(d.path, endpointsFile+".*") // mode 0600
	if err != nil {
		return fmt.Errorf("write the endpoints: %w", err)
	}
	_, err = f.Write(append(body, '\n'))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), d.Join(endpointsFile))
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("write the endpoints: %w", err)
	}
	return nil
}

// Close takes the endpoints back and gives the folder free.
func (d *Dir) Close() error {
	err := os.Remove(d.Join(endpointsFile))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, d.lock.Close())
}

// Find reads where the process that has the folder is reached: ErrNotRunning when nobody has said so. A process that was
// killed leaves its endpoints behind, so a caller must be ready to find nobody there.
func Find(path string) (Endpoints, error) {
	body, err := os.ReadFile(filepath.Join(path, endpointsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return Endpoints{}, fmt.Errorf("%s: %w", path, ErrNotRunning)
	}
	if err != nil {
		return Endpoints{}, fmt.Errorf("find the running rollcall: %w", err)
	}
	var e Endpoints
	if err := json.Unmarshal(body, &e); err != nil {
		return Endpoints{}, fmt.Errorf("read the endpoints in %s: %w", path, err)
	}
	return e, nil
}
