package event_test

import (
	"context"

	"github.com/nats-io/nats.go"

	"github.com/rollcall-hq/rollcall/pkg/license"
)

// follow is the Go of docs/events.md: who is licensed, kept current.
func follow(ctx context.Context, nc *nats.Conn) error {
	client, err := license.New(nc)
	if err != nil {
		return err
	}
	var fold license.Fold
	return client.Replay(ctx, license.Options{Tenant: "contoso", Product: "secure-share", Follow: true},
		func(_ context.Context, e license.Event) error {
			fold.Apply(e)
			return nil
		})
}

var _ = follow
