package demo

import (
	"context"
	"fmt"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// lists are the simulator's routes that serve a whole list: of all users, of all groups, or of all members. What happens
// to one user must need none of them.
var lists = []string{
	"GET /users", "GET /users/delta initial", "GET /groups", "GET /groups/delta initial", "GET /groups/{id}/members",
	"GET /groups/{id}/transitiveMembers",
}

// incremental runs steps that are each about one user, and fails when any list was served meanwhile.
func (s *story) incremental(steps ...func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		before, err := s.company.client.Counters(ctx, s.company.tenant)
		if err != nil {
			return fmt.Errorf("read the simulator's counters: %w", err)
		}
		for _, step := range steps {
			if err := step(ctx); err != nil {
				return err
			}
		}
		after, err := s.company.client.Counters(ctx, s.company.tenant)
		if err != nil {
			return fmt.Errorf("read the simulator's counters: %w", err)
		}
		return noLists(before, after)
	}
}

func noLists(before, after map[string]control.Counter) error {
	for _, route := range lists {
		if n := after[route].Requests - before[route].Requests; n > 0 {
			return fmt.Errorf("changes of single users made the simulator serve %q %d times", route, n)
		}
	}
	return nil
}
