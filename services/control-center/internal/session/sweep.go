package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-hq/rollcall/pkg/bus"
)

// Sweep removes what has expired, and what deleting has left of keys: anybody can begin to sign in, so that they would become
// ever more. Several processes may do it at once.
func (m *Manager) Sweep(ctx context.Context) error {
	stream, err := m.js.Stream(ctx, "KV_"+bus.BucketSessions)
	if err != nil {
		return fmt.Errorf("sweep sessions: %w", err)
	}
	gone, err := m.gone(ctx)
	if err != nil {
		return fmt.Errorf("sweep sessions: %w", err)
	}
	for _, key := range gone {
		if err := stream.Purge(ctx, jetstream.WithPurgeSubject("$KV."+bus.BucketSessions+"."+key)); err != nil {
			return fmt.Errorf("sweep sessions: %w", err)
		}
	}
	return nil
}

// gone are the keys of which nothing is of use any more. Keys are never used again, so that nobody needs them meanwhile.
func (m *Manager) gone(ctx context.Context) (keys []string, err error) {
	watch, err := m.kv.WatchAll(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = watch.Stop() }()
	now := m.clock.Now()
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case entry, open := <-watch.Updates():
			if !open {
				return nil, errors.New("NATS is away")
			}
			if entry == nil { // that was all
				return keys, nil
			}
			var k kept
			ended := entry.Operation() != jetstream.KeyValuePut || json.Unmarshal(entry.Value(), &k) != nil || !now.Before(k.Until)
			ours := slices.ContainsFunc([]string{sessionKey, attemptKey, errandKey}, func(kind string) bool { return strings.HasPrefix(entry.Key(), kind) })
			if ended && ours {
				keys = append(keys, entry.Key())
			}
		}
	}
}
