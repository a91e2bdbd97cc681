package workspace

import (
	"errors"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// TestSimulatedGroupOfAnotherDirectory: it can be a member, and that is all that Google tells of it.
func TestSimulatedGroupOfAnotherDirectory(t *testing.T) {
	t.Parallel()
	s := simulate(t, control.Settings{})
	ctx := t.Context()
	c, err := s.AddGroup(ctx, "initech", control.NewGroup{Address: "g@initech.com"})
	group := did(t, c, err)
	c, err = s.AddMember(ctx, "initech", group, control.NewMember{Member: "sales@elsewhere.example", Kind: directory.GroupMember})
	did(t, c, err)
	var foreign string
	for m := range s.members(t, group) {
		if foreign = m.ID; m.Kind != directory.GroupMember {
			t.Errorf("a member of kind %s", m.Kind)
		}
	}
	_, errGroup := s.directory.Group(ctx, foreign)
	_, errMembers := s.directory.Members(ctx, foreign, "")
	if !errors.Is(errGroup, receiver.ErrForeign) || !errors.Is(errMembers, receiver.ErrForeign) {
		t.Errorf("%v, %v: neither says that the group is of another directory", errGroup, errMembers)
	}
	if m, err := s.directory.Member(ctx, group, foreign); err != nil || !m.Present || m.Kind != directory.GroupMember {
		t.Errorf("the membership alone: %+v, %v", m, err)
	}
}
