package demo

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// ensemble plays one story in several companies. Each step is made in all of them at the same time.
type ensemble struct {
	stories []*story
	tell    teller
	cfg     Config
}

// act is one step of the story. Without a text it is played and not told.
type act struct {
	text string
	play func(s *story, ctx context.Context) (cell, error)
}

// quietly makes an act of what is not told.
func quietly(play func(s *story, ctx context.Context) error) act {
	return act{play: func(s *story, ctx context.Context) (cell, error) { return cell{}, play(s, ctx) }}
}

// patience bounds each step: a story that hangs is a story that failed.
const patience = 2 * time.Minute

// acts are the story. What happens to single users stands between two looks at what the simulator has served.
func (e *ensemble) acts() []act {
	connected := "Both are connected. Every active user is licensed."
	if !e.fresh() {
		connected = "Both were connected before. Whoever is licensed was so."
	}
	all := []act{
		quietly((*story).tidy),
		{connected, (*story).connected},
		{"An admin makes the provisioning group; it is empty yet.", (*story).emptyGroup},
		{"A quarter of the users are added in two goes.", (*story).fill},
		{fmt.Sprintf("Still for %s (that is in the time): what the group would change is held, and an admin sees the list.", e.cfg.Settle), (*story).settle},
		{"The admin approves it at that revision. Now the group decides.", (*story).flip},
		quietly((*story).countLists),
		{"A user joins the group.", (*story).join},
		{"A member leaves it.", (*story).leave},
		{"A member is suspended, and still a member.", (*story).suspend},
		{"A member gets another address. The license stays.", (*story).rename},
	}
	if n := e.cfg.again(); n > 0 {
		all = append(all, act{fmt.Sprintf("%d more join and leave, one after the other.", n), (*story).onceMore})
	}
	return append(all,
		quietly((*story).noLists),
		act{"A script takes 3 of 10 members out at once. What goes past a fifth within the hour is held.", (*story).accident},
		act{"They are put back, and nothing is left to hold.", (*story).putBack},
		act{fmt.Sprintf("The group is deleted. Two reads, %s apart, prove it gone; what follows is held.", e.cfg.Settle), (*story).deleteGroup},
		act{"The admin approves that, too.", (*story).flipBack},
	)
}

// fresh reports whether any of the directories is connected for the first time.
func (e *ensemble) fresh() bool {
	for _, s := range e.stories {
		if s.fresh {
			return true
		}
	}
	return false
}

// play runs the acts one after the other.
func (e *ensemble) play(ctx context.Context) error {
	if err := e.together(ctx, func(ctx context.Context, _ int, s *story) error { return s.connect(ctx) }); err != nil {
		return err
	}
	e.tell.head(e.stories)
	for _, a := range e.acts() {
		cells := make([]cell, len(e.stories))
		err := e.together(ctx, func(ctx context.Context, i int, s *story) (err error) {
			cells[i], err = a.play(s, ctx)
			return err
		})
		if err != nil {
			return err
		}
		if a.text != "" {
			e.tell.row(a.text, cells)
		}
	}
	return nil
}

// together does something in all companies at the same time, and waits until it is done in each.
func (e *ensemble) together(ctx context.Context, do func(ctx context.Context, i int, s *story) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	for i, s := range e.stories {
		group.Go(func() error {
			if err := do(ctx, i, s); err != nil {
				return fmt.Errorf("%s: %w", s.company.id, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// epilogue makes the groups once more, so that a person who stays has members to take out and put in.
func (e *ensemble) epilogue(ctx context.Context) error {
	err := e.together(ctx, func(ctx context.Context, _ int, s *story) error { return s.groupAgain(ctx) })
	if err != nil {
		return fmt.Errorf("make the group again: %w", err)
	}
	e.tell.say("\nFor you to play with, the group is there again and approved: its active members alone are licensed now.")
	return nil
}
