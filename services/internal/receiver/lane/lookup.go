package lane

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// lookAgain finds out with each poll which groups have the addresses of provisioning groups. Journals say so late, and
// perhaps never. Only what is not known is published.
func (l *Lane) lookAgain(ctx context.Context, p *pass, began time.Time) error {
	if began.Before(l.lookAt) {
		return nil
	}
	for _, address := range l.feeds.Addresses {
		groups, stamp, err := ask(ctx, l, p, func(ctx context.Context) ([]directory.Group, error) {
			return l.deps.Directory.GroupsAt(ctx, address)
		})
		if err != nil {
			return fmt.Errorf("look up a provisioning group of %s: %w", l.id, err)
		}
		var seen []directory.Observation
		found := map[string]bool{}
		for _, g := range groups {
			found[g.ID] = true
			if w, watched := l.feeds.Watched[g.ID]; !watched || w.Vanish != nil || !slices.Equal(w.Names, g.Addresses) {
				seen = append(seen, directory.Observation{Group: &g})
			}
		}
		if err := l.report(ctx, p, stamp, seen); err != nil {
			return err
		}
		if err := l.readLost(ctx, p, address, found); err != nil {
			return err
		}
	}
	l.lookAt = began.Add(l.cfg.Poll)
	return nil
}

// readLost reads the watched groups that are no longer found at an address that they had: they were renamed, or are gone.
func (l *Lane) readLost(ctx context.Context, p *pass, address string, found map[string]bool) error {
	for _, id := range slices.Sorted(maps.Keys(l.feeds.Watched)) {
		w := l.feeds.Watched[id]
		if found[id] || w.Vanish != nil || !slices.Contains(w.Addresses, address) {
			continue
		}
		if err := l.readGroup(ctx, p, id); err != nil {
			return fmt.Errorf("read group %s: %w", id, err)
		}
	}
	return nil
}
