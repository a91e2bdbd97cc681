package channel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/nats-io/nats.go/jetstream"
)

// Book is what is known of all tenants' channels, for whoever takes pushes in. It is as new as what NATS has told: of a
// channel that is not in it nothing may be concluded.
type Book struct {
	mu      sync.RWMutex
	records map[string]Record // by key; nil until all that is stored has been read once
}

// NewBook returns an empty one. It fills while it is followed.
func NewBook() *Book { return &Book{} }

// Loaded reports whether all that was stored when it was first followed is in it.
func (b *Book) Loaded() bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.records != nil
}

// Find returns the record of a tenant's channel by our own id of it.
func (b *Book) Find(tenant, name string) (Record, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	r, ok := b.records[key(tenant, name)]
	return r, ok
}

// Follow keeps the book up to date with the bucket "channels" until ctx ends, with nil, or the watch cannot go on. What was
// known before the call stands until all that is stored has been read.
func (b *Book) Follow(ctx context.Context, kv jetstream.KeyValue) error {
	watcher, err := kv.WatchAll(ctx)
	if err != nil {
		return fmt.Errorf("watch the channels: %w", err)
	}
	defer func() { _ = watcher.Stop() }()
	stored := map[string]Record{}
	for {
		select {
		case <-ctx.Done():
			return nil
		case entry, open := <-watcher.Updates():
			switch {
			case !open && ctx.Err() != nil:
				return nil
			case !open:
				return errors.New("watch the channels: the watch ended")
			case entry == nil: // all that is stored has been read
				b.mu.Lock()
				b.records = stored
				b.mu.Unlock()
			default:
				b.note(stored, entry)
			}
		}
	}
}

// note takes over one entry. One that cannot be read is as one that is not there.
func (b *Book) note(records map[string]Record, entry jetstream.KeyValueEntry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var r Record
	if entry.Operation() != jetstream.KeyValuePut || json.Unmarshal(entry.Value(), &r) != nil {
		delete(records, entry.Key())
		return
	}
	records[entry.Key()] = r
}
