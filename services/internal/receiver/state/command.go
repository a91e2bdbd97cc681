package state

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

// Command is something that a tenant's lane was told to do and has not done yet.
type Command struct {
	Sequence uint64 `json:"sequence"` // orders the commands of a tenant
	ID       string `json:"id"`       // of the event that told so
	// Read is what to read; nil: everything.
	Read *event.ReadRequested `json:"read,omitempty"`
	// ForNews is set where no person and no worker asked, but news that pushes were lost.
	ForNews  bool   `json:"for_news,omitempty"`
	Revision uint64 `json:"-"`
}

// Key names the command among all tenants'.
func (c Command) Key(tenant string) string {
	if c.ForNews {
		return tenant + ".command.news" // one is enough, however often the news comes
	}
	return fmt.Sprintf("%s.command.%020d", tenant, c.Sequence)
}

// AddCommand stores a command until RemoveCommand, and returns it with its revision. The same command added twice is one.
func (s *Store) AddCommand(ctx context.Context, tenant string, c Command) (Command, error) {
	body, err := json.Marshal(c)
	if err != nil {
		return c, fmt.Errorf("keep a command to %s: %w", tenant, err)
	}
	if c.Revision, err = s.kv.Put(ctx, c.Key(tenant), body); err != nil {
		return c, fmt.Errorf("keep a command to %s: %w", tenant, err)
	}
	return c, nil
}

// RemoveCommand forgets a command that has been carried out, unless it has been given again since.
func (s *Store) RemoveCommand(ctx context.Context, tenant string, c Command) error {
	err := s.remove(ctx, c.Key(tenant), c.Revision)
	if errors.Is(err, ErrSuperseded) {
		return nil
	}
	return err
}

// Commands returns a tenant's commands in order.
func (s *Store) Commands(ctx context.Context, tenant string) ([]Command, error) {
	keys, err := s.kv.ListKeysFiltered(ctx, tenant+".command.*")
	if err != nil {
		return nil, fmt.Errorf("list the commands to %s: %w", tenant, err)
	}
	var commands []Command
	for key := range keys.Keys() {
		entry, err := s.kv.Get(ctx, key)
		if errors.Is(err, jetstream.ErrKeyNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read a command to %s: %w", tenant, err)
		}
		var c Command
		if err := json.Unmarshal(entry.Value(), &c); err != nil {
			return nil, fmt.Errorf("read a command to %s: %w", tenant, err)
		}
		c.Revision = entry.Revision()
		commands = append(commands, c)
	}
	if err := ctx.Err(); err != nil { // the listing may have been cut short
		return nil, fmt.Errorf("list the commands to %s: %w", tenant, err)
	}
	slices.SortFunc(commands, func(a, b Command) int { return cmp.Compare(a.Sequence, b.Sequence) })
	return commands, nil
}
