package licensing_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rollcall-hq/rollcall/pkg/licensing"
)

// model is the life of a product's group in other words: what the address shows instead of what is in force, and what has
// become of that.
type model struct {
	group    string // in force
	pending  bool   // the address shows something else:
	target   string
	empty    bool
	proposed bool
	rejected bool
	lastMove time.Time // since when it has been still
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
	if target == m.group {
		m.pending = false
		return
	}
	if !m.pending || m.target != target || m.rejected && moved {
		*m = model{group: m.group, pending: true, target: target, lastMove: now}
	}
	if moved && !m.proposed && !m.rejected && now.After(m.lastMove) {
		m.lastMove = now
	}
	m.empty = target != "" && members == 0
	switch {
	case m.empty && m.proposed:
		m.proposed, m.lastMove = false, now
	case target == "" && vanished && !m.rejected:
		m.proposed = true
	}
}

func (m *model) round(began time.Time) {
	if m.pending && !m.empty && !m.rejected && began.Sub(m.lastMove) >= settle {
		m.proposed = true
	}
}

func (m *model) approve() {
	if m.pending && m.proposed {
		*m = model{group: m.target}
	}
}

func (m *model) reject() {
	if m.pending && m.proposed {
		m.proposed, m.rejected = false, true
	}
}

// Whatever happens in whatever order: the machine agrees with the model, flips only when somebody approves, never proposes
// the same evidence again once it is rejected, and asks for a round exactly when one would propose.
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
			before := clone(state)
			state = step(t, state, &m, now)
			compare(t, before, state, m)
		}
	})
}

func step(t *rapid.T, state licensing.State, m *model, now time.Time) licensing.State {
	switch rapid.SampledFrom([]string{"round", "round", "observe", "observe", "observe", "approve", "reject"}).Draw(t, "step") {
	case "round":
		began := now.Add(-time.Duration(rapid.IntRange(0, 300).Draw(t, "ago")) * time.Second)
		if open := rapid.IntRange(0, 3).Draw(t, "open") == 0; open {
			return state.Round(began, true)
		}
		m.round(began)
		return state.Round(began, false)
	case "approve":
		m.approve()
		return state.Approve()
	case "reject":
		m.reject()
		return state.Reject()
	}
	seen := licensing.Seen{
		Groups:  rapid.SampledFrom([][]string{nil, {"g"}, {"h"}, {"g", "h"}}).Draw(t, "groups"),
		Members: rapid.IntRange(0, 2).Draw(t, "members"),
	}
	seen.Vanished = m.group != "" && len(seen.Groups) == 0 && rapid.Bool().Draw(t, "vanished")
	moved := rapid.Bool().Draw(t, "moved")
	m.observe(seen.Groups, seen.Members, seen.Vanished, moved, now)
	return state.Observe(seen, moved, now, settle)
}

func compare(t *rapid.T, before, state licensing.State, m model) {
	if state.Policy.Group != m.group || (state.Policy.Mode == licensing.GroupMembers) != (m.group != "") {
		t.Fatalf("in force: %+v, want group %q", state.Policy, m.group)
	}
	if state.Policy != before.Policy && !before.Proposes() {
		t.Fatalf("%+v came to be in force, and nobody had proposed it", state.Policy)
	}
	if (state.Change != nil) != m.pending || state.Proposes() != (m.pending && m.proposed) {
		t.Fatalf("change %+v, want %+v", state.Change, m)
	}
	if rejected := state.Change != nil && state.Change.Stage == licensing.Rejected; rejected != (m.pending && m.rejected) {
		t.Fatalf("change %+v, want %+v", state.Change, m)
	}
	when, ask := state.AskAt()
	if ask != (m.pending && !m.empty && !m.proposed && !m.rejected) {
		t.Fatalf("asks %v with change %+v", ask, state.Change)
	}
	if !ask {
		return
	}
	if after := state.Round(when, false); !after.Proposes() || after.Target().Group != m.target {
		t.Fatalf("the round that was asked for brings %+v, want %q", after.Change, m.target)
	}
	if early := state.Round(when.Add(-time.Microsecond), false); early.Proposes() {
		t.Fatalf("a round from before the settle time brings %+v", early.Change)
	}
}
