package pages

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// channel is what is kept of a push channel, as far as pages show it.
type channel struct {
	Name     string    `json:"name"`
	Resource string    `json:"resource"`
	State    string    `json:"state"`
	Created  time.Time `json:"created"`
	Renewed  time.Time `json:"renewed"`
	Expires  time.Time `json:"expires"`
}

// Badge says what the channel is good for.
func (c channel) Badge(now time.Time) badge {
	switch {
	case c.State == "pending":
		return badge{"info", "clock", "Being asked for"}
	case c.State == "retired" || c.State == "ended":
		return badge{"plain", "minus", "Replaced"}
	case !c.Expires.After(now):
		return badge{"bad", "x", "Expired"}
	}
	return badge{"good", "check", "Live"}
}

// channelsOf reads a tenant's push channels, the live ones first.
func (p *Pages) channelsOf(ctx context.Context, tenant string) (all []channel, err error) {
	watcher, err := p.deps.Channels.Watch(ctx, tenant+".*", jetstream.IgnoreDeletes())
	if err != nil {
		return nil, fmt.Errorf("read the channels of %s: %w", tenant, err)
	}
	defer func() { _ = watcher.Stop() }()
	for {
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("read the channels of %s: %w", tenant, ctx.Err())
		case entry, open := <-watcher.Updates():
			if !open || entry == nil { // all that is stored has been read
				slices.SortFunc(all, func(a, b channel) int {
					if (a.State == "") != (b.State == "") {
						if a.State == "" {
							return -1
						}
						return 1
					}
					return a.Expires.Compare(b.Expires)
				})
				return all, nil
			}
			var c channel
			if err := json.Unmarshal(entry.Value(), &c); err != nil {
				return nil, fmt.Errorf("read a channel of %s: %w", tenant, err)
			}
			all = append(all, c)
		}
	}
}

// channelSum is how push stands: how many channels are live, and when the first of them expires.
type channelSum struct {
	Live    int
	Expires time.Time
}

func sumOf(all []channel, now time.Time) (s channelSum) {
	for _, c := range all {
		if c.State != "" || !c.Expires.After(now) {
			continue
		}
		s.Live++
		if s.Expires.IsZero() || c.Expires.Before(s.Expires) {
			s.Expires = c.Expires
		}
	}
	return s
}
