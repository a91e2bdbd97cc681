package channel

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

// Record is what is kept of a channel, in the KV bucket "channels" under <tenant>.<name>. Its secret is not: it is made
// anew from the key, the tenant and the name.
type Record struct {
	Name       string    `json:"name"` // our own id, which the secret proves
	ID         string    `json:"id"`   // the provider's; "" while it has not said
	Resource   string    `json:"resource"`
	ResourceID string    `json:"resource_id,omitempty"` // the provider's id of what is watched, where it has one
	URL        string    `json:"url"`
	Key        string    `json:"key"` // name of the key that the secret was made with, see secret.Keys.Current
	State      State     `json:"state,omitempty"`
	Created    time.Time `json:"created"`
	Renewed    time.Time `json:"renewed"`
	Expires    time.Time `json:"expires"` // as granted; as asked for while the provider has not said
}

// State says what a channel is good for. Providers that list their channels have Live ones only.
type State string

// The states, in the order in which a channel goes through them.
const (
	Pending State = "pending" // it is being asked for
	Live    State = ""
	Retired State = "retired" // another has taken its place, or it may not be there at all: it is to be ended
	Ended   State = "ended"   // the provider was told; what it pushes all the same is known to be old
)

// due is when to renew: at half of its life.
func (r Record) due() time.Time { return r.Renewed.Add(r.Expires.Sub(r.Renewed) / 2) }

// granted takes over what the provider said at the given time.
func (r Record) granted(c receiver.Channel, now time.Time) Record {
	r.ID, r.ResourceID, r.Renewed, r.Expires = c.ID, c.ResourceID, now, c.Expires
	return r
}

// channel is what the provider knows it as.
func (r Record) channel() receiver.Channel {
	return receiver.Channel{ID: r.ID, Resource: r.Resource, ResourceID: r.ResourceID, URL: r.URL, Expires: r.Expires}
}

// records are one tenant's.
type records struct {
	kv     jetstream.KeyValue
	tenant string
}

func (s records) load(ctx context.Context) (map[string]Record, error) {
	watcher, err := s.kv.Watch(ctx, key(s.tenant, "*"), jetstream.IgnoreDeletes())
	if err != nil {
		return nil, fmt.Errorf("read the channels of %s: %w", s.tenant, err)
	}
	defer func() { _ = watcher.Stop() }()
	all := map[string]Record{}
	for {
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("read the channels of %s: %w", s.tenant, ctx.Err())
		case entry, open := <-watcher.Updates():
			switch {
			case !open:
				return nil, fmt.Errorf("read the channels of %s: cut short", s.tenant)
			case entry == nil: // all that is stored has been read
				return all, nil
			}
			var r Record
			if err := json.Unmarshal(entry.Value(), &r); err != nil {
				return nil, fmt.Errorf("read a channel of %s: %w", s.tenant, err)
			}
			all[r.Name] = r
		}
	}
}

func (s records) put(ctx context.Context, r Record) error {
	body, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("store a channel of %s: %w", s.tenant, err)
	}
	if _, err := s.kv.Put(ctx, key(s.tenant, r.Name), body); err != nil {
		return fmt.Errorf("store a channel of %s: %w", s.tenant, err)
	}
	return nil
}

func (s records) remove(ctx context.Context, name string) error {
	if err := s.kv.Delete(ctx, key(s.tenant, name)); err != nil {
		return fmt.Errorf("forget a channel of %s: %w", s.tenant, err)
	}
	return nil
}

// key is where a record is kept.
func key(tenant, name string) string { return tenant + "." + name }
