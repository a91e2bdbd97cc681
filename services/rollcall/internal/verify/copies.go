package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

// Copy is a place beside LICENSES that keeps the present decisions.
type Copy struct {
	Name string // for people, e.g. "the ledger"
	// Read returns the decision about each user who has one, by the provider's id.
	Read func(ctx context.Context) (map[string]Decision, error)
}

// Decision is the last one about a user. Sequence is that of the event that tells it.
type Decision struct {
	Licensed bool
	Sequence uint64
}

// faults holds what a copy keeps to what the stream says.
func (c Copy) faults(stream, held map[string]Decision) []string {
	var differ []string
	for user, want := range stream {
		if held[user] != want {
			differ = append(differ, user)
		}
	}
	for user := range held {
		if _, known := stream[user]; !known {
			differ = append(differ, user)
		}
	}
	if len(differ) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s differs from LICENSES for %d users, first %s", c.Name, len(differ), slices.Min(differ))}
}

// Watcher is what is read of a bucket. jetstream.KeyValue is one.
type Watcher interface {
	Watch(ctx context.Context, keys string, opts ...jetstream.WatchOpt) (jetstream.KeyWatcher, error)
}

// Bucket is the copy that the NATS server keeps: the bucket "entitlements", as anyone can watch it.
func Bucket(kv Watcher, cfg Config) Copy {
	return Copy{Name: "the bucket entitlements", Read: func(ctx context.Context) (map[string]Decision, error) {
		prefix := cfg.Tenant + "." + cfg.Product + "."
		watcher, err := kv.Watch(ctx, prefix+">")
		if err != nil {
			return nil, err
		}
		defer func() { _ = watcher.Stop() }()
		held := map[string]Decision{}
		for {
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case entry, open := <-watcher.Updates():
				switch {
				case !open:
					return nil, errors.New("the watch ended early")
				case entry == nil: // all that there is was shown
					return held, nil
				}
				user := strings.TrimPrefix(entry.Key(), prefix)
				if held[user], err = decision(entry.Value()); err != nil {
					return nil, fmt.Errorf("user %s: %w", user, err)
				}
			}
		}
	}}
}

func decision(body []byte) (Decision, error) {
	ev, err := event.Decode(body)
	if err != nil {
		return Decision{}, err
	}
	sequence, err := event.Sequence(ev)
	if err != nil {
		return Decision{}, err
	}
	data, err := event.Data[event.Entitlement](ev)
	return Decision{Licensed: data.Licensed, Sequence: sequence}, err
}
