package licensing_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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

func staged(s licensing.State, stage licensing.Stage) licensing.State {
	s.Change.Stage = stage
	return s
}

// proposed is a state in which a change has settled, rejected one in which somebody has said no to it.
func proposed(s licensing.State, group string, settleAt int) licensing.State {
	return staged(changing(s, group, false, settleAt), licensing.Proposed)
}

func rejected(s licensing.State, group string, settleAt int) licensing.State {
	return staged(changing(s, group, false, settleAt), licensing.Rejected)
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
		"also where nobody has said so":         {changing(allUsers(), "g", true, 12), at(1, "g"), false, changing(allUsers(), "g", false, 15)},
		"each further one too":                  {changing(allUsers(), "g", false, 12), at(2, "g"), true, changing(allUsers(), "g", false, 15)},
		"losing the last one as well":           {changing(allUsers(), "g", false, 12), at(0, "g"), true, changing(allUsers(), "g", true, 15)},
		"stillness does not":                    {changing(allUsers(), "g", false, 12), at(2, "g"), false, changing(allUsers(), "g", false, 12)},
		"late news never shortens the time":     {changing(allUsers(), "g", false, 40), at(2, "g"), true, changing(allUsers(), "g", false, 40)},
		"another group begins its own time":     {changing(allUsers(), "g", false, 12), at(1, "h"), false, changing(allUsers(), "h", false, 15)},
		"a candidate that goes is forgotten":    {changing(allUsers(), "g", false, 12), at(0), false, allUsers()},
		"renamed away settles":                  {membersOf("g"), at(0), false, changing(membersOf("g"), "", false, 15)},
		"and back in time is as before":         {changing(membersOf("g"), "", false, 12), at(1, "g"), false, membersOf("g")},
		"proved gone is proposed at once":       {membersOf("g"), gone, false, proposed(membersOf("g"), "", 5)},
		"gone while renamed away is so too":     {changing(membersOf("g"), "", false, 12), gone, false, proposed(membersOf("g"), "", 5)},
		"and stays so":                          {proposed(membersOf("g"), "", 1), gone, false, proposed(membersOf("g"), "", 1)},
		"gone, and no was said to that":         {rejected(membersOf("g"), "", 1), gone, false, rejected(membersOf("g"), "", 1)},
		"gone with a successor settles":         {membersOf("g"), licensing.Seen{Groups: []string{"h"}, Members: 1, Vanished: true}, false, changing(membersOf("g"), "h", false, 15)},
		"another id settles":                    {membersOf("g"), at(0, "h"), false, changing(membersOf("g"), "h", true, 15)},
		"two groups change nothing":             {membersOf("g"), at(0, "g", "h"), false, conflicting(membersOf("g"))},
		"and stop what was settling":            {changing(allUsers(), "g", false, 12), at(0, "g", "h"), false, conflicting(allUsers())},
		"a conflict that ends with the old one": {conflicting(membersOf("g")), at(1, "g"), false, membersOf("g")},
		"a conflict that ends with the new one": {conflicting(membersOf("g")), at(1, "h"), false, changing(membersOf("g"), "h", false, 15)},
		"proposed stays so, whoever joins":      {proposed(allUsers(), "g", 1), at(2, "g"), true, proposed(allUsers(), "g", 1)},
		"until nobody is left":                  {proposed(allUsers(), "g", 1), at(0, "g"), true, changing(allUsers(), "g", true, 15)},
		"proposed and renamed away":             {proposed(allUsers(), "g", 1), at(0), false, allUsers()},
		"proposed, and made again":              {proposed(allUsers(), "g", 1), at(2, "h"), false, changing(allUsers(), "h", false, 15)},
		"proposed, and a second group comes":    {proposed(allUsers(), "g", 1), at(0, "g", "h"), false, conflicting(allUsers())},
		"rejected rests":                        {rejected(allUsers(), "g", 1), at(2, "g"), false, rejected(allUsers(), "g", 1)},
		"until somebody joins or leaves":        {rejected(allUsers(), "g", 1), at(2, "g"), true, changing(allUsers(), "g", false, 15)},
		"or nobody is left":                     {rejected(allUsers(), "g", 1), at(0, "g"), false, changing(allUsers(), "g", true, 15)},
		"rejected, and made again":              {rejected(allUsers(), "g", 1), at(2, "h"), false, changing(allUsers(), "h", false, 15)},
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
		state licensing.State
		began int
		open  bool
		want  licensing.State
	}{
		"nothing to change":                 {allUsers(), 99, false, allUsers()},
		"began before it settled":           {changing(allUsers(), "g", false, 15), 14, false, changing(allUsers(), "g", false, 15)},
		"began when it settled":             {changing(allUsers(), "g", false, 15), 15, false, proposed(allUsers(), "g", 15)},
		"an empty group never counts":       {changing(allUsers(), "g", true, 15), 99, false, changing(allUsers(), "g", true, 15)},
		"renamed away":                      {changing(membersOf("g"), "", false, 15), 16, false, proposed(membersOf("g"), "", 15)},
		"another id":                        {changing(membersOf("g"), "h", false, 15), 16, false, proposed(membersOf("g"), "h", 15)},
		"another id that is empty":          {changing(membersOf("g"), "h", true, 15), 16, false, changing(membersOf("g"), "h", true, 15)},
		"in conflict":                       {conflicting(allUsers()), 99, false, conflicting(allUsers())},
		"waiting starts with whole members": {changing(waiting, "g", false, 15), 15, false, membersOf("g")},
		"waiting, a round from before":      {changing(waiting, "g", false, 15), 14, false, changing(waiting, "g", false, 15)},
		"waiting in conflict":               {conflicting(waiting), 99, false, conflicting(waiting)},
		"connecting":                        {licensing.State{}, 99, false, licensing.State{}},
		"what is proposed already":          {proposed(allUsers(), "g", 15), 99, false, proposed(allUsers(), "g", 15)},
		"what was rejected":                 {rejected(allUsers(), "g", 15), 99, false, rejected(allUsers(), "g", 15)},
		"not all of the group was shown":    {changing(allUsers(), "g", false, 15), 99, true, changing(allUsers(), "g", false, 15)},
		"waiting, not all of it was shown":  {changing(waiting, "g", false, 15), 99, true, changing(waiting, "g", false, 15)},
	} {
		if diff := cmp.Diff(c.want, c.state.Round(minute(c.began), c.open)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestApproveAndReject(t *testing.T) {
	t.Parallel()
	waiting := licensing.State{Phase: licensing.Waiting}
	for name, c := range map[string]struct{ state, approved, rejected licensing.State }{
		"proposed":              {proposed(allUsers(), "g", 15), membersOf("g"), rejected(allUsers(), "g", 15)},
		"proposed, to no group": {proposed(membersOf("g"), "", 15), allUsers(), rejected(membersOf("g"), "", 15)},
		"nothing":               {allUsers(), allUsers(), allUsers()},
		"settling":              {changing(allUsers(), "g", false, 15), changing(allUsers(), "g", false, 15), changing(allUsers(), "g", false, 15)},
		"rejected":              {rejected(allUsers(), "g", 15), rejected(allUsers(), "g", 15), rejected(allUsers(), "g", 15)},
		"waiting":               {changing(waiting, "g", false, 15), changing(waiting, "g", false, 15), changing(waiting, "g", false, 15)},
	} {
		before := clone(c.state)
		if diff := cmp.Diff(c.approved, c.state.Approve()); diff != "" {
			t.Errorf("%s, approved (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(c.rejected, c.state.Reject()); diff != "" {
			t.Errorf("%s, rejected (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(before, c.state); diff != "" {
			t.Errorf("%s changed its argument:\n%s", name, diff)
		}
		if target := c.state.Target(); c.state.Proposes() && target != c.approved.Policy {
			t.Errorf("%s: approved it becomes %+v, announced was %+v", name, c.approved.Policy, target)
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
		"proposed":              {proposed(allUsers(), "g", 15), false},
		"rejected":              {rejected(allUsers(), "g", 15), false},
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
