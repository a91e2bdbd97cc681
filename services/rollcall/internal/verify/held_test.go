package verify_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/license"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/verify"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// about is an event about a held change. What it holds decides its type.
func about(data any) license.Event {
	e := license.Event{}
	switch data.(type) {
	case event.HeldOpened:
		e.Type = event.TypeHeldOpened
	case event.HeldListed:
		e.Type = event.TypeHeldListed
	case event.HeldClosed:
		e.Type = event.TypeHeldClosed
	}
	ev, err := event.New(e.Type, event.Meta{
		ID: event.LicenseID(cfg.Tenant, cfg.Product, 1), Source: event.LicenseSource(cfg.Tenant, cfg.Product), Time: time.Now(),
		Tenant: cfg.Tenant, Sequence: 1,
	}, data)
	if err != nil {
		panic(err)
	}
	if e.Raw, err = event.Encode(ev); err != nil {
		panic(err)
	}
	return e
}

// holds appends that a change is held, with its list.
func (s stream) holds(ref string, users ...event.HeldUser) stream {
	kind, _, _ := strings.Cut(ref, "-")
	opened := event.HeldOpened{Tenant: cfg.Tenant, Product: cfg.Product, Held: ref, Kind: kind, Revision: 1, Revocations: len(users)}
	if kind == event.HeldFlip {
		opened.Mode, opened.Group, opened.PreviousMode = "group-members", "g1", "all-users"
	}
	s = s.says(about(opened))
	if len(users) == 0 {
		return s
	}
	return s.lists(ref, users...)
}

func (s stream) lists(ref string, users ...event.HeldUser) stream {
	return s.says(about(event.HeldListed{Tenant: cfg.Tenant, Product: cfg.Product, Held: ref, Revision: 1, Users: users}))
}

func (s stream) closes(ref, outcome string) stream {
	kind, _, _ := strings.Cut(ref, "-")
	return s.says(about(event.HeldClosed{Tenant: cfg.Tenant, Product: cfg.Product, Held: ref, Kind: kind, Revision: 1, Outcome: outcome}))
}

func loses(user string) event.HeldUser {
	return event.HeldUser{User: user, Listed: true, Reason: "not-a-member"}
}

func gains(user string) event.HeldUser {
	return event.HeldUser{User: user, Listed: true, Licensed: true, Reason: "group-member"}
}

func off(user string) event.HeldUser { return event.HeldUser{User: user} }

func kept(user string) license.Event {
	return license.Event{User: user, Entitlement: &event.Entitlement{User: user, Licensed: true, Reason: "held"}}
}

// TestWhatIsHeldIsNeitherTrueNorUntrue: ada and eve are licensed, the group at the address holds ada and the suspended bob.
func TestWhatIsHeldIsNeitherTrueNorUntrue(t *testing.T) {
	t.Parallel()
	group, whole := company(), company()
	group.groups = []control.Group{{ID: "g1", Address: address}}
	group.members = []control.Member{{ID: "ada", Kind: directory.UserMember}, {ID: "bob", Kind: directory.UserMember}}
	whole.groups, whole.members = group.groups, append(group.members[:2:2], control.Member{ID: "eve", Kind: directory.UserMember})
	truth := stream(nil).says(granted("ada")).says(granted("eve"))
	flip := truth.holds("flip-3", loses("eve"))
	waits := verify.HeldChange{ID: "flip-3", Kind: "flip", Revision: 1, Revocations: 1, Users: 1}
	rejected := waits
	rejected.Outcome = "rejected"
	revocations := truth.says(policy("g1")).says(kept("eve")).holds("revocations-5", loses("eve"))

	for name, c := range map[string]struct {
		dir   simulated
		said  stream
		held  []verify.HeldChange
		wrong string // user that differs, or part of a fault; "" for none
	}{
		"a flip waits":               {dir: group, said: flip, held: []verify.HeldChange{waits}},
		"of nobody":                  {dir: whole, said: truth.holds("flip-3"), held: []verify.HeldChange{{ID: "flip-3", Kind: "flip", Revision: 1}}},
		"one is not on its list":     {dir: group, said: truth.holds("flip-3"), wrong: "user eve"},
		"one is off it again":        {dir: group, said: flip.lists("flip-3", off("eve")), wrong: "user eve"},
		"one is on it with the rest": {dir: group, said: flip.lists("flip-3", loses("ada")), wrong: "flip-3 lists 1 users who are as the directory says, first ada"},
		"it says the opposite":       {dir: group, said: flip.lists("flip-3", gains("eve")), wrong: "user eve"},
		"it is of others":            {dir: group, said: flip.lists("revocations-9", loses("eve")), wrong: "no held change revocations-9 is open"},
		"somebody let in meanwhile":  {dir: group, said: flip.says(granted("bob")), wrong: "user bob"},
		"one who is no user":         {dir: group, said: flip.says(granted("mallory")), wrong: "user mallory"},
		"approved, and nobody acts":  {dir: group, said: flip.closes("flip-3", "approved").says(policy("g1")), wrong: "user eve"},
		"approved and carried out":   {dir: group, said: flip.closes("flip-3", "approved").says(policy("g1")).says(revoked("eve"))},
		"rejected":                   {dir: group, said: flip.closes("flip-3", "rejected"), held: []verify.HeldChange{rejected}},
		"rejected, and let in":       {dir: group, said: flip.closes("flip-3", "rejected").says(granted("bob")), wrong: "user bob"},
		"rejected, and gone":         {dir: company(), said: flip.closes("flip-3", "rejected")},
		"revocations wait": {
			dir: group, said: revocations,
			held: []verify.HeldChange{{ID: "revocations-5", Kind: "revocations", Revision: 1, Revocations: 1, Users: 1}},
		},
		"they are withdrawn": {dir: group, said: revocations.closes("revocations-5", "withdrawn"), wrong: "user eve"},
		"they were rejected": {
			dir: group, said: revocations.closes("revocations-5", "rejected"),
			held: []verify.HeldChange{{ID: "revocations-5", Kind: "revocations", Revision: 1, Revocations: 1, Outcome: "rejected", Users: 1}},
		},
		"and decided since": {dir: group, said: revocations.closes("revocations-5", "rejected").says(granted("eve")), wrong: "user eve"},
		"revocations wait, and a flip that lets them be": {
			dir: whole, said: revocations.holds("flip-7"),
			held: []verify.HeldChange{
				{ID: "flip-7", Kind: "flip", Revision: 1},
				{ID: "revocations-5", Kind: "revocations", Revision: 1, Revocations: 1},
			},
		},
		"a refresh would grant": {
			dir: whole, said: truth[:1].says(policy("g1")).holds("refresh-3", gains("eve")),
			held: []verify.HeldChange{{ID: "refresh-3", Kind: "refresh", Revision: 1, Grants: 1, Users: 1}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report, err := verify.Compare(t.Context(), cfg, verify.Sources{Directory: c.dir, Stream: c.said})
			if err != nil {
				t.Fatal(err)
			}
			want := verify.True
			if c.wrong != "" {
				want = verify.Untrue
			} else if c.held != nil {
				want = verify.Parked
				if diff := cmp.Diff(c.held, report.Held); diff != "" {
					t.Errorf("held (-want +got):\n%s", diff)
				}
			}
			if report.State != want || report.OK() != (want == verify.True) || !strings.Contains(report.String(), c.wrong) {
				t.Errorf("want %s with %q wrong, got %s: %s", want, c.wrong, report.State, report)
			}
		})
	}
}
