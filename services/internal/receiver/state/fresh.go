package state

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Fresh is when a tenant was last known as it was: nothing is decided by it. A lane that takes the tenant over, and cannot
// read it, tells by it how old its news is.
type Fresh struct {
	Began time.Time `json:"began"` // begin of the last good round, as rollcall_freshness_seconds has it
}

// SaveFresh stores since when a tenant is fresh, over what was there.
func (s *Store) SaveFresh(ctx context.Context, tenant string, f Fresh) error {
	body, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("save the freshness of %s: %w", tenant, err)
	}
	if _, err := s.kv.Put(ctx, tenant+".fresh", body); err != nil {
		return fmt.Errorf("save the freshness of %s: %w", tenant, err)
	}
	return nil
}

// LoadFresh reads since when a tenant is fresh; the zero Fresh where no round has ended well.
func (s *Store) LoadFresh(ctx context.Context, tenant string) (Fresh, error) {
	var f Fresh
	_, err := s.get(ctx, tenant+".fresh", &f)
	return f, err
}
