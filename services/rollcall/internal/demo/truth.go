package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// users are all that the directory has, also deleted ones.
func (c company) users(ctx context.Context) ([]control.User, error) {
	users, err := c.client.Users(ctx, c.id)
	if err != nil {
		return nil, fmt.Errorf("read the simulated users: %w", err)
	}
	return users, nil
}

// everyone says who is licensed when there is no group: active users of the directory's own.
func (c company) everyone(ctx context.Context) (map[string]bool, error) {
	users, err := c.users(ctx)
	if err != nil {
		return nil, err
	}
	want := make(map[string]bool, len(users))
	for _, u := range users {
		want[u.ID] = u.Status == directory.Active && !u.Guest
	}
	return want, nil
}

// members says who is licensed when the group decides.
func (c company) members(ctx context.Context) (map[string]bool, error) {
	want, err := c.everyone(ctx)
	if err != nil {
		return nil, err
	}
	listed, err := c.client.Members(ctx, c.id, c.address())
	if err != nil {
		return nil, fmt.Errorf("read the members of the simulated group: %w", err)
	}
	inside := map[string]bool{}
	for _, m := range listed {
		inside[m.ID] = true
	}
	for user, active := range want {
		want[user] = active && inside[user]
	}
	return want, nil
}

// group returns the live provisioning group's id, or "" where there is none.
func (c company) group(ctx context.Context) (string, error) {
	g, err := c.client.Group(ctx, c.id, c.address())
	if errors.Is(err, control.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("look for the provisioning group: %w", err)
	}
	return g.ID, nil
}

// notified returns when the simulator began to POST the first notification of a change, and whether it has: it notes a
// POST down when it was answered.
func (c company) notified(ctx context.Context, version uint64) (control.Delivery, bool, error) {
	deliveries, err := c.client.Deliveries(ctx, c.id, version-1)
	if err != nil {
		return control.Delivery{}, false, fmt.Errorf("read the simulator's notifications: %w", err)
	}
	deliveries = slices.DeleteFunc(deliveries, func(d control.Delivery) bool { return d.Lifecycle || d.Version < version })
	if len(deliveries) == 0 {
		return control.Delivery{}, false, nil
	}
	return slices.MinFunc(deliveries, func(a, b control.Delivery) int { return cmp.Compare(a.At.UnixNano(), b.At.UnixNano()) }), true, nil
}
