// Package receivertest is a directory provider for tests: a small directory in memory that behaves as providers do. It has
// feeds with cursors and pages, replays, lag, throttling and failures on demand, and push channels.
package receivertest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

// Call is one request, as Directory.Intercept and Calls show it.
type Call struct {
	Method string            // "Changes", "User", "CreateChannel", ...
	Feed   receiver.FeedKind // of Changes
	ID     string            // of the user, group or channel; the address of GroupsAt; the groups of a feed of members
	Cursor string
}

// Directory is one tenant's. Its zero value is an empty one with pages of 100. The fields may be set before its first use.
type Directory struct {
	PageSize int
	// Intercept is called before each request is answered; what it returns becomes the request's error. It may block.
	Intercept func(context.Context, Call) error
	// Edit may change each page of Changes and Members, and make it an odd one.
	Edit func(Call, *receiver.Page)
	// Journals makes its feeds journals (see receiver.Traits): behind the first list, pages only name what has changed, by
	// address. There are no feeds of members, and single memberships can be read.
	Journals bool
	// ListsOnly makes single memberships unreadable again.
	ListsOnly bool
	// Down makes every request fail, and may be set at any time.
	Down atomic.Bool
	// Foreign are ids of groups of another directory: nothing is told of them but where they are members.
	Foreign []string

	channels

	mu         sync.Mutex
	users      map[string]directory.User
	groups     map[string]directory.Group
	members    map[string]map[string]directory.MemberKind
	places     map[string]string // in lists of members, by id
	log        []entry
	history    []entry // as log, of all that ever happened
	held       int     // changes behind it are not shown yet, while lagging
	lagging    bool
	generation int
	calls      []Call
	overlap    map[receiver.FeedKind]bool // whose next page of a journal begins far back
}

// entry is one change. Feeds tell the state of what has changed, not the change.
type entry struct {
	kind       receiver.FeedKind
	id, member string
	memberKind directory.MemberKind
	present    bool // the group or the membership, from then on
	untold     bool // no feed shows it
	// In a journal: what it is called, as it was before the change.
	address, memberAddress string
}

// PutUser adds or changes a user.
func (d *Directory) PutUser(u directory.User) {
	d.change(entry{kind: receiver.UsersFeed, id: u.ID}, func() { d.users[u.ID] = u })
}

// DeleteUser deletes a user for good, and with it its memberships, of which feeds tell and journals do not.
func (d *Directory) DeleteUser(id string) {
	d.mu.Lock()
	holding := d.holding(id)
	d.mu.Unlock()
	d.change(entry{kind: receiver.UsersFeed, id: id}, func() { delete(d.users, id) })
	for _, group := range holding {
		d.remove(group, id, d.Journals)
	}
}

// PutGroup adds or changes a group.
func (d *Directory) PutGroup(g directory.Group) {
	d.change(entry{kind: receiver.GroupsFeed, id: g.ID}, func() { d.groups[g.ID] = g })
}

// Lose makes feeds forget that the last n changes have happened: as events that a provider drops.
func (d *Directory) Lose(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.log = d.log[:len(d.log)-n]
}

// Hold keeps later changes out of the feeds until Release: pushes are ahead of what the API shows.
func (d *Directory) Hold() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.held, d.lagging = len(d.log), true
}

// Release ends Hold.
func (d *Directory) Release() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lagging = false
}

// Expire makes every cursor that was given out useless.
func (d *Directory) Expire() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.generation++
}

// Calls returns the requests so far.
func (d *Directory) Calls() []Call {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.calls)
}

func (d *Directory) change(e entry, apply func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.init()
	e.address, e.memberAddress = d.addressOf(e)
	apply()
	if e.address == "" {
		e.address, e.memberAddress = d.addressOf(e)
	}
	_, e.present = d.groups[e.id]
	if e.kind == receiver.MembersFeed {
		_, e.present = d.members[e.id][e.member]
	}
	if d.history = append(d.history, e); !e.untold {
		d.log = append(d.log, e)
	}
}

func (d *Directory) init() {
	if d.users == nil {
		d.users, d.groups = map[string]directory.User{}, map[string]directory.Group{}
		d.members, d.places = map[string]map[string]directory.MemberKind{}, map[string]string{}
	}
	d.PageSize = cmp.Or(d.PageSize, 100)
}

// request notes a call and asks Intercept.
func (d *Directory) request(ctx context.Context, c Call) error {
	d.mu.Lock()
	d.init()
	d.calls = append(d.calls, c)
	d.mu.Unlock()
	if d.Down.Load() {
		return errors.New("the provider is down")
	}
	if d.Intercept != nil {
		if err := d.Intercept(ctx, c); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// User implements receiver.Directory.
func (d *Directory) User(ctx context.Context, key string) (directory.User, error) {
	if err := d.request(ctx, Call{Method: "User", ID: key}); err != nil {
		return directory.User{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return *d.user(d.userKey(key)).User, nil
}

// Group implements receiver.Directory.
func (d *Directory) Group(ctx context.Context, key string) (directory.Group, error) {
	if err := d.request(ctx, Call{Method: "Group", ID: key}); err != nil {
		return directory.Group{}, err
	}
	if slices.Contains(d.Foreign, key) {
		return directory.Group{}, fmt.Errorf("read %s: %w", key, receiver.ErrForeign)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return *d.group(d.groupKey(key)).Group, nil
}

// GroupsAt implements receiver.Directory.
func (d *Directory) GroupsAt(ctx context.Context, address string) ([]directory.Group, error) {
	if err := d.request(ctx, Call{Method: "GroupsAt", ID: address}); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	var found []directory.Group
	for _, id := range slices.Sorted(maps.Keys(d.groups)) {
		if slices.Contains(d.groups[id].Addresses, address) {
			found = append(found, d.groups[id])
		}
	}
	return found, nil
}

// Members implements receiver.Directory. Its cursors are offsets: who comes and goes shifts those behind.
func (d *Directory) Members(ctx context.Context, group, cursor string) (receiver.Page, error) {
	if err := d.request(ctx, Call{Method: "Members", ID: group, Cursor: cursor}); err != nil {
		return receiver.Page{}, err
	}
	if slices.Contains(d.Foreign, group) {
		return receiver.Page{}, fmt.Errorf("list %s: %w", group, receiver.ErrForeign)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.groups[group]; !ok {
		return receiver.Page{}, fmt.Errorf("list %s: %w", group, receiver.ErrNoGroup)
	}
	offset, _ := strconv.Atoi(cursor)
	ids := slices.SortedFunc(maps.Keys(d.members[group]), d.inOrder)
	end := min(offset+d.PageSize, len(ids))
	page := receiver.Page{More: end < len(ids), Cursor: strconv.Itoa(end)}
	for _, id := range ids[min(offset, len(ids)):end] {
		page.Observations = append(page.Observations, d.membership(group, id, ""))
	}
	if d.Edit != nil {
		d.Edit(Call{Method: "Members", ID: group, Cursor: cursor}, &page)
	}
	return page, nil
}

func (d *Directory) user(id string) directory.Observation {
	u, ok := d.users[id]
	if !ok {
		u = directory.User{ID: id, Status: directory.Deleted}
	}
	return directory.Observation{User: &u}
}

func (d *Directory) group(id string) directory.Observation {
	g, ok := d.groups[id]
	if !ok {
		g = directory.Group{ID: id, Deleted: true}
	}
	return directory.Observation{Group: &g}
}

func (d *Directory) membership(group, id string, gone directory.MemberKind) directory.Observation {
	kind, there := d.members[group][id]
	return directory.Observation{Membership: &directory.Membership{
		GroupID: group, Kind: cmp.Or(kind, gone), ID: id, Present: there,
	}}
}

// joined is how a feed's groups show in a Call.
func joined(groups []string) string { return strings.Join(groups, ",") }
