package demo

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// tidy removes a group that an earlier story, or a person, has left behind, and waits until all that comes of it is out.
func (s *story) tidy(ctx context.Context) error {
	id, err := s.company.group(ctx)
	if id == "" || err != nil {
		return err
	}
	s.stage.tell.aside(s.company.id + ": the provisioning group of an earlier run is still there. It is deleted first.")
	if _, err := s.company.client.RemoveGroup(ctx, s.company.id, id); err != nil {
		return fmt.Errorf("remove the group that was left: %w", err)
	}
	if s.mirror.knows(id) {
		if _, err := s.mirror.gone(ctx, id); err != nil {
			return fmt.Errorf("remove the group that was left: %w", err)
		}
	}
	command, err := s.refresh(ctx)
	if err != nil {
		return err
	}
	if _, err := s.mirror.refreshed(ctx, command); err != nil {
		return fmt.Errorf("refresh: %w", err)
	}
	return nil // what of it is held, connected approves
}

// refresh orders a full read and returns the command's id. Its end comes behind everything that was observed before.
func (s *story) refresh(ctx context.Context) (string, error) {
	id := s.company.id + ".refresh." + rand.Text()
	command, err := event.New(event.TypeRefreshRequested, event.Meta{
		ID: id, Source: event.CommandSource(s.company.id), Time: time.Now(), Tenant: s.company.id,
	}, event.RefreshRequested{RequestedBy: "demo"})
	if err != nil {
		return "", err
	}
	if _, err := s.bus.Publish(ctx, event.CommandSubject(s.company.id, "refresh"), command); err != nil {
		return "", fmt.Errorf("ask for a refresh: %w", err)
	}
	return id, nil
}

// connected waits until every active user is licensed. What an earlier run has left held is approved.
func (s *story) connected(ctx context.Context) (cell, error) {
	want, err := s.company.everyone(ctx)
	if err != nil {
		return cell{}, err
	}
	s.result.Users = len(want)
	step := Step{Change: "connect", EventType: event.TypeLicenseGranted, Measured: fromStart}
	first, err := s.audience.await(ctx, 0, func(h heard) bool { return h.license.Licensed })
	if err != nil {
		return cell{}, fmt.Errorf("connect: %w", err)
	}
	last, err := s.audience.agreesWhile(ctx, want, func() error { return s.approveAll(ctx) })
	if err != nil {
		return cell{}, fmt.Errorf("connect: %w", err)
	}
	if s.cast, err = s.company.hire(ctx, s.tenant.Credential.Subject); err != nil {
		return cell{}, err
	}
	step.Granted, step.LatencyMS = s.audience.licensed(), ms(last.Sub(s.started))
	if !s.fresh {
		step.LatencyMS = ms(time.Since(s.started))
		return s.add(step), nil
	}
	s.result.FirstEventMS = ms(first.at.Sub(s.started))
	return s.add(step), nil
}

// emptyGroup makes the group and gives it time to do harm.
func (s *story) emptyGroup(ctx context.Context) (cell, error) {
	mark := s.audience.mark()
	made, err := s.company.client.AddGroup(ctx, s.company.id, control.NewGroup{Name: groupName, Address: s.company.address()})
	if err != nil {
		return cell{}, fmt.Errorf("make the group: %w", err)
	}
	seen, err := s.mirror.group(ctx, made.ID)
	if err != nil {
		return cell{}, fmt.Errorf("make the group: %w", err)
	}
	step := Step{Change: "add-group"}
	if err := s.measure(ctx, &step, made, seen); err != nil {
		return cell{}, err
	}
	if err := rest(ctx, s.stage.cfg.Settle+s.stage.cfg.Settle/2); err != nil {
		return cell{}, err
	}
	if events := s.audience.since(mark); len(events) > 0 {
		return cell{}, fmt.Errorf("an empty group has caused %d events", len(events))
	}
	return s.add(step), nil
}

// fill adds the members in two goes, with a pause between that is too short to settle.
func (s *story) fill(ctx context.Context) (cell, error) {
	s.filledMark = s.audience.mark()
	group, err := s.company.group(ctx)
	if err != nil {
		return cell{}, err
	}
	ids := s.cast.memberIDs()
	if s.filled, err = s.addAll(ctx, group, ids); err != nil {
		return cell{}, fmt.Errorf("fill the group: %w", err)
	}
	seen, err := s.mirror.membership(ctx, group, ids[len(ids)-1])
	if err != nil {
		return cell{}, fmt.Errorf("fill the group: %w", err)
	}
	if err := s.quiet(s.filledMark); err != nil {
		return cell{}, err
	}
	step := Step{Change: "add-members"}
	if err := s.measure(ctx, &step, s.filled, seen); err != nil {
		return cell{}, err
	}
	return s.add(step), nil
}

// addAll adds the members in two goes as an admin of this provider would, and returns the last addition.
func (s *story) addAll(ctx context.Context, group string, ids []string) (last control.Change, err error) {
	half := len(ids) / 2
	if err := s.company.fill(ctx, s.company, s.tenant, group, ids[:half]); err != nil {
		return last, err
	}
	if err := rest(ctx, s.stage.cfg.Settle/4); err != nil {
		return last, err
	}
	if err := s.company.fill(ctx, s.company, s.tenant, group, ids[half:]); err != nil {
		return last, err
	}
	at := time.Now()
	// A provider's own API tells no version. To add again who is a member already changes nothing, and tells where the
	// directory stands.
	last, err = s.company.client.AddMembers(ctx, s.company.id, group, ids[len(ids)-1])
	last.At = at
	return last, err
}

// settle waits for the group to settle. What it would change then is held.
func (s *story) settle(ctx context.Context) (cell, error) {
	told, err := s.announced(ctx, "settle", s.filledMark, s.filled)
	if err != nil {
		return cell{}, err
	}
	opened, err := s.audience.await(ctx, s.filledMark, func(h heard) bool { return h.eventType == event.TypeHeldOpened })
	if early := s.filled.At.Add(s.stage.cfg.Settle).Sub(opened.at); err == nil && early > 0 {
		return cell{}, fmt.Errorf("the group is believed %s before its membership has been still for %s", early, s.stage.cfg.Settle)
	}
	return told, err
}

// flip lets the group decide.
func (s *story) flip(ctx context.Context) (cell, error) {
	want, err := s.company.members(ctx)
	if err != nil {
		return cell{}, err
	}
	return s.letGo(ctx, want)
}

// deleteGroup waits until the group is proved gone. That everyone is licensed again is held as well.
func (s *story) deleteGroup(ctx context.Context) (cell, error) {
	mark := s.audience.mark()
	made, err := s.company.client.RemoveGroup(ctx, s.company.id, s.company.address())
	if err != nil {
		return cell{}, fmt.Errorf("delete the group: %w", err)
	}
	told, err := s.announced(ctx, "remove-group", mark, made)
	if err != nil {
		return cell{}, err
	}
	if n := s.heardOf(s.renamed.ID, s.renamedMark, mark); n > 0 {
		return cell{}, fmt.Errorf("the rename has caused %d license events", n)
	}
	return told, nil
}

// flipBack gives everyone a license again.
func (s *story) flipBack(ctx context.Context) (cell, error) {
	want, err := s.company.everyone(ctx)
	if err != nil {
		return cell{}, err
	}
	return s.letGo(ctx, want)
}

// groupAgain makes the group with its members once more, and lets it decide.
func (s *story) groupAgain(ctx context.Context) error {
	mark := s.audience.mark()
	made, err := s.company.client.AddGroup(ctx, s.company.id, control.NewGroup{Name: groupName, Address: s.company.address()})
	if err != nil {
		return err
	}
	if _, err := s.company.client.AddMembers(ctx, s.company.id, made.ID, s.cast.memberIDs()...); err != nil {
		return err
	}
	if _, err := s.announced(ctx, "settle", mark, made); err != nil {
		return err
	}
	_, err = s.flip(ctx)
	return err
}

// heardOf counts the events about a user between two marks.
func (s *story) heardOf(user string, from, to int) (n int) {
	for _, h := range s.audience.since(from)[:to-from] {
		if h.license.User == user {
			n++
		}
	}
	return n
}
