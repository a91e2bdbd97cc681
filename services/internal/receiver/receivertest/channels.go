package receivertest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

// Life is how long a channel is asked to live.
const Life = 28 * 24 * time.Hour

type channels struct {
	channelMu sync.Mutex
	held      map[string]heldChannel
	made      int
}

type heldChannel struct {
	receiver.Channel
	secret string
}

// Resources implements receiver.Channels.
func (d *Directory) Resources() []string { return []string{"users", "groups"} }

// ChannelLife implements receiver.Channels.
func (d *Directory) ChannelLife() time.Duration { return Life }

// CreateChannel implements receiver.Channels.
func (d *Directory) CreateChannel(ctx context.Context, c receiver.NewChannel) (receiver.Channel, error) {
	if err := d.request(ctx, Call{Method: "CreateChannel", ID: c.Resource}); err != nil {
		return receiver.Channel{}, err
	}
	return d.HoldChannel(c), nil
}

// HoldChannel makes a channel without a request, as another installation would.
func (d *Directory) HoldChannel(c receiver.NewChannel) receiver.Channel {
	d.channelMu.Lock()
	defer d.channelMu.Unlock()
	if d.channels.held == nil {
		d.channels.held = map[string]heldChannel{}
	}
	d.made++
	made := receiver.Channel{ID: fmt.Sprintf("s%d", d.made), Resource: c.Resource, URL: c.URL, Expires: c.Expires}
	d.channels.held[made.ID] = heldChannel{made, c.Secret}
	return made
}

// RenewChannel implements receiver.Channels.
func (d *Directory) RenewChannel(ctx context.Context, which receiver.Channel, expires time.Time) (receiver.Channel, error) {
	id := which.ID
	if err := d.request(ctx, Call{Method: "RenewChannel", ID: id}); err != nil {
		return receiver.Channel{}, err
	}
	d.channelMu.Lock()
	defer d.channelMu.Unlock()
	c, ok := d.channels.held[id]
	if !ok {
		return receiver.Channel{}, receiver.ErrChannelGone
	}
	c.Expires = expires
	d.channels.held[id] = c
	return c.Channel, nil
}

// DeleteChannel implements receiver.Channels.
func (d *Directory) DeleteChannel(ctx context.Context, which receiver.Channel) error {
	id := which.ID
	if err := d.request(ctx, Call{Method: "DeleteChannel", ID: id}); err != nil {
		return err
	}
	d.DropChannel(id)
	return nil
}

// DropChannel forgets a channel without being asked to.
func (d *Directory) DropChannel(id string) {
	d.channelMu.Lock()
	defer d.channelMu.Unlock()
	delete(d.channels.held, id)
}

// ListChannels implements receiver.Channels.
func (d *Directory) ListChannels(ctx context.Context) ([]receiver.Channel, error) {
	if err := d.request(ctx, Call{Method: "ListChannels"}); err != nil {
		return nil, err
	}
	return d.Channels(), nil
}

// Channels returns those that are held, in the order of their ids.
func (d *Directory) Channels() []receiver.Channel {
	d.channelMu.Lock()
	defer d.channelMu.Unlock()
	var all []receiver.Channel
	for _, id := range slices.Sorted(maps.Keys(d.channels.held)) {
		all = append(all, d.channels.held[id].Channel)
	}
	return all
}

// Secret returns what a channel echoes.
func (d *Directory) Secret(id string) string {
	d.channelMu.Lock()
	defer d.channelMu.Unlock()
	return d.channels.held[id].secret
}
