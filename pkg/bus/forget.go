package bus

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// ForgetTenant removes every message of a tenant from NOTIFICATIONS, LEDGER_IN and DEAD_LETTERS. LICENSES and its copy stay:
// they are the record, refuse to be purged, and hold ids only.
func (b *Bus) ForgetTenant(ctx context.Context, tenant string) error {
	for _, of := range []struct{ stream, subject string }{
		{Notifications, "notification.*.*." + tenant},
		{LedgerIn, "directory.*." + tenant + ".*"},
		{LedgerIn, "command.*." + tenant + ".*"},
		{DeadLetters, "dead.*." + tenant},
	} {
		s, err := b.js.Stream(ctx, of.stream)
		if err == nil {
			err = s.Purge(ctx, jetstream.WithPurgeSubject(of.subject))
		}
		if err != nil {
			return fmt.Errorf("forget tenant %s in %s: %w", tenant, of.stream, classify(err))
		}
	}
	return nil
}

// DeleteKeys deletes the keys of a bucket that a filter matches, and returns how many there were.
func DeleteKeys(ctx context.Context, kv jetstream.KeyValue, filter string) (n int, err error) {
	listed, err := kv.ListKeysFiltered(ctx, filter)
	if err != nil {
		return 0, fmt.Errorf("list %s of %s: %w", filter, kv.Bucket(), classify(err))
	}
	var keys []string
	for key := range listed.Keys() {
		keys = append(keys, key)
	}
	if err := ctx.Err(); err != nil { // the listing may have been cut short
		return 0, fmt.Errorf("list %s of %s: %w", filter, kv.Bucket(), err)
	}
	for n, key := range keys {
		if err := kv.Delete(ctx, key); err != nil {
			return n, fmt.Errorf("delete %s of %s: %w", key, kv.Bucket(), classify(err))
		}
	}
	return len(keys), nil
}
