// Package state keeps what sync must not forget about a tenant, in the KV bucket "cursors": how far its feeds are read,
// the mark that something has changed, and the commands that are not carried out yet. Every change that could undo
// somebody else's is made by compare-and-set.
package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-hq/rollcall/pkg/bus"
)

// ErrSuperseded says that somebody else has written meanwhile: what is in hand is no longer true.
var ErrSuperseded = errors.New("another owner has written meanwhile")

// Store is the bucket. Keys are <tenant>.feeds, <tenant>.dirty, <tenant>.fresh, <tenant>.lists and
// <tenant>.command.<name>.
type Store struct{ kv jetstream.KeyValue }

// New returns the store in a bucket.
func New(kv jetstream.KeyValue) *Store { return &Store{kv: kv} }

// get reads a key as JSON into value and returns its revision, 0 where there is none.
func (s *Store) get(ctx context.Context, key string, value any) (uint64, error) {
	entry, err := s.kv.Get(ctx, key)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", key, err)
	}
	if err := json.Unmarshal(entry.Value(), value); err != nil {
		return 0, fmt.Errorf("read %s: %w", key, err)
	}
	return entry.Revision(), nil
}

// swap writes a key if it still has the revision, 0 where it must not be there, and returns the new one.
func swap(ctx context.Context, kv jetstream.KeyValue, key string, body []byte, revision uint64) (next uint64, err error) {
	if revision == 0 {
		next, err = kv.Create(ctx, key, body)
	} else {
		next, err = kv.Update(ctx, key, body, revision)
	}
	if errors.Is(err, jetstream.ErrKeyExists) || errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
		return 0, ErrSuperseded
	}
	return next, err
}

// remove deletes a key if it still has the revision.
func (s *Store) remove(ctx context.Context, key string, revision uint64) error {
	err := s.kv.Delete(ctx, key, jetstream.LastRevision(revision))
	if errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
		return fmt.Errorf("remove %s: %w", key, ErrSuperseded)
	}
	if err != nil {
		return fmt.Errorf("remove %s: %w", key, err)
	}
	return nil
}

// Forget removes all that is stored of a tenant.
func (s *Store) Forget(ctx context.Context, tenant string) error {
	_, err := bus.DeleteKeys(ctx, s.kv, tenant+".>")
	return err
}
