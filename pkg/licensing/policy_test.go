package licensing_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rollcall-hq/rollcall/pkg/licensing"
)

const settle = 10 * time.Minute

var epoch = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

func minute(n int) time.Time { return epoch.Add(time.Duration(n) * time.Minute) }

func allUsers() licensing.State {
	return licensing.State{Phase: licensing.InForce, Policy: licensing.Policy{Mode: licensing.AllUsers}}
}

func membersOf(group string) licensing.State {
	return licensing.State{Phase: licensing.InForce, Policy: licensing.Policy{Mode: licensing.GroupMembers, Group: group}}
}

func changing(s licensing.State, group string, empty bool, settleAt int) licensing.State {
	s.Change = &licensing.Change{Group: group, Empty: empty, SettleAt: minute(settleAt)}
	return s
}

func conflicting(s licensing.State) licensing.State { s.Conflict = true; return s }

func at(members int, groups ...string) licensing.Seen {
	return licensing.Seen{Groups: groups, Members: members}
}

func TestStart(t *testing.T) {
	t.Parallel()
	waiting := licensing.State{Phase: licensing.Waiting}
	for name, c := range map[string]struct {
		seen     licensing.Seen
		complete bool
		want     licensing.State
	}{
		"no group licenses all":            {at(0), false, allUsers()},
		"a group counts at once":           {at(3, "g"), true, membersOf("g")},
		"an empty one too":                 {at(0, "g"), true, membersOf("g")},
		"without its members it waits":     {at(3, "g"), false, changing(waiting, "g", false, 1)},
		"two groups decide nothing":        {at(0, "g", "h"), false, conflicting(waiting)},
		"not even with members of the two": {at(0, "g", "h"), true, conflicting(waiting)},
	} {
		if diff := cmp.Diff(c.want, licensing.Start(c.seen, c.complete, minute(1))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestObserve(t *testing.T) {
	t.Parallel()
	waiting := licensing.State{Phase: licensing.Waiting}
	gone := licensing.Seen{Vanished: true}
	for name, c := range map[string]struct {
		state licensing.State
		seen  licensing.Seen
		moved bool
		want  licensing.State
	}{
		"nothing before the first snapshot":     {licensing.State{}, at(1, "g"), false, licensing.State{}},
		"agreement":                             {membersOf("g"), at(5, "g"), false, membersOf("g")},
		"a found group settles":                 {allUsers(), at(1, "g"), false, changing(allUsers(), "g", false, 15)},
		"an empty one is marked so":             {allUsers(), at(0, "g"), false, changing(allUsers(), "g", true, 15)},
		"its first member begins the time anew": {changing(allUsers(), "g", true, 12), at(1, "g"), true, changing(allUsers(), "g", false, 15)},
		"each further one too":                  {changing(allUsers(), "g", false, 12), at(2, "g"), true, changing(allUsers(), "g", false, 15)},
		"losing the last one as well":           {changing(allUsers(), "g", false, 12), at(0, "g"), true, changing(allUsers(), "g", true, 15)},
		"stillness does not":                    {changing(allUsers(), "g", false, 12), at(2, "g"), false, changing(allUsers(), "g", false, 12)},
		"late news never shortens the time":     {changing(allUsers(), "g", false, 40), at(2, "g"), true, changing(allUsers(), "g", false, 40)},
		"another group begins its own time":     {changing(allUsers(), "g", false, 12), at(1, "h"), false, changing(allUsers(), "h", false, 15)},
		"a candidate that goes is forgotten":    {changing(allUsers(), "g", false, 12), at(0), false, allUsers()},
		"renamed away settles":                  {membersOf("g"), at(0), false, changing(membersOf("g"), "", false, 15)},
		"and back in time is as before":         {changing(membersOf("g"), "", false, 12), at(1, "g"), false, membersOf("g")},
		"proved gone flips at once":             {membersOf("g"), gone, false, allUsers()},
		"gone while renamed away flips too":     {changing(membersOf("g"), "", false, 12), gone, false, allUsers()},
		"gone with a successor settles":         {membersOf("g"), licensing.Seen{Groups: []string{"h"}, Members: 1, Vanished: true}, false, changing(membersOf("g"), "h", false, 15)},
		"another id settles":                    {membersOf("g"), at(0, "h"), false, changing(membersOf("g"), "h", true, 15)},
		"two groups change nothing":             {membersOf("g"), at(0, "g", "h"), false, conflicting(membersOf("g"))},
		"and stop what was settling":            {changing(allUsers(), "g", false, 12), at(0, "g", "h"), false, conflicting(allUsers())},
		"a conflict that ends with the old one": {conflicting(membersOf("g")), at(1, "g"), false, membersOf("g")},
		"a conflict that ends with the new one": {conflicting(membersOf("g")), at(1, "h"), false, changing(membersOf("g"), "h", false, 15)},
		"waiting goes on":                       {changing(waiting, "g", false, 1), at(1, "g"), true, changing(waiting, "g", false, 1)},
		"waiting for another group":             {changing(waiting, "g", false, 1), at(1, "h"), false, changing(waiting, "h", false, 5)},
		"waiting, the group goes":               {changing(waiting, "g", false, 1), at(0), false, allUsers()},
		"waiting in conflict, one is left":      {conflicting(waiting), at(0, "h"), false, changing(waiting, "h", false, 5)},
		"waiting, a second group comes":         {changing(waiting, "g", false, 1), at(0, "g", "h"), false, conflicting(waiting)},
	} {
		before := clone(c.state)
		if diff := cmp.Diff(c.want, c.state.Observe(c.seen, c.moved, minute(5), settle)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(before, c.state); diff != "" {
			t.Errorf("%s changed its argument:\n%s", name, diff)
		}
	}
}

func clone(s licensing.State) licensing.State {
	if s.Change != nil {
		c := *s.Change
		s.Change = &c
	}
	return s
}

func TestRound(t *testing.T) {
	t.Parallel()
	waiting := licensing.State{Phase: licensing.Waiting}
	for name, c := range map[string]struct {
		state     licensing.State
		began     int
		vanishing []string
		want      licensing.State
	}{
		"nothing to change":                 {allUsers(), 99, nil, allUsers()},
		"began before it settled":           {changing(allUsers(), "g", false, 15), 14, nil, changing(allUsers(), "g", false, 15)},
		"began when it settled":             {changing(allUsers(), "g", false, 15), 15, nil, membersOf("g")},
		"an empty group never counts":       {changing(allUsers(), "g", true, 15), 99, nil, changing(allUsers(), "g", true, 15)},
		"renamed away":                      {changing(membersOf("g"), "", false, 15), 16, nil, allUsers()},
		"another id":                        {changing(membersOf("g"), "h", false, 15), 16, nil, membersOf("h")},
		"another id that is empty":          {changing(membersOf("g"), "h", true, 15), 16, nil, changing(membersOf("g"), "h", true, 15)},
		"in conflict":                       {conflicting(allUsers()), 99, nil, conflicting(allUsers())},
		"waiting starts with whole members": {changing(waiting, "g", false, 15), 15, nil, membersOf("g")},
		"waiting, a round from before":      {changing(waiting, "g", false, 15), 14, nil, changing(waiting, "g", false, 15)},
		"waiting in conflict":               {conflicting(waiting), 99, nil, conflicting(waiting)},
		"connecting":                        {licensing.State{}, 99, nil, licensing.State{}},
		"about to vanish":                   {changing(allUsers(), "g", false, 15), 99, []string{"g"}, changing(allUsers(), "g", false, 15)},
		"another is about to vanish":        {changing(membersOf("h"), "g", false, 15), 99, []string{"h"}, membersOf("g")},
		"renamed away while one vanishes":   {changing(membersOf("g"), "", false, 15), 99, []string{"g"}, allUsers()},
	} {
		if diff := cmp.Diff(c.want, c.state.Round(minute(c.began), c.vanishing)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestAskAt(t *testing.T) {
	t.Parallel()
	waiting := licensing.State{Phase: licensing.Waiting}
	for name, c := range map[string]struct {
		state licensing.State
		want  bool
	}{
		"nothing changes":       {allUsers(), false},
		"a change":              {changing(allUsers(), "g", false, 15), true},
		"to an empty group":     {changing(allUsers(), "g", true, 15), false},
		"renamed away":          {changing(membersOf("g"), "", false, 15), true},
		"waiting":               {changing(waiting, "g", false, 15), true},
		"waiting, an empty one": {changing(waiting, "g", true, 15), true},
		"conflict":              {conflicting(allUsers()), false},
	} {
		when, ok := c.state.AskAt()
		if ok != c.want || ok && !when.Equal(minute(15)) {
			t.Errorf("%s: %v, %v", name, when, ok)
		}
	}
}

// model is the rules in other words: it keeps the whole past and looks back, where State keeps a summary.
type model struct {
	group    string // in force
	target   string // what the address has shown since lastDiff, when it differs
	pending  bool
	empty    bool
	lastMove time.Time
}

func (m *model) observe(groups []string, members int, vanished, moved bool, now time.Time) {
	if len(groups) > 1 {
		m.pending = false
		return
	}
	target := ""
	if len(groups) == 1 {
		target = groups[0]
	}
	switch {
	case target == m.group:
		m.pending = false
	case target == "" && vanished:
		m.group, m.pending = "", false
	default:
		if !m.pending || m.target != target || moved && now.After(m.lastMove) {
			m.lastMove = now
		}
		m.pending, m.target, m.empty = true, target, target != "" && members == 0
	}
}

func (m *model) round(began time.Time) {
	if m.pending && !m.empty && began.Sub(m.lastMove) >= settle {
		m.group, m.pending = m.target, false
	}
}

// Whatever happens in whatever order: the machine agrees with the model, flips only where a rule allows it, and asks for
// a round exactly when one would flip it.
func TestStateFollowsTheModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		start := rapid.SampledFrom([]string{"", "g"}).Draw(t, "start")
		state, m := allUsers(), model{group: start}
		if start != "" {
			state = membersOf(start)
		}
		now := epoch
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 700).Draw(t, "seconds")) * time.Second)
			before := clone(state)
			if rapid.Bool().Draw(t, "round") {
				began := now.Add(-time.Duration(rapid.IntRange(0, 300).Draw(t, "ago")) * time.Second)
				state = state.Round(began, nil)
				m.round(began)
				if state.Policy != before.Policy && (before.Change == nil || before.Change.SettleAt.After(began)) {
					t.Fatalf("flipped on a round from %v, before %+v had settled", began, before.Change)
				}
			} else {
				seen := licensing.Seen{
					Groups:  rapid.SampledFrom([][]string{nil, {"g"}, {"h"}, {"g", "h"}}).Draw(t, "groups"),
					Members: rapid.IntRange(0, 2).Draw(t, "members"),
				}
				seen.Vanished = m.group != "" && len(seen.Groups) == 0 && rapid.Bool().Draw(t, "vanished")
				moved := rapid.Bool().Draw(t, "moved")
				state = state.Observe(seen, moved, now, settle)
				m.observe(seen.Groups, seen.Members, seen.Vanished, moved, now)
			}
			compare(t, state, m)
		}
	})
}

func compare(t *rapid.T, state licensing.State, m model) {
	if state.Policy.Group != m.group || (state.Policy.Mode == licensing.GroupMembers) != (m.group != "") {
		t.Fatalf("in force: %+v, want group %q", state.Policy, m.group)
	}
	if (state.Change != nil) != m.pending {
		t.Fatalf("change %+v, want pending %v", state.Change, m.pending)
	}
	when, ask := state.AskAt()
	if ask != (m.pending && !m.empty) {
		t.Fatalf("asks %v with change %+v", ask, state.Change)
	}
	if !ask {
		return
	}
	if after := state.Round(when, nil); after.Policy.Group != m.target {
		t.Fatalf("the round that was asked for brings %+v, want %q", after.Policy, m.target)
	}
	if early := state.Round(when.Add(-time.Microsecond), nil); early.Policy != state.Policy {
		t.Fatalf("a round from before the settle time brings %+v", early.Policy)
	}
}
