// Package channels tells by which channels providers push, as their receivers keep them.
package channels

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/channel"
)

// State says what a channel is good for.
type State string

// The states of a channel.
const (
	Pending State = "pending" // it is being asked for
	Live    State = "live"
	Expired State = "expired" // it was not renewed in time
	Retired State = "retired" // another has taken its place
	Ended   State = "ended"   // and the provider was told
)

// Channel is one way by which a provider pushes. What proves a push is not in it.
type Channel struct {
	Name     string // our own id
	Resource string // what is watched
	State    State
	Created  time.Time
	Renewed  time.Time
	Expires  time.Time
}

// Book tells of channels, and remembers them for a moment: many open pages ask for them again and again.
type Book struct {
	kv    jetstream.KeyValue
	clock clock.Clock

	mu    sync.Mutex
	known map[string]known // by tenant
}

type known struct {
	all  []channel.Record
	read time.Time
}

// fresh is how long what was read is good for: channels change every few hours.
const fresh = 5 * time.Second

// NewBook makes one over the bucket "channels".
func NewBook(kv jetstream.KeyValue, c clock.Clock) *Book {
	return &Book{kv: kv, clock: c, known: map[string]known{}}
}

// Of returns a tenant's channels: the live ones first, and of those the one that expires first. A bucket that cannot be read is
// bus.ErrUnavailable.
func (b *Book) Of(ctx context.Context, tenant string) ([]Channel, error) {
	now := b.clock.Now()
	b.mu.Lock()
	k, is := b.known[tenant]
	b.mu.Unlock()
	if !is || now.Sub(k.read) >= fresh {
		all, err := b.read(ctx, tenant)
		if err != nil {
			return nil, fmt.Errorf("read the channels of %s: %w", tenant, err)
		}
		k = known{all, now}
		b.mu.Lock()
		b.known[tenant] = k
		b.mu.Unlock()
	}
	list := make([]Channel, len(k.all))
	for i, r := range k.all {
		list[i] = Channel{Name: r.Name, Resource: r.Resource, State: stateOf(r, now), Created: r.Created, Renewed: r.Renewed, Expires: r.Expires}
	}
	slices.SortFunc(list, liveFirst)
	return list, nil
}

func stateOf(r channel.Record, now time.Time) State {
	switch {
	case r.State != channel.Live:
		return State(r.State)
	case !r.Expires.After(now):
		return Expired
	}
	return Live
}

func liveFirst(x, y Channel) int {
	if (x.State == Live) != (y.State == Live) {
		if x.State == Live {
			return -1
		}
		return 1
	}
	return cmp.Or(x.Expires.Compare(y.Expires), cmp.Compare(x.Name, y.Name))
}

func (b *Book) read(ctx context.Context, tenant string) (all []channel.Record, err error) {
	watcher, err := b.kv.Watch(ctx, tenant+".*", jetstream.IgnoreDeletes())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", bus.ErrUnavailable, err)
	}
	defer func() { _ = watcher.Stop() }()
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case entry, open := <-watcher.Updates():
			if !open {
				return nil, fmt.Errorf("%w: cut short", bus.ErrUnavailable)
			}
			if entry == nil { // all that is stored has been read
				return all, nil
			}
			var r channel.Record
			if err := json.Unmarshal(entry.Value(), &r); err != nil {
				return nil, fmt.Errorf("of %s: %w", entry.Key(), err)
			}
			all = append(all, r)
		}
	}
}

// Sum is how push stands.
type Sum struct {
	Live    int       // channels
	Expires time.Time // of the first of them
}

// SumOf counts what is live.
func SumOf(all []Channel) (s Sum) {
	for _, c := range all {
		if c.State != Live {
			continue
		}
		s.Live++
		if s.Expires.IsZero() || c.Expires.Before(s.Expires) {
			s.Expires = c.Expires
		}
	}
	return s
}
