package licensing_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rollcall-hq/rollcall/pkg/licensing"
)

// model is the rules in other words: it keeps when what was last seen first, and looks back, where State keeps a summary.
type model struct {
	group  string // in force
	change *modelChange
}

// modelChange is what the address has shown, without a break, instead of the group in force.
type modelChange struct {
	target   string
	empty    bool
	still    time.Time // since when it has not moved
	proved   bool      // it has settled, or its predecessor is proved to be gone
	rejected bool
}

func (m *model) observe(seen licensing.Seen, moved bool, now time.Time) {
	target := ""
	if len(seen.Groups) == 1 {
		target = seen.Groups[0]
	}
	if len(seen.Groups) > 1 || target == m.group {
		m.change = nil
		return
	}
	c := m.change
	if c == nil || c.target != target || moved && c.rejected || moved && !c.proved && now.After(c.still) {
		c = &modelChange{target: target, still: now}
	}
	c.empty = target != "" && seen.Members == 0
	if c.empty && c.proved && !c.rejected {
		c = &modelChange{target: target, still: now, empty: true}
	}
	c.proved = c.proved || target == "" && seen.Vanished
	m.change = c
}

func (m *model) round(began time.Time) {
	if c := m.change; c != nil && !c.empty && began.Sub(c.still) >= settle {
		c.proved = true
	}
}

func (m *model) proposes() bool { return m.change != nil && m.change.proved && !m.change.rejected }

// Whatever happens in whatever order: the machine agrees with the model, changes only what is in force when somebody approves
// what it proposes, and asks for a round exactly when one would have something proposed.
func TestStateFollowsTheModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		start := rapid.SampledFrom([]string{"", "g"}).Draw(t, "start")
		state, m := allUsers(), model{group: start}
		if start != "" {
			state = membersOf(start)
		}
		now := epoch
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 700).Draw(t, "seconds")) * time.Second)
			switch rapid.SampledFrom([]string{"observe", "observe", "round", "approve", "reject"}).Draw(t, "step") {
			case "observe":
				seen := licensing.Seen{
					Groups:  rapid.SampledFrom([][]string{nil, {"g"}, {"h"}, {"g", "h"}}).Draw(t, "groups"),
					Members: rapid.IntRange(0, 2).Draw(t, "members"),
				}
				seen.Vanished = m.group != "" && len(seen.Groups) == 0 && rapid.Bool().Draw(t, "vanished")
				moved := rapid.Bool().Draw(t, "moved")
				state = state.Observe(seen, moved, now, settle)
				m.observe(seen, moved, now)
			case "round":
				began := now.Add(-time.Duration(rapid.IntRange(0, 300).Draw(t, "ago")) * time.Second)
				state = state.Round(began, false)
				m.round(began)
			case "approve":
				if state = state.Approve(); m.proposes() {
					m.group, m.change = m.change.target, nil
				}
			case "reject":
				if state = state.Reject(); m.proposes() {
					m.change.rejected = true
				}
			}
			compare(t, state, m)
		}
	})
}

func compare(t *rapid.T, state licensing.State, m model) {
	if state.Policy.Group != m.group || (state.Policy.Mode == licensing.GroupMembers) != (m.group != "") {
		t.Fatalf("in force: %+v, want group %q", state.Policy, m.group)
	}
	if (state.Change != nil) != (m.change != nil) || state.Proposes() != m.proposes() {
		t.Fatalf("change %+v, want %+v", state.Change, m.change)
	}
	if state.Proposes() && state.Target().Group != m.change.target {
		t.Fatalf("proposes %+v, want group %q", state.Target(), m.change.target)
	}
	when, ask := state.AskAt()
	if ask != (m.change != nil && !m.change.empty && !m.change.proved && !m.change.rejected) {
		t.Fatalf("asks %v with change %+v", ask, state.Change)
	}
	if !ask {
		return
	}
	if after := state.Round(when, false); !after.Proposes() || after.Policy != state.Policy {
		t.Fatalf("the round that was asked for brings %+v", after)
	}
	for name, other := range map[string]licensing.State{
		"from before the settle time":   state.Round(when.Add(-time.Microsecond), false),
		"that has not shown everything": state.Round(when, true),
	} {
		if other.Proposes() {
			t.Fatalf("a round %s has %+v proposed", name, other.Change)
		}
	}
}
