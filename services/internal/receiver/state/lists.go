package state

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Lists is how the lists of a tenant's watched groups stand, for people to see: nothing is decided by it.
type Lists struct {
	At     time.Time       `json:"at"` // of this state
	Groups map[string]List `json:"groups"`
	Others int             `json:"others,omitempty"` // that are listed too
}

// List is one group's.
type List struct {
	Began   time.Time     `json:"began"` // when the last complete pass began
	Every   time.Duration `json:"every"` // ns between the begins of the last two; 0 after the first
	Pages   int           `json:"pages"` // of the last complete pass
	Members int           `json:"members"`
}

// SaveLists stores how a tenant's lists stand, over what was there.
func (s *Store) SaveLists(ctx context.Context, tenant string, l Lists) error {
	body, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("save the lists of %s: %w", tenant, err)
	}
	if _, err := s.kv.Put(ctx, tenant+".lists", body); err != nil {
		return fmt.Errorf("save the lists of %s: %w", tenant, err)
	}
	return nil
}

// LoadLists reads how a tenant's lists stood last; the zero Lists where none are read.
func (s *Store) LoadLists(ctx context.Context, tenant string) (Lists, error) {
	var l Lists
	_, err := s.get(ctx, tenant+".lists", &l)
	return l, err
}
