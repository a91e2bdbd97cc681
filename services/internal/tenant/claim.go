package tenant

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// claim writes the tenant's id behind its directory and returns the claim's revision. A claim whose tenant is gone, or was
// never stored, is taken over.
func (r *Registry) claim(ctx context.Context, t Tenant) (uint64, error) {
	key := directoryKey(t)
	revision, err := r.kv.Create(ctx, key, []byte(t.ID))
	if err == nil {
		return revision, nil
	}
	if !errors.Is(err, jetstream.ErrKeyExists) {
		return 0, fmt.Errorf("claim the directory: %w", err)
	}
	entry, err := r.kv.Get(ctx, key)
	if err != nil {
		return 0, fmt.Errorf("read who has the directory: %w", err)
	}
	owner := string(entry.Value())
	if owner == t.ID {
		return entry.Revision(), nil
	}
	if _, err := r.kv.Get(ctx, owner); err == nil {
		return 0, fmt.Errorf("%w: tenant %s has it", ErrDirectoryTaken, owner)
	} else if !errors.Is(err, jetstream.ErrKeyNotFound) {
		return 0, fmt.Errorf("read tenant %s: %w", owner, err)
	}
	if revision, err = r.kv.Update(ctx, key, []byte(t.ID), entry.Revision()); err != nil {
		return 0, fmt.Errorf("take over the directory of %s, which is gone: %w", owner, err)
	}
	return revision, nil
}

// confirm writes the claim once more, now that its tenant is stored. Another tenant that took it over before has the
// directory, and this one is taken back; one that was about to is refused by the new revision.
func (r *Registry) confirm(ctx context.Context, t Tenant, claimed uint64) error {
	_, err := r.kv.Update(ctx, directoryKey(t), []byte(t.ID), claimed)
	if !errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
		return err
	}
	if err := r.kv.Delete(ctx, t.ID); err != nil {
		return fmt.Errorf("take back the tenant, whose directory another one has: %w", err)
	}
	return ErrDirectoryTaken
}

// free removes the tenant's claim, not that of one that has taken it over.
func (r *Registry) free(ctx context.Context, t Tenant) error {
	entry, err := r.kv.Get(ctx, directoryKey(t))
	if errors.Is(err, jetstream.ErrKeyNotFound) || err == nil && string(entry.Value()) != t.ID {
		return nil
	}
	if err != nil {
		return err
	}
	err = r.kv.Delete(ctx, directoryKey(t), jetstream.LastRevision(entry.Revision()))
	if errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
		return nil
	}
	return err
}
