package store

import (
	"fmt"
	"sync"
	"time"
)

// Config says where a store keeps its files and how it tells the time.
type Config struct {
	Dir string           // empty keeps everything in memory
	Now func() time.Time // nil means time.Now
	// Retain is how long the log of changes is kept for delta queries; 0 means 8 days.
	Retain time.Duration
}

// Store holds all tenants. It is safe for concurrent use.
type Store struct {
	*shared
	via Via // how the mutations made through this handle are done
}

type shared struct {
	cfg      Config
	mu       sync.RWMutex
	tenants  map[string]*state // by directory id
	replicas map[string]*replica
	journal  *journal // nil in memory
	watch    func(tenant string, changes []Change)
}

// Open reads what the folder holds, dropping a torn last line, or starts empty.
func Open(cfg Config) (*Store, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Retain == 0 {
		cfg.Retain = 8 * 24 * time.Hour
	}
	s := &Store{shared: &shared{cfg: cfg, tenants: map[string]*state{}, replicas: map[string]*replica{}}}
	if cfg.Dir == "" {
		return s, nil
	}
	if err := s.load(); err != nil {
		return nil, fmt.Errorf("open the directory store: %w", err)
	}
	return s, nil
}

// Via returns a handle of the same store whose mutations are told as done that way.
func (s *Store) Via(how Via) *Store { return &Store{shared: s.shared, via: how} }

// Close writes a snapshot when the journal has grown long, and closes the files.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.journal == nil {
		return nil
	}
	err := s.compact()
	if closing := s.journal.close(); err == nil {
		err = closing
	}
	s.journal = nil
	if err != nil {
		return fmt.Errorf("close the directory store: %w", err)
	}
	return nil
}

// Watch calls f after every mutation, in order. f must be quick and must not call the store.
func (s *Store) Watch(f func(tenant string, changes []Change)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watch = f
}

// Result tells what a mutation did.
type Result struct {
	ID      string // of the object that it is about, if one
	Version uint64 // the tenant's last version afterwards
	At      time.Time
	Count   int // users, groups or links that changed
}

// mutate runs build under the lock, makes its record durable and then true. A nil record changes nothing.
func (s *Store) mutate(tenant string, build func(*state) (*record, error)) (Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.tenants[tenant]
	if st == nil {
		return Result{}, fmt.Errorf("tenant %s: %w", tenant, ErrNotFound)
	}
	r, err := build(st)
	if err != nil {
		return Result{}, err
	}
	now := s.cfg.Now().UTC()
	if r == nil {
		return Result{Version: st.version, At: now}, nil
	}
	r.Tenant, r.At, r.Via = tenant, now, s.via
	return s.commit(st, *r)
}

func (s *Store) commit(st *state, r record) (Result, error) {
	if s.journal != nil {
		if err := s.journal.append(r); err != nil {
			return Result{}, fmt.Errorf("write the journal: %w", err)
		}
	}
	before := len(st.log)
	if err := st.apply(r); err != nil {
		return Result{}, err
	}
	s.follow(r)
	changes := st.log[before:]
	count := 0
	for _, c := range changes {
		if !c.Implied {
			count++
		}
	}
	if s.watch != nil && len(changes) > 0 {
		s.watch(r.Tenant, changes)
	}
	return Result{Version: st.version, At: r.At, Count: count}, nil
}
