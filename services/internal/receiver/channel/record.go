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
	Name     string    `json:"name"` // our own id, which the secret proves
	ID       string    `json:"id"`   // the provider's
	Resource string    `json:"resource"`
	URL      string    `json:"url"`
	Key      string    `json:"key"` // name of the key that the secret was made with, see secret.Keys.Current
	Created  time.Time `json:"created"`
	Renewed  time.Time `json:"renewed"`
	Expires  time.Time `json:"expires"`
}

// due is when to renew: at half of its life.
func (r Record) due() time.Time { return r.Renewed.Add(r.Expires.Sub(r.Renewed) / 2) }

// granted takes over what the provider said at the given time.
func (r Record) granted(c receiver.Channel, now time.Time) Record {
	r.ID, r.Renewed, r.Expires = c.ID, now, c.Expires
	return r
}

// records are one tenant's.
type records struct {
	kv     jetstream.KeyValue
	tenant string
}

func (s records) load(ctx context.Context) (map[string]Record, error) {
	keys, err := s.kv.ListKeysFiltered(ctx, s.tenant+".*")
	if err != nil {
		return nil, fmt.Errorf("list the channels of %s: %w", s.tenant, err)
	}
	all := map[string]Record{}
	for key := range keys.Keys() {
		entry, err := s.kv.Get(ctx, key)
		if err != nil {
			return nil, fmt.Errorf("read a channel of %s: %w", s.tenant, err)
		}
		var r Record
		if err := json.Unmarshal(entry.Value(), &r); err != nil {
			return nil, fmt.Errorf("read a channel of %s: %w", s.tenant, err)
		}
		all[r.Name] = r
	}
	if err := ctx.Err(); err != nil { // the listing may have been cut short
		return nil, fmt.Errorf("list the channels of %s: %w", s.tenant, err)
	}
	return all, nil
}

func (s records) put(ctx context.Context, r Record) error {
	body, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("store a channel of %s: %w", s.tenant, err)
	}
	if _, err := s.kv.Put(ctx, s.tenant+"."+r.Name, body); err != nil {
		return fmt.Errorf("store a channel of %s: %w", s.tenant, err)
	}
	return nil
}

func (s records) remove(ctx context.Context, name string) error {
	if err := s.kv.Delete(ctx, s.tenant+"."+name); err != nil {
		return fmt.Errorf("forget a channel of %s: %w", s.tenant, err)
	}
	return nil
}
