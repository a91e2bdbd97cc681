package torture

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// story changes a directory at random. It knows what it has done, so that nearly every turn changes something.
type story struct {
	*company
	client  *control.Client
	rate    float64 // changes a second
	dice    *rand.Rand
	told    *atomic.Int64 // changes that took effect, of all stories
	present bool          // the provisioning group is there

	members   map[string]map[string]bool // by group, "" for the provisioning group
	suspended map[string]bool
	deleted   map[string]bool
	in        map[string]bool // nested groups that are in the provisioning group
}

func newStory(c *company, client *control.Client, rate float64, seed, number uint64, told *atomic.Int64) *story {
	s := &story{
		company: c, client: client, rate: rate, dice: rand.New(rand.NewPCG(seed, diceStory+number)), told: told, present: true, //nolint:gosec // G404: the same again
		members: map[string]map[string]bool{"": {}}, suspended: map[string]bool{}, deleted: map[string]bool{}, in: map[string]bool{},
	}
	for _, id := range c.nested {
		s.members[id] = map[string]bool{}
	}
	for _, id := range c.first() {
		s.members[""][id] = true
	}
	return s
}

// tell tells the story until ctx ends: so many changes a second, and now and then none for a while, so that a group settles.
func (s *story) tell(ctx context.Context) error {
	began, told := time.Now(), 0
	for ctx.Err() == nil {
		n, err := s.turn(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("the story of %s broke off: %w", s.id, err)
		}
		told += n
		pause := time.Until(began.Add(time.Duration(float64(told) / s.rate * float64(time.Second))))
		if s.dice.IntN(turnsToARest) == 0 {
			pause = max(pause, rest) // what was not told meanwhile is told behind it
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	return nil
}

const (
	turnsToARest = 150
	rest         = 3 * time.Second // by the wall: logs that lag have to catch up, and then nothing must move for settle
	mostAtOnce   = 4               // members that come or go in one turn, but for a crowd
)

// act is something that can happen in a turn, so many times in a thousand.
type act struct {
	weight int
	do     func(context.Context) (control.Change, error)
}

// turn makes one of what can happen, and returns how many objects or links it has changed.
func (s *story) turn(ctx context.Context) (int, error) {
	acts := []act{
		{280, s.join},
		{250, s.leave},
		{90, s.suspend},
		{100, s.unsuspend},
		{60, s.delete},
		{75, s.restore},
		{40, s.rename},
		{50, s.joinTeam},
		{40, s.leaveTeam},
		{5, s.nest},
		{4, s.unnest},
		{3, s.crowd},
		{2, s.dissolve},
		{40, s.found},
	}
	n := 0
	for _, a := range acts {
		n += a.weight
	}
	n = s.dice.IntN(n)
	for _, a := range acts {
		if n -= a.weight; n < 0 {
			change, err := a.do(ctx)
			var refused *control.Error
			if errors.As(err, &refused) && refused.Status < 500 {
				return 0, nil // it is so already, or there is no such thing
			}
			s.told.Add(int64(change.Count))
			return change.Count, err
		}
	}
	return 0, nil
}

// nothing is a turn in which there was nothing to change.
var nothing control.Change

// pick takes up to n at random of those for whom something holds.
func (s *story) pick(n int, from []string, is func(string) bool) (picked []string) {
	for _, i := range s.dice.Perm(len(from)) {
		if len(picked) < n && is(from[i]) {
			picked = append(picked, from[i])
		}
	}
	return picked
}

func (s *story) some() int { return 1 + s.dice.IntN(mostAtOnce) }

func (s *story) join(ctx context.Context) (control.Change, error) { return s.add(ctx, "", s.some()) }

func (s *story) leave(ctx context.Context) (control.Change, error) {
	return s.remove(ctx, "", s.some())
}

func (s *story) joinTeam(ctx context.Context) (control.Change, error) {
	return s.add(ctx, s.nested[s.dice.IntN(len(s.nested))], s.some())
}

func (s *story) leaveTeam(ctx context.Context) (control.Change, error) {
	return s.remove(ctx, s.nested[s.dice.IntN(len(s.nested))], s.some())
}

// crowd is a third of everybody, who leave together.
func (s *story) crowd(ctx context.Context) (control.Change, error) {
	return s.remove(ctx, "", len(s.people)/3)
}

func (s *story) add(ctx context.Context, group string, n int) (control.Change, error) {
	who := s.pick(n, s.people, func(id string) bool { return !s.members[group][id] && !s.deleted[id] })
	if len(who) == 0 || group == "" && !s.present {
		return nothing, nil
	}
	change, err := s.client.AddMembers(ctx, s.id, s.named(group), who...)
	if err == nil {
		for _, id := range who {
			s.members[group][id] = true
		}
	}
	return change, err
}

func (s *story) remove(ctx context.Context, group string, n int) (control.Change, error) {
	who := s.pick(n, s.people, func(id string) bool { return s.members[group][id] && !s.deleted[id] })
	if len(who) == 0 || group == "" && !s.present {
		return nothing, nil
	}
	change, err := s.client.RemoveMembers(ctx, s.id, s.named(group), who...)
	if err == nil {
		for _, id := range who {
			delete(s.members[group], id)
		}
	}
	return change, err
}

// named is how the control API is told of a group.
func (s *story) named(group string) string {
	if group == "" {
		return s.group()
	}
	return group
}

func (s *story) suspend(ctx context.Context) (control.Change, error) {
	return s.user(ctx, s.client.Suspend, s.suspended, true)
}

func (s *story) unsuspend(ctx context.Context) (control.Change, error) {
	return s.user(ctx, s.client.Unsuspend, s.suspended, false)
}

func (s *story) delete(ctx context.Context) (control.Change, error) {
	return s.user(ctx, s.client.RemoveUser, s.deleted, true)
}

func (s *story) restore(ctx context.Context) (control.Change, error) {
	who := s.pick(1, s.people, func(id string) bool { return s.deleted[id] })
	if len(who) == 0 {
		return nothing, nil
	}
	change, err := s.client.RestoreUser(ctx, s.id, who[0])
	if err == nil {
		delete(s.deleted, who[0])
	}
	return change, err
}

func (s *story) rename(ctx context.Context) (control.Change, error) {
	to := control.Rename{Address: fmt.Sprintf("u%d@%s", s.dice.Uint32(), s.domain), DropOld: true}
	return s.user(ctx, func(ctx context.Context, tenant, user string) (control.Change, error) {
		return s.client.RenameUser(ctx, tenant, user, to)
	}, map[string]bool{}, true)
}

// user does something to one user of whom it is not so yet, and notes that it is. Nothing is done to those who are deleted.
func (s *story) user(
	ctx context.Context, do func(ctx context.Context, tenant, user string) (control.Change, error), is map[string]bool, so bool,
) (control.Change, error) {
	who := s.pick(1, s.people, func(id string) bool { return is[id] != so && !s.deleted[id] })
	if len(who) == 0 {
		return nothing, nil
	}
	change, err := do(ctx, s.id, who[0])
	if err == nil {
		is[who[0]] = so
	}
	return change, err
}

// nest puts a team into the provisioning group, unnest takes one out.
func (s *story) nest(ctx context.Context) (control.Change, error) {
	team := s.pick(1, s.nested, func(id string) bool { return !s.in[id] })
	if len(team) == 0 || !s.present {
		return nothing, nil
	}
	change, err := s.client.AddMembers(ctx, s.id, s.group(), team[0])
	if err == nil {
		s.in[team[0]] = true
	}
	return change, err
}

func (s *story) unnest(ctx context.Context) (control.Change, error) {
	team := s.pick(1, s.nested, func(id string) bool { return s.in[id] })
	if len(team) == 0 || !s.present {
		return nothing, nil
	}
	change, err := s.client.RemoveMembers(ctx, s.id, s.group(), team[0])
	if err == nil {
		delete(s.in, team[0])
	}
	return change, err
}

// dissolve takes the whole provisioning group away; found makes it anew, under another id, and fills it.
func (s *story) dissolve(ctx context.Context) (control.Change, error) {
	if !s.present {
		return nothing, nil
	}
	change, err := s.client.RemoveGroup(ctx, s.id, s.group())
	if err == nil {
		s.present = false
		clear(s.members[""])
		clear(s.in)
	}
	return change, err
}

func (s *story) found(ctx context.Context) (control.Change, error) {
	if s.present {
		return nothing, nil
	}
	change, err := s.client.AddGroup(ctx, s.id, s.newGroup())
	if err != nil {
		return change, err
	}
	s.present = true
	filled, err := s.add(ctx, "", len(s.people)/2)
	change.Count += filled.Count
	return change, err
}
