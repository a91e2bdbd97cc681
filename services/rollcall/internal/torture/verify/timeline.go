package verify

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// Timeline is what a directory held, and when. It is of one tenant, and is complete up to the last entry that was added.
type Timeline struct {
	version uint64
	users   map[string]history[account]
	groups  map[string]history[group]
	links   map[string]map[string]history[bool] // by member, then by group; whole for every user of the customer
}

// whole stands for the member that is every user of a Workspace customer.
const whole = "*"

// account is what a Timeline keeps of a user. The zero one is not there.
type account struct {
	status directory.Status
	guest  bool
}

// group is what a Timeline keeps of a group. The zero one is not there, for good; one that is not live may come back.
type group struct {
	known, live bool
	addresses   []string // normalized
}

func (g group) has(address string) bool {
	return g.live && slices.Contains(g.addresses, directory.Address(address))
}

// NewTimeline returns the history of a directory that holds nothing yet.
func NewTimeline() *Timeline {
	return &Timeline{
		users: map[string]history[account]{}, groups: map[string]history[group]{}, links: map[string]map[string]history[bool]{},
	}
}

// Log is where the entries of a directory are read. *control.Client is one.
type Log interface {
	Changes(ctx context.Context, tenant string, after uint64) ([]control.Entry, error)
}

// ReadTimeline reads the whole history of a tenant, by its name in the simulator.
func ReadTimeline(ctx context.Context, log Log, tenant string) (*Timeline, error) {
	t := NewTimeline()
	return t, t.Read(ctx, log, tenant)
}

// Read adds what has happened since the last entry that was added.
func (t *Timeline) Read(ctx context.Context, log Log, tenant string) error {
	for {
		entries, err := log.Changes(ctx, tenant, t.version)
		if err != nil {
			return fmt.Errorf("read the log of the simulated directory %s: %w", tenant, err)
		}
		if len(entries) == 0 {
			return nil
		}
		for _, e := range entries {
			if err := t.Add(e); err != nil {
				return err
			}
		}
	}
}

// Add adds the next entry of the log. One that is missing, or told twice, is an error: nothing could be said from then on.
func (t *Timeline) Add(e control.Entry) error {
	if e.Version != t.version+1 {
		return fmt.Errorf("the directory's log goes from version %d to %d", t.version, e.Version)
	}
	t.version = e.Version
	switch e.Kind {
	case control.UserEntry:
		var a account
		if e.User != nil {
			a = account{status: e.User.Status, guest: e.User.Guest}
		}
		t.users[e.ID] = t.users[e.ID].then(e.At, a)
	case control.GroupEntry:
		t.addGroup(e)
	case control.JoinedEntry, control.LeftEntry:
		t.addLink(e.At, memberKey(*e.Member), e.ID, e.Kind == control.JoinedEntry)
	case control.RoleEntry: // who is an owner is a member all the same
	default:
		return fmt.Errorf("version %d of the directory's log is of the unknown kind %q", e.Version, e.Kind)
	}
	return nil
}

func memberKey(m control.Member) string {
	if m.Kind == directory.CustomerMember {
		return whole
	}
	return m.ID
}

// addGroup keeps the links of a group that is deleted as they were: who asks for them knows the group's life too. Only one
// that is made again under the same id begins without.
func (t *Timeline) addGroup(e control.Entry) {
	var g group
	if e.Group != nil {
		g = group{known: true, live: !e.Group.Deleted, addresses: directory.Addresses(append([]string{e.Group.Address}, e.Group.Aliases...)...)}
	}
	before := t.groups[e.ID]
	if n := len(before); n > 0 && !before[n-1].is.known && g.known {
		for member := range t.links {
			if h, linked := t.links[member][e.ID]; linked {
				t.links[member][e.ID] = h.then(e.At, false)
			}
		}
	}
	t.groups[e.ID] = before.then(e.At, g)
}

func (t *Timeline) addLink(at time.Time, member, group string, joined bool) {
	if t.links[member] == nil {
		t.links[member] = map[string]history[bool]{}
	}
	t.links[member][group] = t.links[member][group].then(at, joined)
}

// history is how something was, oldest first.
type history[T any] []moment[T]

// moment is since when something was so.
type moment[T any] struct {
	at time.Time
	is T
}

// then adds what is so from a time on.
func (h history[T]) then(at time.Time, is T) history[T] { return append(h, moment[T]{at, is}) }

// when returns how something was at a time. Before its first moment it was the zero value; of several at one time the last
// counts, as the rest was never in force.
func (h history[T]) when(t time.Time) (is T) {
	if i := sort.Search(len(h), func(i int) bool { return h[i].at.After(t) }); i > 0 {
		is = h[i-1].is
	}
	return is
}

// within appends the times of the moments behind from, up to and with to.
func (h history[T]) within(from, to time.Time, times []time.Time) []time.Time {
	for i := sort.Search(len(h), func(i int) bool { return h[i].at.After(from) }); i < len(h) && !h[i].at.After(to); i++ {
		times = append(times, h[i].at)
	}
	return times
}

// throughout reports whether something was so at every instant of a window.
func throughout[T any](h history[T], w Window, so func(T) bool) bool {
	if !so(h.when(w.From)) {
		return false
	}
	for _, m := range h {
		if m.at.After(w.From) && !m.at.After(w.To) && !so(h.when(m.at)) {
			return false
		}
	}
	return true
}
