package store

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// compactAbove is the size in bytes above which a journal is folded into a snapshot at start and at stop.
const compactAbove = 4 << 20

// The folder holds snapshot-<n>.jsonl, absent for n = 0, and journal-<n>.jsonl, which goes on from it.
func (s *Store) file(kind string, n int) string {
	return filepath.Join(s.cfg.Dir, fmt.Sprintf("%s-%d.jsonl", kind, n))
}

// chunk is one line of a snapshot: a part of one tenant.
type chunk struct {
	Tenant    string            `json:"tenant,omitempty"`
	Info      *Tenant           `json:"info,omitempty"`
	Version   uint64            `json:"version,omitempty"`
	Seq       uint64            `json:"seq,omitempty"`
	Users     []*User           `json:"users,omitempty"`
	Groups    []*Group          `json:"groups,omitempty"`
	Group     string            `json:"group,omitempty"` // whose members IDs are
	IDs       []string          `json:"ids,omitempty"`
	Seqs      []uint64          `json:"seqs,omitempty"`
	Roles     map[string]string `json:"roles,omitempty"` // of members that have one
	Outsiders []*Outsider       `json:"outsiders,omitempty"`
	Subs      []*Subscription   `json:"subs,omitempty"`
	Log       []Change          `json:"log,omitempty"`
	End       bool              `json:"end,omitempty"` // the last line
}

func (s *Store) load() error {
	if err := os.MkdirAll(s.cfg.Dir, 0o700); err != nil {
		return err
	}
	n, err := s.newest()
	if err != nil {
		return err
	}
	if n > 0 {
		if err := s.readSnapshot(n); err != nil {
			return err
		}
	}
	s.journal, err = openJournal(s.file("journal", n), func(r record) error {
		if s.tenants[r.Tenant] == nil {
			s.tenants[r.Tenant] = newState()
		}
		return s.tenants[r.Tenant].apply(r)
	})
	if err != nil {
		return err
	}
	return s.compact()
}

// newest returns the number of the newest snapshot, 0 for none. A snapshot has its name only once it is complete.
func (s *Store) newest() (int, error) {
	names, err := filepath.Glob(filepath.Join(s.cfg.Dir, "snapshot-*.jsonl"))
	if err != nil {
		return 0, err
	}
	newest := 0
	for _, name := range names {
		digits := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(name), "snapshot-"), ".jsonl")
		if n, err := strconv.Atoi(digits); err == nil {
			newest = max(newest, n)
		}
	}
	return newest, nil
}

// compact folds a long journal into the next snapshot.
func (s *Store) compact() error {
	if s.journal.size < compactAbove {
		return nil
	}
	n, err := s.newest()
	if err != nil {
		return err
	}
	if err := s.writeSnapshot(n + 1); err != nil {
		return fmt.Errorf("write a snapshot: %w", err)
	}
	next, err := openJournal(s.file("journal", n+1), func(record) error { return errors.New("it should be empty") })
	if err != nil {
		return err
	}
	old := s.journal
	s.journal = next
	err = errors.Join(old.close(), os.Remove(s.file("journal", n)))
	if n > 0 {
		err = errors.Join(err, os.Remove(s.file("snapshot", n)))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (s *Store) writeSnapshot(n int) error {
	path := s.file("snapshot", n)
	file, err := os.OpenFile(path+".part", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(file, 1<<20)
	enc := json.NewEncoder(w)
	oldest := s.cfg.Now().Add(-s.cfg.Retain)
	for id, st := range s.tenants {
		err = errors.Join(err, st.dump(oldest, func(c chunk) error { c.Tenant = id; return enc.Encode(c) }))
	}
	err = errors.Join(err, enc.Encode(chunk{End: true}), w.Flush(), file.Sync(), file.Close())
	if err != nil {
		return err
	}
	return os.Rename(path+".part", path)
}

func (s *Store) readSnapshot(n int) error {
	path := s.file("snapshot", n)
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	ended := false
	_, err = readLines(file, func(line []byte) error {
		var c chunk
		if err := json.Unmarshal(line, &c); err != nil {
			return err
		}
		if c.End {
			ended = true
			return nil
		}
		if s.tenants[c.Tenant] == nil {
			s.tenants[c.Tenant] = newState()
		}
		return s.tenants[c.Tenant].restore(c)
	})
	if err == nil && !ended {
		err = errors.New("it has no end")
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

// trim drops the log entries before oldest.
func trim(log []Change, oldest time.Time) []Change {
	for i, c := range log {
		if !c.At.Before(oldest) {
			return log[i:]
		}
	}
	return nil
}
