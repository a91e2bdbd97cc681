package graph

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// TestSimulatedHiddenMembers: without the right to see them, a group that hides its members looks like one that has none, and
// must not be taken for it, however few they were.
func TestSimulatedHiddenMembers(t *testing.T) {
	t.Parallel()
	s := simulate(t, control.Settings{})
	ctx := t.Context()
	c, err := s.AddUser(ctx, "contoso", control.NewUser{Address: "ada@contoso.com"})
	ada := must(t, c, err)
	of := map[bool]string{}
	for _, hidden := range []bool{true, false} {
		c, err := s.AddGroup(ctx, "contoso", control.NewGroup{Address: fmt.Sprintf("team-%v@contoso.com", hidden), Kind: directory.Microsoft365, Hidden: hidden})
		of[hidden] = must(t, c, err)
	}
	c, err = s.AddMembers(ctx, "contoso", of[true], ada)
	must(t, c, err)
	read := func(group string) (receiver.Page, error) { return s.directory.Members(ctx, group, "") }
	if page, err := read(of[true]); err != nil || len(page.Observations) != 1 {
		t.Errorf("with the right to see them: %+v, %v", page, err)
	}
	rest := slices.DeleteFunc(control.DefaultPermissions(), func(p string) bool { return p == readHidden })
	if err := s.SetPermissions(ctx, "contoso", rest); err != nil {
		t.Fatal(err)
	}
	s.directory = s.connect(t, s.tenant)
	if page, err := read(of[true]); !errors.Is(err, errHidden) {
		t.Errorf("without it: %+v, %v", page, err)
	}
	if page, err := read(of[false]); err != nil || len(page.Observations) != 0 || page.More {
		t.Errorf("a group without members: %+v, %v", page, err)
	}
}
