package apply_test

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
)

// model is the same job done plainly: it keeps everything in maps, recomputes every policy after every message, and
// every decision from scratch.
type model struct {
	products  map[string]string // id to address
	users     map[string]seen[directory.User]
	groups    map[string]seen[directory.Group]
	members   map[[2]string]seen[bool] // group, user
	forgotten map[string]uint64        // group: memberships up to this stamp
	policies  map[string]licensing.State
	snapshot  uint64
	latest    uint64
}

type seen[T any] struct {
	what T
	at   uint64
}

func newModel(products map[string]string) *model {
	m := &model{
		products: products, users: map[string]seen[directory.User]{}, groups: map[string]seen[directory.Group]{},
		members: map[[2]string]seen[bool]{}, forgotten: map[string]uint64{}, policies: map[string]licensing.State{},
	}
	return m
}

func put[K comparable, T any](m *model, into map[K]seen[T], key K, what T, at uint64) {
	old, exists := into[key]
	if exists && at < old.at || !exists && at < m.snapshot {
		return
	}
	into[key] = seen[T]{what, at}
}

func (m *model) isMember(group, user string) bool {
	row, ok := m.members[[2]string{group, user}]
	return ok && row.what && (m.forgotten[group] == 0 || row.at > m.forgotten[group])
}

func (m *model) membersOf(group string) (users []string) {
	for key := range m.members {
		if key[0] == group && m.isMember(group, key[1]) {
			users = append(users, key[1])
		}
	}
	slices.Sort(users)
	return users
}

func (m *model) at(address string) (groups []string) {
	for id, g := range m.groups {
		if !g.what.Deleted && slices.Contains(g.what.Addresses, address) {
			groups = append(groups, id)
		}
	}
	slices.Sort(groups)
	return groups
}

// watched are the groups that some product has a use for.
func (m *model) watched() map[string]bool {
	set := map[string]bool{}
	for product, address := range m.products {
		for _, id := range m.at(address) {
			set[id] = true
		}
		state := m.policies[product]
		set[state.Policy.Group] = true
		if state.Change != nil {
			set[state.Change.Group] = true
		}
	}
	return set
}

func (m *model) seen(product string) licensing.Seen {
	s := licensing.Seen{Groups: m.at(m.products[product])}
	if len(s.Groups) == 1 {
		s.Members = len(m.membersOf(s.Groups[0]))
	}
	if in := m.policies[product].Policy.Group; in != "" {
		s.Vanished = m.groups[in].what.Deleted
	}
	return s
}

// step does something to the mirror, then lets every product look at it.
func (m *model) step(now time.Time, do func()) {
	watched := m.watched()
	before := map[string][]string{}
	for product := range m.products {
		if c := m.policies[product].Change; c != nil {
			before[product] = m.membersOf(c.Group)
		}
	}
	do()
	for product := range m.products {
		state := m.policies[product]
		moved := state.Change != nil && !slices.Equal(before[product], m.membersOf(state.Change.Group))
		m.policies[product] = state.Observe(m.seen(product), moved, now, settle)
	}
	m.forget(watched)
}

// forget drops what is known of groups that were watched and are no more.
func (m *model) forget(watched map[string]bool) {
	still := m.watched()
	for id := range watched {
		if !still[id] && id != "" {
			m.forgotten[id] = m.latest
		}
	}
}

func (m *model) page(now time.Time, at uint64, observations []directory.Observation) {
	m.step(now, func() {
		for _, o := range observations {
			switch {
			case o.User != nil:
				put(m, m.users, o.User.ID, *o.User, at)
			case o.Group != nil:
				put(m, m.groups, o.Group.ID, *o.Group, at)
			case m.forgotten[o.Membership.GroupID] == 0 || at > m.forgotten[o.Membership.GroupID]:
				put(m, m.members, [2]string{o.Membership.GroupID, o.Membership.ID}, o.Membership.Present, at)
			}
		}
		m.latest = max(m.latest, at)
	})
}

func (m *model) snapshotEnded(now time.Time, at uint64, complete []string) {
	m.snapshot = max(m.snapshot, at)
	for _, group := range complete { // old statements of absence may go: what is older than they will be dropped anyway
		maps.DeleteFunc(m.members, func(key [2]string, row seen[bool]) bool {
			return key[0] == group && !row.what && row.at < at
		})
	}
	watched := m.watched()
	for product := range m.products {
		if m.policies[product].Phase == licensing.InForce {
			continue
		}
		s := m.seen(product)
		whole := len(s.Groups) == 1 && slices.Contains(complete, s.Groups[0])
		m.policies[product] = licensing.Start(s, whole, now)
	}
	m.forget(watched)
}

func (m *model) roundEnded(at time.Time) {
	watched := m.watched()
	for product, state := range m.policies {
		m.policies[product] = state.Round(at, false)
	}
	m.forget(watched)
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
	watched := m.watched()
	m.policies[product] = state.Approve()
	m.forget(watched)
	return nil
}

// licensed is who holds a license for a product, and why, by user.
func (m *model) licensed(product string) map[string]string {
	all := map[string]string{}
	state := m.policies[product]
	if state.Phase != licensing.InForce {
		return all
	}
	for id, u := range m.users {
		var path []string
		if m.isMember(state.Policy.Group, id) {
			path = []string{state.Policy.Group}
		}
		d := licensing.Decide(licensing.User{Status: u.what.Status, Guest: u.what.Guest}, state.Policy, path)
		if d.Licensed {
			all[id] = fmt.Sprint(d.Reason, d.Path)
		}
	}
	return all
}
