package verify_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/license"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/verify"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// simulated is a directory that a test has written down.
type simulated struct {
	users   []control.User
	groups  []control.Group
	members []control.Member            // of any group
	of      map[string][]control.Member // of some, in their place
}

func (s simulated) Users(context.Context, string) ([]control.User, error)   { return s.users, nil }
func (s simulated) Groups(context.Context, string) ([]control.Group, error) { return s.groups, nil }
func (s simulated) Members(_ context.Context, _, group string) ([]control.Member, error) {
	if members, of := s.of[group]; of {
		return members, nil
	}
	return s.members, nil
}

const address = "seats@contoso.com"

var cfg = verify.Config{Tenant: "contoso", Product: "secure-share", Group: address, Simulated: "contoso"}

// company has an active user, a suspended one, a guest and one who was deleted.
func company() simulated {
	return simulated{users: []control.User{
		{ID: "ada", Status: directory.Active},
		{ID: "bob", Status: directory.Suspended},
		{ID: "guest", Status: directory.Active, Guest: true},
		{ID: "gone", Status: directory.Deleted},
		{ID: "eve", Status: directory.Active},
	}}
}

// stream is a record that a test has written down.
type stream []license.Event

func (s stream) Stats() license.Stats { return license.Stats{} }

func (s stream) Replay(ctx context.Context, _ license.Options, fn license.Handler) error {
	for _, e := range s {
		if err := fn(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// says appends an event with the next sequence.
func (s stream) says(e license.Event) stream { return s.saysAt(uint64(len(s)+1), e) }

func (s stream) saysAt(sequence uint64, e license.Event) stream {
	e.Sequence = sequence
	return append(s[:len(s):len(s)], e)
}

func granted(user string) license.Event {
	return license.Event{User: user, Entitlement: &event.Entitlement{User: user, Licensed: true}}
}

func revoked(user string) license.Event {
	return license.Event{User: user, Entitlement: &event.Entitlement{User: user}}
}

func policy(group string) license.Event {
	return license.Event{Policy: &event.PolicyChanged{Group: group}}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	truth := stream(nil).says(granted("ada")).says(granted("eve"))
	group := company()
	group.groups = []control.Group{{ID: "g1", Address: "other@contoso.com", Aliases: []string{strings.ToUpper(address)}}, {ID: "g0", Address: address, Deleted: true}}
	group.members = []control.Member{{ID: "ada", Kind: directory.UserMember}, {ID: "bob", Kind: directory.UserMember}}
	empty := group
	empty.members = nil
	moved := empty // its address went to another group, which is empty
	moved.groups = append(slices.Clone(group.groups), control.Group{ID: "g2"})
	moved.of = map[string][]control.Member{"g2": group.members}
	// Of a Workspace group: an archived member, someone from elsewhere, a group, and later the customer itself.
	outsiders := group
	outsiders.users = append(company().users, control.User{ID: "archie", Status: directory.Archived})
	outsiders.members = []control.Member{
		{ID: "ada", Kind: directory.UserMember},
		{ID: "archie", Kind: directory.UserMember},
		{ID: "elsewhere", Kind: directory.UserMember},
		{ID: "nested", Kind: directory.GroupMember},
	}
	whole := outsiders
	whole.members = append(whole.members[:4:4], control.Member{ID: "C01", Kind: directory.CustomerMember})

	for name, c := range map[string]struct {
		dir   simulated
		said  stream
		wrong string // user that differs, or part of a fault; "" for none
	}{
		"everyone":           {dir: company(), said: truth},
		"one missing":        {dir: company(), said: truth[:1], wrong: "user eve"},
		"a suspended user":   {dir: company(), said: truth.says(granted("bob")), wrong: "user bob"},
		"an unknown user":    {dir: company(), said: truth.says(granted("mallory")), wrong: "user mallory"},
		"one forged":         {dir: company(), said: truth.says(revoked("ada")), wrong: "user ada"},
		"a gap":              {dir: company(), said: truth.saysAt(4, granted("ada")), wrong: "sequence 4 follows 2"},
		"a repeat":           {dir: company(), said: append(truth[:2:2], truth[1]), wrong: "sequence 2 follows 2"},
		"members by alias":   {dir: group, said: truth.says(revoked("eve"))},
		"not a member":       {dir: group, said: truth, wrong: "user eve"},
		"a new, empty group": {dir: empty, said: truth},
		"a group that waits for its first member": {dir: empty, said: truth.says(policy("g0")).says(revoked("eve"))},
		"nor may others stand":                    {dir: empty, said: truth.says(policy("g0")).says(granted("bob")), wrong: "user bob"},
		"the old group has members":               {dir: moved, said: truth.says(policy("g2")).says(revoked("eve"))},
		"and others are not in it":                {dir: moved, said: truth.says(policy("g2")), wrong: "user eve"},
		"outsiders":                               {dir: outsiders, said: truth.says(revoked("eve"))},
		"one let in":                              {dir: outsiders, said: truth.says(revoked("eve")).says(granted("elsewhere")), wrong: "user elsewhere"},
		"an archived member":                      {dir: outsiders, said: truth.says(revoked("eve")).says(granted("archie")), wrong: "user archie"},
		"the whole customer":                      {dir: whole, said: truth},
		"one left out":                            {dir: whole, said: truth.says(revoked("eve")), wrong: "user eve"},
		"an emptied group": {
			dir: empty, said: truth.says(policy("g1")).
				says(revoked("ada")).says(revoked("eve")),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report, err := verify.Compare(t.Context(), cfg, verify.Sources{Directory: c.dir, Stream: c.said})
			if err != nil {
				t.Fatal(err)
			}
			if report.OK() != (c.wrong == "") || !strings.Contains(report.String(), c.wrong) {
				t.Errorf("want %q wrong, got: %s", c.wrong, report)
			}
		})
	}
}

// late shows one more event each time that it is read.
type late struct {
	stream
	asked int
}

func (l *late) Replay(ctx context.Context, o license.Options, fn license.Handler) error {
	l.asked++
	return l.stream[:min(l.asked, len(l.stream))].Replay(ctx, o, fn)
}

func TestAwaitIsPatientButNotForEver(t *testing.T) {
	t.Parallel()
	truth := stream(nil).says(granted("ada")).says(granted("eve"))
	behind := &late{stream: truth}
	if report, err := verify.Await(t.Context(), cfg, verify.Sources{Directory: company(), Stream: behind}, time.Minute); err != nil || !report.OK() || behind.asked != 2 {
		t.Errorf("asked %d times: %v, %v", behind.asked, report, err)
	}
	never := verify.Sources{Directory: company(), Stream: truth[:1]}
	if report, err := verify.Await(t.Context(), cfg, never, time.Millisecond); err != nil || report.OK() {
		t.Errorf("never true: %v, %v", report, err)
	}
}
