// Package erase removes what is kept of a tenant in NATS. What the ledger keeps is the worker's to erase.
package erase

import (
	"context"
	"errors"
	"fmt"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// ErrConnected says that a tenant is still followed: what is erased would come back.
var ErrConnected = errors.New("the tenant is connected: disconnect it first")

// Any is for whoever may erase a tenant whatever it is.
func Any(tenant.Tenant) error { return nil }

// passes is how often the buckets are gone through at most: whoever still works for the tenant may write once more before
// it hears that the tenant is gone.
const passes = 5

// Tenant removes everything of a disconnected tenant from the buckets "tenants" (its claim of the directory too), "cursors"
// and "channels" and from the streams NOTIFICATIONS, LEDGER_IN and DEAD_LETTERS: also the commands that nobody has carried
// out yet. Push channels that are not ended yet are given up, and expire. LICENSES and the bucket "entitlements" cannot be
// purged; they hold ids only. It may be called again after it has failed, and of a tenant that is gone. Errors: ErrConnected, and that of
// may for a stored tenant.
func Tenant(ctx context.Context, b *bus.Bus, id string, may func(tenant.Tenant) error) error {
	if !event.ValidSlug(id) { // with a wildcard it would be everybody
		return fmt.Errorf("erase tenant %q: want the id of one", id)
	}
	kv, err := b.KeyValue(ctx, bus.BucketTenants)
	if err != nil {
		return err
	}
	err = tenant.NewRegistry(kv).Erase(ctx, id, func(t tenant.Tenant) error { // first, so that nobody works for it any more
		if !t.Disconnected {
			return ErrConnected
		}
		return may(t)
	})
	if err != nil {
		return err
	}
	for range passes {
		left, err := forget(ctx, b, id)
		if err != nil {
			return fmt.Errorf("erase tenant %s: %w", id, err)
		}
		if left == 0 {
			return nil
		}
	}
	return fmt.Errorf("erase tenant %s: somebody still writes for it", id)
}

// forget goes through everything once, and returns how many keys there were.
func forget(ctx context.Context, b *bus.Bus, id string) (left int, err error) {
	for _, bucket := range []string{bus.BucketCursors, bus.BucketChannels} {
		kv, err := b.KeyValue(ctx, bucket)
		if err != nil {
			return 0, err
		}
		n, err := bus.DeleteKeys(ctx, kv, id+".>")
		if err != nil {
			return 0, err
		}
		left += n
	}
	return left, b.ForgetTenant(ctx, id)
}
