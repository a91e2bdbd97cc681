package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

func (s *story) join(ctx context.Context) (cell, error) {
	u := s.cast.outside[0]
	return s.single(ctx, "add-member", u, event.TypeLicenseGranted, func() (control.Change, error) {
		return s.company.client.AddMembers(ctx, s.company.id, s.company.address(), u.ID)
	})
}

func (s *story) leave(ctx context.Context) (cell, error) {
	u := s.cast.members[0]
	return s.single(ctx, "remove-member", u, event.TypeLicenseRevoked, func() (control.Change, error) {
		return s.company.client.RemoveMembers(ctx, s.company.id, s.company.address(), u.ID)
	})
}

func (s *story) suspend(ctx context.Context) (cell, error) {
	u := s.cast.members[1]
	return s.single(ctx, "suspend", u, event.TypeLicenseRevoked, func() (control.Change, error) {
		return s.company.client.Suspend(ctx, s.company.id, u.ID)
	})
}

// rename moves a member to another address. The mirror follows; who holds a license does not change, so no event tells
// of it. That none did is known when the story's next events have come: those of one tenant are in order.
func (s *story) rename(ctx context.Context) (cell, error) {
	u := s.cast.members[2]
	s.renamed, s.renamedMark = u, s.audience.mark()
	local, domain, _ := strings.Cut(u.Address, "@")
	address := fmt.Sprintf("%s.%s@%s", local, time.Now().UTC().Format("150405"), domain)
	made, err := s.company.client.RenameUser(ctx, s.company.id, u.ID, control.Rename{Address: address})
	if err != nil {
		return cell{}, fmt.Errorf("rename: %w", err)
	}
	seen, err := s.mirror.address(ctx, u.ID, address)
	if err != nil {
		return cell{}, fmt.Errorf("rename: %w", err)
	}
	step := Step{Change: "rename", User: u.ID, Address: address}
	if err := s.measure(ctx, &step, made, seen); err != nil {
		return cell{}, err
	}
	return s.add(step), nil
}

// onceMore changes one user after the other, to tell a typical time from a lucky one.
func (s *story) onceMore(ctx context.Context) (cell, error) {
	first := len(s.result.Steps)
	for i := range s.stage.cfg.again() {
		u := s.cast.outside[1+i/2%(len(s.cast.outside)-1)]
		name, eventType, change := "add-member", event.TypeLicenseGranted, s.company.client.AddMembers
		if i%2 == 1 {
			name, eventType, change = "remove-member", event.TypeLicenseRevoked, s.company.client.RemoveMembers
		}
		if _, err := s.single(ctx, name, u, eventType, func() (control.Change, error) {
			return change(ctx, s.company.id, s.company.address(), u.ID)
		}); err != nil {
			return cell{}, err
		}
	}
	l := summarize(s.result.Steps[first:])
	return cell{what: "p50 " + seconds(l.P50MS), took: "p99 " + seconds(l.P99MS)}, nil
}
