package controlcenter

import (
	"context"
	"fmt"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/channels"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/refresh"
)

// books tell the API and the pages the same of what is neither in the ledger nor in the registry.
type books struct {
	channels  *channels.Book
	refreshes *refresh.Book
}

func (c *Center) openBooks(ctx context.Context) error {
	kv, err := c.deps.Bus.KeyValue(ctx, bus.BucketChannels)
	if err != nil {
		return fmt.Errorf("open the push channels: %w", err)
	}
	c.books = books{channels: channels.NewBook(kv, c.deps.Clock), refreshes: refresh.NewBook(ctx, c.deps.Bus, c.deps.Clock)}
	return nil
}
