package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Mark says that something has changed in a tenant's directory since the mark's time: read.
type Mark struct {
	Cause    string    `json:"cause"` // id of the notification
	At       time.Time `json:"at"`
	Resource string    `json:"resource,omitempty"` // "user", "group" or empty
	ID       string    `json:"id,omitempty"`       // of the resource
	Revision uint64    `json:"-"`
}

// SetMark stores the mark over any other and returns it with its revision.
func (s *Store) SetMark(ctx context.Context, tenant string, m Mark) (Mark, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return Mark{}, fmt.Errorf("mark %s: %w", tenant, err)
	}
	if m.Revision, err = s.kv.Put(ctx, tenant+".dirty", body); err != nil {
		return Mark{}, fmt.Errorf("mark %s: %w", tenant, err)
	}
	return m, nil
}

// LoadMark returns a tenant's mark, or nil.
func (s *Store) LoadMark(ctx context.Context, tenant string) (*Mark, error) {
	var m Mark
	revision, err := s.get(ctx, tenant+".dirty", &m)
	if err != nil || revision == 0 {
		return nil, err
	}
	m.Revision = revision
	return &m, nil
}

// ClearMark removes the mark unless a newer one is there, which stays.
func (s *Store) ClearMark(ctx context.Context, tenant string, m Mark) error {
	err := s.remove(ctx, tenant+".dirty", m.Revision)
	if errors.Is(err, ErrSuperseded) {
		return nil
	}
	return err
}
