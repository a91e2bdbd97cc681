package licensing_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rollcall-hq/rollcall/pkg/licensing"
)

// model is the rules in other words: it keeps since when things have been as they are, and looks back, where State keeps
// what is to come.
type model struct {
	waiting  bool // for a first policy
	conflict bool
	group    string // in force
	change   *modelChange
}

// modelChange is what the address has shown, without a break, instead of the group in force.
type modelChange struct {
	target   string
	empty    bool
	still    time.Time // since when it has not moved
	proved   bool      // it has settled, or its predecessor is proved to be gone
	rejected bool
}

// only is the only group at an address, "" where there is none.
func only(groups []string) string {
	if len(groups) == 0 {
		return ""
	}
	return groups[0]
}

func (m *model) start(seen licensing.Seen, complete bool, now time.Time) {
	*m = model{conflict: len(seen.Groups) > 1}
	switch {
	case m.conflict:
		m.waiting = true
	case complete || len(seen.Groups) == 0:
		m.group = only(seen.Groups)
	default:
		m.waiting, m.change = true, &modelChange{target: seen.Groups[0], still: now}
	}
}

func (m *model) observe(seen licensing.Seen, moved bool, now time.Time) {
	m.conflict = len(seen.Groups) > 1
	target := only(seen.Groups)
	switch {
	case m.conflict:
		m.change = nil
	case m.waiting && (m.change == nil || m.change.target != target):
		m.start(seen, false, now)
	case m.waiting:
	case target == m.group:
		m.change = nil
	default:
		m.change = m.change.next(target, target != "" && seen.Members == 0, moved, now)
		m.change.proved = m.change.proved || target == "" && seen.Vanished
	}
}

func (c *modelChange) next(target string, empty, moved bool, now time.Time) *modelChange {
	anew := &modelChange{target: target, empty: empty, still: now}
	if c == nil || c.target != target {
		return anew
	}
	switch moved = moved || empty != c.empty; {
	case moved && c.rejected, moved && empty, moved && !c.proved:
		return anew
	}
	return c
}

func (m *model) round(began time.Time, open bool) {
	switch c := m.change; {
	case c == nil || open:
	case m.waiting && !began.Before(c.still):
		*m = model{group: c.target}
	case !m.waiting && !c.empty && began.Sub(c.still) >= settle:
		c.proved = true
	}
}

func (m *model) approve() {
	if m.proposes() {
		*m = model{group: m.change.target}
	}
}

func (m *model) reject() {
	if m.proposes() {
		m.change.rejected = true
	}
}

func (m *model) proposes() bool { return m.change != nil && m.change.proved && !m.change.rejected }

// Whatever happens in whatever order: the machine agrees with the model, changes what is in force only when somebody
// approves what it proposes, and asks for a round exactly when one would have something proposed.
func TestStateFollowsTheModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var state licensing.State
		var m model
		now := epoch
		if began := drawSeen(t, ""); rapid.Bool().Draw(t, "complete") {
			state = licensing.Start(began, true, now)
			m.start(began, true, now)
		} else {
			state = licensing.Start(began, false, now)
			m.start(began, false, now)
		}
		var rested rested
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 700).Draw(t, "seconds")) * time.Second)
			before := state
			step := rapid.SampledFrom([]string{"observe", "observe", "round", "approve", "reject"}).Draw(t, "step")
			switch step {
			case "observe":
				seen := drawSeen(t, m.group)
				moved := len(seen.Groups) == 1 && rapid.Bool().Draw(t, "moved")
				state = state.Observe(seen, moved, now, settle)
				m.observe(seen, moved, now)
				rested.observe(seen, moved)
			case "round":
				began := now.Add(-time.Duration(rapid.IntRange(0, 300).Draw(t, "ago")) * time.Second)
				open := rapid.IntRange(0, 3).Draw(t, "open") == 0
				state = state.Round(began, open)
				m.round(began, open)
			case "approve":
				state = state.Approve()
				m.approve()
			case "reject":
				rested.reject(state)
				state = state.Reject()
				m.reject()
			}
			if before.Phase == licensing.InForce && step != "approve" && state.Policy != before.Policy {
				t.Fatalf("%s put %+v in force, unapproved", step, state.Policy)
			}
			rested.check(t, state)
			compare(t, state, m)
		}
	})
}

func drawSeen(t *rapid.T, inForce string) licensing.Seen {
	seen := licensing.Seen{
		Groups:  rapid.SampledFrom([][]string{nil, {"g"}, {"h"}, {"g", "h"}}).Draw(t, "groups"),
		Members: rapid.IntRange(0, 2).Draw(t, "members"),
	}
	seen.Vanished = inForce != "" && len(seen.Groups) == 0 && rapid.Bool().Draw(t, "vanished")
	return seen
}

// rested is what somebody has said no to, for as long as nothing about it changes.
type rested struct {
	is     bool
	target string
}

func (r *rested) reject(s licensing.State) {
	if s.Proposes() {
		r.is, r.target = true, s.Target().Group
	}
}

func (r *rested) observe(seen licensing.Seen, moved bool) {
	same := len(seen.Groups) < 2 && only(seen.Groups) == r.target && !moved && (r.target == "" || seen.Members > 0)
	r.is = r.is && same
}

func (r *rested) check(t *rapid.T, s licensing.State) {
	if r.is && s.Proposes() {
		t.Fatalf("%+v is proposed again, and nothing has changed", s.Change)
	}
}

func compare(t *rapid.T, state licensing.State, m model) {
	t.Helper()
	if (state.Phase == licensing.Waiting) != m.waiting || state.Conflict != m.conflict {
		t.Fatalf("%+v, want waiting %v, conflict %v", state, m.waiting, m.conflict)
	}
	if state.Policy.Group != m.group || !m.waiting && (state.Policy.Mode == licensing.GroupMembers) != (m.group != "") {
		t.Fatalf("in force: %+v, want group %q", state.Policy, m.group)
	}
	if (state.Change != nil) != (m.change != nil) || state.Proposes() != m.proposes() {
		t.Fatalf("change %+v, want %+v", state.Change, m.change)
	}
	if state.Proposes() && (state.Target().Group != m.change.target || state.Change.Empty) {
		t.Fatalf("proposes %+v, want group %q with a member", state.Change, m.change.target)
	}
	compareAsking(t, state, m)
}

func compareAsking(t *rapid.T, state licensing.State, m model) {
	t.Helper()
	when, ask := state.AskAt()
	if ask != (m.change != nil && (m.waiting || !m.change.empty && !m.change.proved && !m.change.rejected)) {
		t.Fatalf("asks %v with change %+v", ask, state.Change)
	}
	if !ask {
		return
	}
	after := state.Round(when, false)
	if m.waiting {
		if after.Phase != licensing.InForce || after.Policy.Group != m.change.target {
			t.Fatalf("the round that was asked for brings %+v", after)
		}
	} else if !after.Proposes() || after.Policy != state.Policy {
		t.Fatalf("the round that was asked for brings %+v", after)
	}
	for name, other := range map[string]licensing.State{
		"from before the time":          state.Round(when.Add(-time.Microsecond), false),
		"that has not shown everything": state.Round(when, true),
	} {
		if other.Proposes() || other.Phase != state.Phase {
			t.Fatalf("a round %s brings %+v", name, other)
		}
	}
}
