package intake

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
)

// inFlight bounds the publishes of one push that wait at the same time: the server's fsync is serial anyway.
const inFlight = 8

// EventBus is what a BusPublisher needs of the bus.
type EventBus interface {
	Publish(ctx context.Context, subject string, ev event.Event, opts ...bus.PublishOption) (bus.Ack, error)
}

// BusPublisher publishes each hint by itself to NOTIFICATIONS.
type BusPublisher struct {
	Bus      EventBus
	Provider directory.Provider
}

// Publish returns when all hints are durable, or with the first error.
func (p BusPublisher) Publish(ctx context.Context, hints []event.Event) error {
	if len(hints) == 1 {
		return p.publish(ctx, hints[0])
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(inFlight)
	for _, hint := range hints {
		group.Go(func() error { return p.publish(ctx, hint) })
	}
	return group.Wait()
}

// publish sends no id to deduplicate by: a hint's id is random.
func (p BusPublisher) publish(ctx context.Context, hint event.Event) error {
	tenant := event.Tenant(hint)
	if _, err := p.Bus.Publish(ctx, event.NotificationSubject(tenant, p.Provider), hint, bus.WithoutDeduplication()); err != nil {
		return fmt.Errorf("publish a hint of %s: %w", tenant, err)
	}
	return nil
}
