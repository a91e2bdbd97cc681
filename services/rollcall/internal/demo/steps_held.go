package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/command"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/held"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// admin is who approves what is held, as the record calls them.
const admin = "demo-admin"

// announced waits until a flip is held, shows its list, and notes how long that took from the change.
func (s *story) announced(ctx context.Context, change string, mark int, made control.Change) (cell, error) {
	opened, err := s.audience.await(ctx, mark, func(h heard) bool { return h.eventType == event.TypeHeldOpened })
	if err != nil {
		return cell{}, fmt.Errorf("%s: %w", change, err)
	}
	if s.waiting, err = s.audience.parked(ctx, event.HeldFlip, held.Change.Whole); err != nil {
		return cell{}, fmt.Errorf("%s: %w", change, err)
	}
	if err := s.quiet(mark); err != nil {
		return cell{}, err
	}
	step := Step{Change: change, EventType: event.TypeHeldOpened, Held: heldOf(s.waiting)}
	if err := s.measure(ctx, &step, made, opened.at); err != nil {
		return cell{}, err
	}
	told := s.add(step)
	told.more = s.show(s.waiting)
	return told, nil
}

// letGo approves the flip that was shown, as it was shown, and waits until licenses are as want says.
func (s *story) letGo(ctx context.Context, want map[string]bool) (cell, error) {
	mark, asked := s.audience.mark(), time.Now()
	if err := s.approve(ctx, s.waiting); err != nil {
		return cell{}, err
	}
	if _, err := s.audience.await(ctx, mark, func(h heard) bool { return h.eventType == event.TypePolicyChanged }); err != nil {
		return cell{}, fmt.Errorf("approve: %w", err)
	}
	last, err := s.audience.agrees(ctx, want)
	if err != nil {
		return cell{}, fmt.Errorf("approve: %w", err)
	}
	events := s.audience.since(mark)
	return s.add(Step{
		Change: "approve", EventType: event.TypePolicyChanged, Held: heldOf(s.waiting),
		Measured: fromCommand, LatencyMS: ms(last.Sub(asked)),
		Granted: count(events, event.TypeLicenseGranted), Revoked: count(events, event.TypeLicenseRevoked),
	}), nil
}

// approve gives the command that the command line gives.
func (s *story) approve(ctx context.Context, c held.Change) error {
	_, err := s.commands.Do(ctx, s.company.id, "", event.ApproveRequested{
		Product: product().ID, Held: c.Opened.Held, Revision: c.Revision, By: admin,
	})
	if err != nil {
		return fmt.Errorf("approve %s at revision %d: %w", c.Opened.Held, c.Revision, err)
	}
	return nil
}

// approveAll approves whatever is held. What is refused has changed in the meantime, or is no more.
func (s *story) approveAll(ctx context.Context) error {
	all, _ := s.audience.open()
	for _, c := range all {
		if err := s.approve(ctx, c); err != nil {
			if _, refused := errors.AsType[*command.Refused](err); !refused {
				return err
			}
		}
	}
	return nil
}

// allow approves the revocation of one user that is held: those of earlier runs within the hour count with it.
func (s *story) allow(ctx context.Context, mark int, u control.User) (heard, error) {
	s.stage.tell.aside(fmt.Sprintf("%s: so many have lost a license within the hour that the next one is held. The admin approves it.", s.company.id))
	if err := s.approveAll(ctx); err != nil {
		return heard{}, err
	}
	return s.audience.await(ctx, mark, func(h heard) bool { return h.license.User == u.ID && !h.license.Licensed })
}

// accident takes many members out of the group at once: more than anybody does on purpose. Where the directory shows them
// together, all of them are held; where it shows one after the other, those who come when the share that may go within an
// hour is used up.
func (s *story) accident(ctx context.Context) (cell, error) {
	s.lost = nil
	for _, u := range s.cast.members[3 : 3+len(s.cast.members)*3/10] { // the first three have parts of their own
		s.lost = append(s.lost, u.ID)
	}
	mark := s.audience.mark()
	made, err := s.company.client.RemoveMembers(ctx, s.company.id, s.company.address(), s.lost...)
	if err != nil {
		return cell{}, fmt.Errorf("accident: %w", err)
	}
	revoked := 0
	c, err := s.audience.parked(ctx, event.HeldRevocations, func(c held.Change) bool {
		revoked = s.audience.without(s.lost)
		return len(c.Lines)+revoked == len(s.lost)
	})
	if err != nil {
		return cell{}, fmt.Errorf("accident: %w", err)
	}
	step := Step{Change: "remove-members", EventType: event.TypeHeldOpened, Held: heldOf(c), Revoked: revoked}
	if err := s.measure(ctx, &step, made, s.audience.last(mark)); err != nil {
		return cell{}, err
	}
	told := s.add(step)
	told.more = s.show(c)
	return told, nil
}

// putBack lets those who were taken out by accident be members again. Nobody has to reject what was held.
func (s *story) putBack(ctx context.Context) (cell, error) {
	mark := s.audience.mark()
	made, err := s.company.client.AddMembers(ctx, s.company.id, s.company.address(), s.lost...)
	if err != nil {
		return cell{}, fmt.Errorf("put back: %w", err)
	}
	if _, err := s.audience.await(ctx, mark, func(h heard) bool { return h.eventType == event.TypeHeldClosed }); err != nil {
		return cell{}, fmt.Errorf("put back: %w", err)
	}
	want, err := s.company.members(ctx)
	if err != nil {
		return cell{}, err
	}
	last, err := s.audience.agrees(ctx, want)
	if err != nil {
		return cell{}, fmt.Errorf("put back: %w", err)
	}
	step := Step{Change: "add-members", EventType: event.TypeHeldClosed, Granted: count(s.audience.since(mark), event.TypeLicenseGranted)}
	if err := s.measure(ctx, &step, made, last); err != nil {
		return cell{}, err
	}
	return s.add(step), nil
}

// heldOf is what the result says of a held change.
func heldOf(c held.Change) *Held {
	grants, revocations := c.Count()
	return &Held{ID: c.Opened.Held, Revision: c.Revision, Grants: grants, Revocations: revocations}
}

// shown is how many of a list are told by name.
const shown = 3

// show tells a held change as an admin sees it: how many licenses would change, and whose.
func (s *story) show(c held.Change) string {
	grants, revocations := c.Count()
	var names []string
	for user := range c.Lines {
		names = append(names, s.cast.names[user])
	}
	slices.Sort(names)
	whose := strings.Join(names[:min(shown, len(names))], ", ")
	if more := len(names) - shown; more > 0 {
		whose += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Sprintf("%s: %s at revision %d would grant %d and revoke %d of %d licenses: %s",
		s.company.id, c.Opened.Held, c.Revision, grants, revocations, c.Opened.Licensed, whose)
}
