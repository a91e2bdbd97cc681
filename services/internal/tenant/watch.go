package tenant

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// Change is one step of what a Watch sees.
type Change struct {
	ID     string
	Tenant *Tenant // nil: the tenant is gone
	// Initial marks the tenants that were stored before the watch began.
	Initial bool
	// InitialDone marks the one change, without ID and Tenant, that follows the initial ones. It comes with none, too.
	InitialDone bool
}

// Watch calls onChange for every stored tenant, then once with InitialDone, then for each change as it comes, one at a
// time. It returns when ctx ends, with nil, or when the watch cannot go on.
func (r *Registry) Watch(ctx context.Context, onChange func(Change)) error {
	watcher, err := r.kv.Watch(ctx, "*")
	if err != nil {
		return fmt.Errorf("watch tenants: %w", err)
	}
	defer func() { _ = watcher.Stop() }()
	initial := true
	for {
		select {
		case <-ctx.Done():
			return nil
		case entry, open := <-watcher.Updates():
			switch {
			case !open && ctx.Err() != nil:
				return nil
			case !open:
				return errors.New("watch tenants: the watch ended")
			case entry == nil:
				initial = false
				onChange(Change{InitialDone: true})
			case entry.Operation() != jetstream.KeyValuePut:
				if !initial {
					onChange(Change{ID: entry.Key()})
				}
			default:
				t, err := decode(entry)
				if err != nil {
					r.fault(entry.Key(), err)
					continue
				}
				onChange(Change{ID: t.ID, Tenant: &t, Initial: initial})
			}
		}
	}
}
