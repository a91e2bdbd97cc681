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
	s.tell.aside("The provisioning group of an earlier run is still there. It is deleted first.")
	if _, err := s.company.client.RemoveGroup(ctx, s.company.tenant, id); err != nil {
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
	return nil
}

// refresh orders a full read and returns the command's id. Its end comes behind everything that was observed before.
func (s *story) refresh(ctx context.Context) (string, error) {
	id := tenantID + ".refresh." + rand.Text()
	command, err := event.New(event.TypeRefreshRequested, event.Meta{
		ID: id, Source: event.CommandSource(tenantID), Time: time.Now(), Tenant: tenantID,
	}, event.RefreshRequested{RequestedBy: "demo"})
	if err != nil {
		return "", err
	}
	if _, err := s.mirror.bus.Publish(ctx, event.CommandSubject(tenantID, "refresh"), command); err != nil {
		return "", fmt.Errorf("ask for a refresh: %w", err)
	}
	return id, nil
}

// connected waits until every active user is licensed.
func (s *story) connected(ctx context.Context) error {
	want, err := s.company.everyone(ctx)
	if err != nil {
		return err
	}
	s.result.Users = len(want)
	step := Step{Change: "connect", EventType: event.TypeLicenseGranted, Measured: fromStart}
	first, err := s.audience.await(ctx, 0, func(h heard) bool { return h.license.Licensed })
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	last, err := s.audience.agrees(ctx, want)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	if s.cast, err = s.company.hire(ctx); err != nil {
		return err
	}
	step.Granted, step.LatencyMS = s.audience.licensed(), ms(last.Sub(s.started))
	if !s.fresh {
		step.LatencyMS = ms(time.Since(s.started))
		s.add(step, "The directory was connected before: %d of %d users are licensed, as they were.", step.Granted, len(want))
		return nil
	}
	s.result.FirstEventMS = ms(first.at.Sub(s.started))
	s.add(step, "The directory is connected. No group says otherwise, so all %d active users of %d are licensed (the first after %s).",
		step.Granted, len(want), seconds(s.result.FirstEventMS))
	return nil
}

// emptyGroup makes the group and gives it time to do harm.
func (s *story) emptyGroup(ctx context.Context) error {
	mark := s.audience.mark()
	made, err := s.company.client.AddGroup(ctx, s.company.tenant, control.NewGroup{Name: groupName, Address: s.company.address})
	if err != nil {
		return fmt.Errorf("make the group: %w", err)
	}
	seen, err := s.mirror.group(ctx, made.ID)
	if err != nil {
		return fmt.Errorf("make the group: %w", err)
	}
	step := Step{Change: "add-group"}
	if err := s.measure(ctx, &step, made, seen); err != nil {
		return err
	}
	if err := rest(ctx, s.settle+s.settle/2); err != nil {
		return err
	}
	if events := s.audience.since(mark); len(events) > 0 {
		return fmt.Errorf("an empty group has caused %d events", len(events))
	}
	s.add(step, "An admin makes the provisioning group, still empty. Rollcall sees it, and nobody loses a license.")
	return nil
}

// perRequest is the most members that Graph takes in one request.
const perRequest = 20

// fill adds the members in requests as Graph allows them, with a pause that is too short to settle.
func (s *story) fill(ctx context.Context) error {
	s.filledMark = s.audience.mark()
	group, err := s.company.group(ctx)
	if err != nil {
		return err
	}
	ids := make([]string, len(s.cast.members))
	for i, u := range s.cast.members {
		ids[i] = u.ID
	}
	if s.filled, err = s.addAll(ctx, group, ids); err != nil {
		return fmt.Errorf("fill the group: %w", err)
	}
	seen, err := s.mirror.membership(ctx, group, ids[len(ids)-1])
	if err != nil {
		return fmt.Errorf("fill the group: %w", err)
	}
	if err := s.quiet(s.filledMark); err != nil {
		return err
	}
	step := Step{Change: "add-members"}
	if err := s.measure(ctx, &step, s.filled, seen); err != nil {
		return err
	}
	s.add(step, "%d members are added, in requests of at most %d. While the group is being filled, nobody loses a license.", len(ids), perRequest)
	return nil
}

// addAll adds the members through Graph's own API and returns the last addition.
func (s *story) addAll(ctx context.Context, group string, ids []string) (last control.Change, err error) {
	forbid, err := s.admin.allow(ctx)
	if err != nil {
		return last, err
	}
	for begin := 0; begin < len(ids); begin += perRequest {
		if begin > 0 {
			if err := rest(ctx, s.settle/4); err != nil {
				return last, err
			}
		}
		if err := s.admin.add(ctx, group, ids[begin:min(begin+perRequest, len(ids))]); err != nil {
			return last, err
		}
	}
	at := time.Now()
	if err := forbid(ctx); err != nil {
		return last, err
	}
	// Graph tells no version. To add again who is a member already changes nothing, and tells where the directory stands.
	last, err = s.company.client.AddMembers(ctx, s.company.tenant, group, ids[len(ids)-1])
	last.At = at
	return last, err
}

// rest waits, unless the story ends.
func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// flip waits for the group to settle and decide.
func (s *story) flip(ctx context.Context) error {
	policy, err := s.audience.await(ctx, s.filledMark, func(h heard) bool { return h.policy.Group != "" })
	if err != nil {
		return fmt.Errorf("flip: %w", err)
	}
	if err := s.quiet(s.filledMark); err != nil {
		return err
	}
	if early := s.filled.At.Add(s.settle).Sub(policy.at); early > 0 {
		return fmt.Errorf("the group decides %s before its membership has been still for %s", early, s.settle)
	}
	want, err := s.company.members(ctx)
	if err != nil {
		return err
	}
	last, err := s.audience.agrees(ctx, want)
	if err != nil {
		return fmt.Errorf("flip: %w", err)
	}
	step := Step{Change: "settle", EventType: event.TypePolicyChanged, Revoked: count(s.audience.since(s.filledMark), event.TypeLicenseRevoked)}
	if err := s.measure(ctx, &step, s.filled, last); err != nil {
		return err
	}
	s.add(step, "The membership has been still for %s (that is in the time): from now on the group decides. %d keep their license, %d lose it.",
		s.settle, s.audience.licensed(), step.Revoked)
	return nil
}

// deleteGroup gives everyone a license again.
func (s *story) deleteGroup(ctx context.Context) error {
	mark := s.audience.mark()
	made, err := s.company.client.RemoveGroup(ctx, s.company.tenant, s.company.address)
	if err != nil {
		return fmt.Errorf("delete the group: %w", err)
	}
	if _, err := s.audience.await(ctx, mark, func(h heard) bool { return h.policy.Mode != "" && h.policy.Group == "" }); err != nil {
		return fmt.Errorf("delete the group: %w", err)
	}
	want, err := s.company.everyone(ctx)
	if err != nil {
		return err
	}
	last, err := s.audience.agrees(ctx, want)
	if err != nil {
		return fmt.Errorf("delete the group: %w", err)
	}
	if n := s.heardOf(s.renamed.ID, s.renamedMark, mark); n > 0 {
		return fmt.Errorf("the rename has caused %d license events", n)
	}
	step := Step{Change: "remove-group", EventType: event.TypePolicyChanged, Granted: count(s.audience.since(mark), event.TypeLicenseGranted)}
	if err := s.measure(ctx, &step, made, last); err != nil {
		return err
	}
	s.add(step, "The group is deleted. Two reads, %s apart, prove it gone: %d get their license back.", s.settle, step.Granted)
	return nil
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
