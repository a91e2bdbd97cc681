package pages

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
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

// channelBook remembers push channels for a moment: many open pages ask for them again and again.
type channelBook struct {
	kv    jetstream.KeyValue
	clock clock.Clock

	mu    sync.Mutex
	known map[string]knownChannels
}

type knownChannels struct {
	all  []channel
	read time.Time
}

// channelsFor is how long what was read is good for: they change every few hours.
const channelsFor = 5 * time.Second

// of returns a tenant's push channels, the live ones first.
func (b *channelBook) of(ctx context.Context, tenant string) ([]channel, error) {
	now := b.clock.Now()
	b.mu.Lock()
	known, is := b.known[tenant]
	b.mu.Unlock()
	if is && now.Sub(known.read) < channelsFor {
		return known.all, nil
	}
	all, err := b.read(ctx, tenant)
	if err != nil {
		return nil, fmt.Errorf("read the channels of %s: %w", tenant, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.known[tenant] = knownChannels{all, now}
	return all, nil
}

func (b *channelBook) read(ctx context.Context, tenant string) (all []channel, err error) {
	watcher, err := b.kv.Watch(ctx, tenant+".*", jetstream.IgnoreDeletes())
	if err != nil {
		return nil, err
	}
	defer func() { _ = watcher.Stop() }()
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case entry, open := <-watcher.Updates():
			if !open || entry == nil { // all that is stored has been read
				slices.SortFunc(all, liveFirst)
				return all, nil
			}
			var c channel
			if err := json.Unmarshal(entry.Value(), &c); err != nil {
				return nil, err
			}
			all = append(all, c)
		}
	}
}

func liveFirst(a, b channel) int {
	switch {
	case (a.State == "") == (b.State == ""):
		return a.Expires.Compare(b.Expires)
	case a.State == "":
		return -1
	}
	return 1
}

// channelSum is how push stands: how many channels are live, and when the first of them expires.
type channelSum struct {
	Live    int
	Expires time.Time
	Unknown bool // they cannot be read now
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
