package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// groupName is the display name of the story's group.
const groupName = "Secure Share seats"

// story plays changes in the simulated directory and listens to what comes of each.
type story struct {
	company  company
	admin    *admin
	audience *audience
	mirror   *mirror
	tell     teller
	settle   time.Duration
	started  time.Time // of the process
	fresh    bool      // the directory is connected for the first time
	again    int       // how many single changes are measured beside the story

	cast        cast
	filled      control.Change // the last addition to the group
	filledMark  int
	renamed     control.User
	renamedMark int
	result      Result
}

// patience bounds each step: a story that hangs is a story that failed.
const patience = 2 * time.Minute

// play runs the steps one after the other.
func (s *story) play(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		s.tidy, s.connected, s.emptyGroup, s.fill, s.flip,
		s.incremental(s.join, s.leave, s.suspend, s.rename, s.onceMore), s.deleteGroup,
	} {
		limited, cancel := context.WithTimeout(ctx, patience)
		err := step(limited)
		cancel()
		if err != nil {
			return err
		}
	}
	s.result.Latency = summarize(s.result.Steps)
	return nil
}

// epilogue makes the group once more, so that a person who stays has members to take out and put in.
func (s *story) epilogue(ctx context.Context) error {
	mark := s.audience.mark()
	made, err := s.company.client.AddGroup(ctx, s.company.tenant, control.NewGroup{Name: groupName, Address: s.company.address})
	if err != nil {
		return fmt.Errorf("make the group again: %w", err)
	}
	ids := make([]string, len(s.cast.members))
	for i, u := range s.cast.members {
		ids[i] = u.ID
	}
	if _, err := s.company.client.AddMembers(ctx, s.company.tenant, made.ID, ids...); err != nil {
		return fmt.Errorf("fill the group again: %w", err)
	}
	if _, err := s.audience.await(ctx, mark, func(h heard) bool { return h.policy.Group == made.ID }); err != nil {
		return fmt.Errorf("make the group again: %w", err)
	}
	want, err := s.company.members(ctx)
	if err != nil {
		return err
	}
	if _, err := s.audience.agrees(ctx, want); err != nil {
		return fmt.Errorf("make the group again: %w", err)
	}
	s.tell.say("For you to play with, the group is there again, with %d members: the %d active ones alone are licensed now.",
		len(ids), s.audience.licensed())
	return nil
}

// add notes a step down and tells it.
func (s *story) add(step Step, format string, args ...any) {
	s.result.Steps = append(s.result.Steps, step)
	s.tell.step(fmt.Sprintf(format, args...), step)
}

// single plays one change of one user and waits for the user's event.
func (s *story) single(ctx context.Context, name string, u control.User, eventType string, change func() (control.Change, error)) (Step, error) {
	mark := s.audience.mark()
	made, err := change()
	if err != nil {
		return Step{}, fmt.Errorf("%s: %w", name, err)
	}
	h, err := s.audience.await(ctx, mark, func(h heard) bool { return h.license.User == u.ID })
	if err != nil {
		return Step{}, fmt.Errorf("%s: %w", name, err)
	}
	if h.eventType != eventType {
		return Step{}, fmt.Errorf("%s: the event is %s with reason %s, want %s", name, h.eventType, h.license.Reason, eventType)
	}
	step := Step{Change: name, User: u.ID, Address: u.Address, EventType: h.eventType}
	return step, s.measure(ctx, &step, made, h.at)
}

// measure fills in how long it took from the notification of a change to the given time.
func (s *story) measure(ctx context.Context, step *Step, made control.Change, until time.Time) error {
	step.Measured, step.LatencyMS = fromChange, ms(until.Sub(made.At))
	for range 40 { // the simulator notes a POST down when it was answered, which may be after the event has arrived
		sent, found, err := s.company.notified(ctx, made.Version)
		if err != nil {
			return err
		}
		if found {
			if until.After(sent.At) {
				step.Measured, step.LatencyMS = fromNotification, ms(until.Sub(sent.At))
			}
			return nil
		}
		if err := rest(ctx, 25*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// quiet says that nobody has lost a license behind the mark.
func (s *story) quiet(mark int) error {
	for _, h := range s.audience.since(mark) {
		if h.eventType == event.TypeLicenseRevoked {
			return fmt.Errorf("user %s lost the license before the group had settled", h.license.User)
		}
		if h.eventType == event.TypePolicyChanged {
			return nil
		}
	}
	return nil
}
