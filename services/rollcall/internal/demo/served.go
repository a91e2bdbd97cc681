package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// calm is how long no list must have been served before single users change. Google's log tells that users were made in
// bulk and not which, so everything is read once more behind the first reading, and after a restart too.
const calm = time.Second

// countLists notes what the simulator has served, once no full read is under way any more.
func (s *story) countLists(ctx context.Context) (err error) {
	for {
		before := s.served
		if s.served, err = s.company.client.Counters(ctx, s.company.id); err != nil {
			return fmt.Errorf("read the simulator's counters: %w", err)
		}
		if before != nil && noLists(s.company.lists, before, s.served) == nil {
			return nil
		}
		if err := rest(ctx, calm); err != nil {
			return err
		}
	}
}

// noLists fails when any whole list was served since countLists: what happens to one user must need none.
func (s *story) noLists(ctx context.Context) error {
	after, err := s.company.client.Counters(ctx, s.company.id)
	if err != nil {
		return fmt.Errorf("read the simulator's counters: %w", err)
	}
	return noLists(s.company.lists, s.served, after)
}

func noLists(lists []string, before, after map[string]control.Counter) error {
	for _, route := range lists {
		if n := after[route].Requests - before[route].Requests; n > 0 {
			return fmt.Errorf("changes of single users made the simulator serve %q %d times", route, n)
		}
	}
	return nil
}
