package licensing_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
)

// office carries the rules out for one product of the world, as a worker does: it remembers what it has decided, and
// decides anew only for those whom a change can concern.
type office struct {
	*world
	address string
	state   licensing.State
	force   nest // of the group in force
	next    nest // of the one that may come to be
	seats   licensing.Seats
	decided map[int]licensing.Decision
	used    int
	line    []int
}

// nest is a group with all in it, and which of them hold the whole customer.
type nest struct {
	licensing.Nest[int]
	whole []int
}

func (w *world) nestOf(group string) (n nest) {
	if group == "" {
		return n
	}
	n.Nest, _ = licensing.NestOf(numberOf(group), w.inside) // w.inside never fails
	for _, g := range n.Groups() {
		if w.links[link{g, directory.CustomerMember, 0}] {
			n.whole = append(n.whole, g)
		}
	}
	return n
}

func (n nest) path(direct []int) []int { return n.Nearest(slices.Concat(direct, n.whole)) }

// seen is what the mirror holds about the address.
func (o *office) seen() (seen licensing.Seen) {
	for _, g := range o.groups {
		if slices.Contains(g.Addresses, o.address) {
			seen.Groups = append(seen.Groups, g.ID)
		}
	}
	if len(seen.Groups) == 1 {
		n := o.nestOf(seen.Groups[0])
		seen.Members = len(n.whole)
		for user := range o.users {
			if n.path(o.direct(user)) != nil {
				seen.Members++
			}
		}
	}
	if in := o.state.Policy.Group; in != "" {
		seen.Vanished = o.groups[numberOf(in)].Deleted
	}
	return seen
}

// adopt goes on to a state. Under another policy everybody is decided again.
func (o *office) adopt(next licensing.State) {
	before := o.state
	o.state = next
	o.read()
	if next.Phase == licensing.InForce && (before.Phase != licensing.InForce || before.Policy != next.Policy) {
		o.decide(o.everybody())
	}
}

func (o *office) read() {
	o.force, o.next = o.nestOf(o.state.Policy.Group), nest{}
	if o.state.Change != nil {
		o.next = o.nestOf(o.state.Change.Group)
	}
}

func (o *office) everybody() (all []int) {
	for user := range o.users {
		all = append(all, user)
	}
	return all
}

// notice takes a step of the world.
func (o *office) notice(n news, at time.Time) {
	force, next := o.force, o.next
	o.read()
	moved := len(next.Differ(o.next.Nest)) > 0 || n.group >= 0 && o.next.Holds(n.group)
	if o.state.Phase != licensing.Connecting {
		o.adopt(o.state.Observe(o.seen(), moved, at, settle))
	}
	if o.state.Phase != licensing.InForce {
		return
	}
	o.decide(o.concerned(force, n))
}

// concerned are those whose path may be another one now, and who the news is of.
func (o *office) concerned(was nest, n news) []int {
	differ := was.Differ(o.force.Nest)
	among := func(g int) bool { return slices.Contains(differ, g) }
	if !slices.Equal(was.whole, o.force.whole) || slices.ContainsFunc(was.whole, among) {
		return o.everybody()
	}
	var all []int
	for user := range o.users {
		if user == n.user || slices.ContainsFunc(o.direct(user), among) {
			all = append(all, user)
		}
	}
	return all
}

func (o *office) rule(user int) licensing.Decision {
	path := o.force.path(o.direct(user))
	var ids []string
	for _, g := range path {
		ids = append(ids, o.groups[g].ID)
	}
	u := o.users[user]
	return licensing.Decide(licensing.User{Status: u.Status, Guest: u.Guest}, o.state.Policy, ids)
}

// decide lets what has changed about some users take effect: seats come free first, and go to those who wait.
func (o *office) decide(users []int) {
	var grants []int
	for _, user := range users {
		d, stands := o.rule(user), o.decided[user]
		switch {
		case d.Licensed && !stands.Licensed:
			grants = append(grants, user)
			continue
		case stands.Licensed && !d.Licensed:
			o.used--
		}
		o.line = slices.DeleteFunc(o.line, func(other int) bool { return other == user })
		o.decided[user] = d
	}
	o.fill()
	for _, user := range grants {
		o.admit(user)
	}
}

func (o *office) admit(user int) {
	at, holds := slices.Index(o.line, user), o.decided[user].Licensed
	ahead := at
	if at < 0 {
		ahead = len(o.line)
	}
	d := o.seats.Seat(o.rule(user), holds, o.used, ahead)
	o.decided[user] = d
	switch {
	case holds:
	case !d.Licensed && at < 0:
		o.line = append(o.line, user)
	case d.Licensed:
		o.used++
		if at >= 0 {
			o.line = slices.Delete(o.line, at, at+1)
		}
	}
}

func (o *office) fill() {
	for len(o.line) > 0 {
		if free, limited := o.seats.Free(o.used); limited && free == 0 {
			return
		}
		o.admit(o.line[0])
	}
}

// desk is an office beside a plain model of it.
type desk struct {
	office office
	plain  plain
}

// What happens in any directory, to whatever depth groups are nested, whoever comes to have an address and however many
// seats there are: who is licensed, why and by which way is what a plain model says that recomputes everything from nothing.
func TestRulesOfAnyWorld(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w, now := newWorld(t), epoch
		var desks []*desk
		for _, address := range addresses {
			d := &desk{
				office: office{world: w, address: address, seats: licensing.Seats{Purchased: licensing.Unlimited}, decided: map[int]licensing.Decision{}},
				plain:  plain{world: w, address: address, seats: licensing.Seats{Purchased: licensing.Unlimited}},
			}
			d.start(t, now)
			desks = append(desks, d)
		}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			now = now.Add(rapid.SampledFrom([]time.Duration{0, time.Minute, settle - time.Minute, settle}).Draw(t, "passes"))
			if rapid.Bool().Draw(t, "the world moves") {
				n := w.step(t)
				for _, d := range desks {
					d.office.notice(n, now)
					d.plain.notice(now)
				}
			} else {
				desks[rapid.IntRange(0, len(desks)-1).Draw(t, "desk")].act(t, now)
			}
			for _, d := range desks {
				d.check(t)
			}
		}
	})
}

func (d *desk) start(t *rapid.T, now time.Time) {
	complete := !rarely(t, "members are not all read")
	d.office.adopt(licensing.Start(d.office.seen(), complete, now))
	d.plain.start(complete, now)
	d.check(t)
}

// act does something that is no news of the directory.
func (d *desk) act(t *rapid.T, now time.Time) {
	switch rapid.SampledFrom([]string{"round", "round", "approve", "approve", "reject", "seats", "seats"}).Draw(t, "act") {
	case "round":
		began := now.Add(-time.Duration(rapid.IntRange(0, 2).Draw(t, "ago")) * time.Minute)
		open := rarely(t, "open")
		d.office.adopt(d.office.state.Round(began, open))
		d.plain.state.round(began, open)
	case "approve":
		d.office.adopt(d.office.state.Approve())
		d.plain.state.approve()
	case "reject":
		d.office.adopt(d.office.state.Reject())
		d.plain.state.reject()
	case "seats":
		seats := licensing.Seats{Purchased: rapid.IntRange(-1, 4).Draw(t, "purchased"), Enforce: !rarely(t, "let be")}
		d.office.seats, d.plain.seats = seats, seats
		d.office.fill()
	}
	d.plain.look()
}

func (d *desk) check(t *rapid.T) {
	t.Helper()
	compare(t, d.office.state, d.plain.state)
	want, used := d.plain.decisions()
	if got := d.office.decided; !maps.EqualFunc(want, got, licensing.Decision.Equal) {
		t.Fatalf("%s, %+v, seats %+v\nwant %v\ngot  %v\nin %v", d.office.address, d.office.state, d.office.seats, want, got, d.office.world)
	}
	if d.office.used != used {
		t.Fatalf("%s: %d seats are used, want %d", d.office.address, d.office.used, used)
	}
}

// String tells a world in a few words.
func (w *world) String() string { return fmt.Sprintf("%+v\n%+v\n%v", w.users, w.groups, w.links) }
