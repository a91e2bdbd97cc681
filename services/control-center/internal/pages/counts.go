package pages

import (
	"context"
	"sync"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// countBook remembers for a moment how many users and groups a directory has: counting half a million takes long, and many
// open pages ask again and again.
type countBook struct {
	ledger *ledger.Reader
	clock  clock.Clock

	mu    sync.Mutex
	known map[string]knownCount
}

type knownCount struct {
	users, groups int
	counted       time.Time
}

// countsFor is how long a count is good for. While a directory is read for the first time it is counted at each look.
const countsFor = 30 * time.Second

// of counts what a tenant's directory has.
func (b *countBook) of(ctx context.Context, s *scope) (users, groups int, err error) {
	if !s.Known {
		return 0, 0, nil
	}
	b.mu.Lock()
	known, is := b.known[s.Tenant.ID]
	b.mu.Unlock()
	if is && s.State.Ready() && s.Now.Sub(known.counted) < countsFor {
		return known.users, known.groups, nil
	}
	state, err := b.ledger.Tenant(ctx, s.Tenant.ID)
	if err != nil {
		return 0, 0, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.known[s.Tenant.ID] = knownCount{state.Users, state.Groups, s.Now}
	return state.Users, state.Groups, nil
}
