package apply_test

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// model is a tenant in plain words: it keeps everything in maps, recomputes every policy after every message and every decision
// from scratch, and knows of no chunk, job, list or cache. What somebody decided, the worker's own events tell it.
type model struct {
	mirror
	addresses    map[string]string // by product
	policies     map[string]licensing.State
	readdressed  map[string]bool
	paused       bool
	frozen       bool
	restoring    bool
	disconnected ledger.Disconnection
	hold         ledger.Hold
}

func newModel(addresses map[string]string) *model {
	return &model{
		mirror: newMirror(), addresses: addresses, policies: map[string]licensing.State{}, readdressed: map[string]bool{},
		hold: ledger.Hold{Flips: true, Guard: licensing.Guard{Share: 20, Least: 5}, Expiry: week},
	}
}

func (m *model) follows() bool { return m.disconnected == ledger.Connected }

func (m *model) decides() bool {
	return !m.paused && !m.restoring && m.disconnected != ledger.LicensesKept
}

// watched are the groups that some product has a use for, with all that is nested in them.
func (m *model) watched() map[string]bool {
	set := map[string]bool{}
	for product, address := range m.addresses {
		roots := append(m.at(address), m.policies[product].Policy.Group, m.policies[product].Target().Group)
		for _, root := range roots {
			for group := range m.nest(root) {
				set[group] = true
			}
		}
	}
	return set
}

func (m *model) look(product string) licensing.Seen {
	s := licensing.Seen{Groups: m.at(m.addresses[product])}
	if len(s.Groups) == 1 && m.inhabited(s.Groups[0]) {
		s.Members = 1
	}
	if in := m.policies[product].Policy.Group; in != "" {
		s.Vanished = m.groups[in].what.Deleted
	}
	return s
}

// step does things one after the other, then lets every product look at what has become of it, and forgets the members of groups
// that nobody watches any more.
func (m *model) step(now time.Time, all ...func()) {
	m.forgetting(func() {
		moved := map[string]bool{}
		for _, do := range all {
			before := m.candidates()
			do()
			for product, shape := range m.candidates() {
				moved[product] = moved[product] || !maps.Equal(before[product], shape)
			}
		}
		if !m.follows() || m.restoring {
			return
		}
		for product := range m.addresses {
			next := m.policies[product].Observe(m.look(product), moved[product], now, settle)
			m.policies[product] = next
			if next.Change == nil && !next.Conflict {
				m.readdressed[product] = false
			}
		}
	})
}

// candidates are the shapes of the groups that products may change to.
func (m *model) candidates() map[string]map[edge]bool {
	shapes := map[string]map[edge]bool{}
	for product, state := range m.policies {
		if state.Change != nil {
			shapes[product] = m.shape(state.Change.Group)
		}
	}
	return shapes
}

func (m *model) forgetting(do func()) {
	watched := m.watched()
	do()
	still := m.watched()
	for group := range watched {
		if !still[group] {
			m.forgotten[group] = m.latest
		}
	}
}

func (m *model) observed(now time.Time, at uint64, observations []directory.Observation) {
	if !m.follows() {
		return
	}
	var all []func()
	for _, o := range observations {
		all = append(all, func() { m.take(at, o) })
	}
	m.step(now, all...)
}

// named takes other addresses from the registry.
func (m *model) named(now time.Time, addresses map[string]string) {
	m.step(now, func() {
		for product, address := range addresses {
			if m.addresses[product] != address {
				m.addresses[product], m.readdressed[product] = address, m.policies[product].Phase == licensing.InForce
			}
		}
	})
}

func (m *model) snapshotEnded(now time.Time, at uint64, complete []string) {
	before := m.snapshot
	m.complete(at, complete)
	if !m.follows() {
		m.snapshot = before
		return
	}
	if m.restoring {
		m.restoring = false
		m.step(now)
	}
	m.forgetting(func() {
		for product := range m.addresses {
			if m.policies[product].Phase == licensing.InForce {
				continue
			}
			s := m.look(product)
			whole := len(s.Groups) == 1
			if whole {
				for group := range m.nest(s.Groups[0]) {
					whole = whole && slices.Contains(complete, group)
				}
			}
			m.policies[product] = licensing.Start(s, whole, now)
		}
	})
}

func (m *model) roundEnded(began time.Time, open []string) {
	if !m.decides() || !m.follows() {
		return
	}
	m.forgetting(func() {
		for product, state := range m.policies {
			unread := false
			if state.Change != nil {
				for group := range m.nest(state.Change.Group) {
					unread = unread || slices.Contains(open, group)
				}
			}
			m.policies[product] = state.Round(began, unread)
		}
	})
}

// follow takes over a policy that the worker has put in force, if it was proposed.
func (m *model) follow(product string, policy licensing.Policy) error {
	state := m.policies[product]
	if state.Policy == policy {
		return nil
	}
	if !state.Proposes() || state.Target() != policy {
		return fmt.Errorf("%s: %+v is in force, the model stands at %+v", product, policy, state)
	}
	m.forgetting(func() { m.policies[product] = state.Approve() })
	m.readdressed[product] = false
	return nil
}

// rule is what the rules alone say of a user under a policy: without seats, and whatever was said of anybody.
func (m *model) rule(policy licensing.Policy, user string) licensing.Decision {
	if m.disconnected == ledger.LicensesEnded {
		return licensing.Decision{Reason: licensing.Disconnected}
	}
	u := m.users[user].what
	return licensing.Decide(licensing.User{Status: u.Status, Guest: u.Guest}, policy, m.path(policy.Group, user))
}
