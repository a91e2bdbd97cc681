package licensing_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
)

// plain is the rules for one product of the world without any cleverness: it tries every way through the groups, looks at
// every member of the directory, and goes through the whole past to say who has a seat.
type plain struct {
	*world
	address string
	state   model
	shape   string // of the group that may come to be
	seats   licensing.Seats
	now     map[int]licensing.Decision // before seats are counted
	past    []moment
}

// moment is who could have a seat at one time, and how many there were.
type moment struct {
	may   []int
	seats licensing.Seats
}

// ways are all ways from a group down, none through a group twice, and none through a deleted one.
func (p *plain) ways(way []int) [][]int {
	all := [][]int{way}
	for l := range p.links {
		if l.kind == directory.GroupMember && l.group == way[len(way)-1] && !p.groups[l.member].Deleted && !slices.Contains(way, l.member) {
			all = append(all, p.ways(append(slices.Clone(way), l.member))...)
		}
	}
	return all
}

// better reports whether one way is shorter than another, or as short and lower in number, from its end up.
func better(a, b []int) bool {
	if len(a) != len(b) {
		return len(a) < len(b)
	}
	for i := len(a) - 1; i >= 0; i-- {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return false
}

// paths are the best ways from a group to each user who is in it.
func (p *plain) paths(group string) map[int][]int {
	best := map[int][]int{}
	if group == "" {
		return best
	}
	for _, way := range p.ways([]int{numberOf(group)}) {
		last := way[len(way)-1]
		for user := range p.users {
			if !p.links[link{last, directory.UserMember, user}] && !p.links[link{last, directory.CustomerMember, 0}] {
				continue
			}
			if known, found := best[user]; !found || better(way, known) {
				best[user] = way
			}
		}
	}
	return best
}

func (p *plain) seen() (seen licensing.Seen) {
	for _, g := range p.groups {
		holds := func(address string) bool { return strings.EqualFold(address, p.address) }
		if !g.Deleted && slices.ContainsFunc(g.Addresses, holds) {
			seen.Groups = append(seen.Groups, g.ID)
		}
	}
	if len(seen.Groups) == 1 {
		seen.Members = len(p.paths(seen.Groups[0]))
	}
	seen.Vanished = p.state.group != "" && p.groups[numberOf(p.state.group)].Deleted
	return seen
}

// shapeOf is which groups are in a group, and who is a direct member of each, in words.
func (p *plain) shapeOf(group string) string {
	if group == "" {
		return ""
	}
	in := map[int]bool{}
	for _, way := range p.ways([]int{numberOf(group)}) {
		in[way[len(way)-1]] = true
	}
	var all []string
	for l := range p.links {
		if in[l.group] {
			all = append(all, fmt.Sprint(l))
		}
	}
	slices.Sort(all)
	return fmt.Sprint(in, all)
}

func (p *plain) start(complete bool, now time.Time) {
	p.state.start(p.seen(), complete, now)
	p.look()
}

func (p *plain) notice(now time.Time) {
	moved := p.state.change != nil && p.shape != p.shapeOf(p.state.change.target)
	p.state.observe(p.seen(), moved, now)
	p.look()
}

// look keeps what is to be looked back at.
func (p *plain) look() {
	if p.shape = ""; p.state.change != nil {
		p.shape = p.shapeOf(p.state.change.target)
	}
	if p.state.waiting {
		return
	}
	p.now = p.unlimited()
	m := moment{seats: p.seats}
	for user := range p.users {
		if p.now[user].Licensed {
			m.may = append(m.may, user)
		}
	}
	p.past = append(p.past, m)
}

// unlimited is what is decided before seats are counted.
func (p *plain) unlimited() map[int]licensing.Decision {
	all, paths := map[int]licensing.Decision{}, p.paths(p.state.group)
	for user, u := range p.users {
		var d licensing.Decision
		switch way, member := paths[user]; {
		case u.Status == "" || u.Status == directory.Deleted:
			d.Reason = licensing.Deleted
		case u.Status != directory.Active:
			d.Reason = licensing.Suspended
		case u.Guest:
			d.Reason = licensing.Guest
		case p.state.group == "":
			d = licensing.Decision{Licensed: true, Reason: licensing.DomainDefault}
		case member:
			d = licensing.Decision{Licensed: true, Reason: licensing.GroupMember}
			for _, g := range way {
				d.Path = append(d.Path, p.groups[g].ID)
			}
		default:
			d.Reason = licensing.NotAMember
		}
		all[user] = d
	}
	return all
}

// holders goes through the past: who has a seat keeps it for as long as they may, and a free one goes to who has been
// without for longest.
func (p *plain) holders() map[int]bool {
	holds, wait := map[int]bool{}, []int{}
	for _, m := range p.past {
		gone := func(user int) bool { return !slices.Contains(m.may, user) }
		for user := range holds {
			if gone(user) {
				delete(holds, user)
			}
		}
		wait = slices.DeleteFunc(wait, gone)
		for _, user := range m.may {
			if !holds[user] && !slices.Contains(wait, user) {
				wait = append(wait, user)
			}
		}
		for len(wait) > 0 && (!m.seats.Enforce || m.seats.Purchased < 0 || len(holds) < m.seats.Purchased) {
			holds[wait[0]], wait = true, wait[1:]
		}
	}
	return holds
}

// decisions is what stands, and how many seats are used.
func (p *plain) decisions() (all map[int]licensing.Decision, used int) {
	all, holds := map[int]licensing.Decision{}, p.holders()
	for user, d := range p.now {
		if all[user] = d; d.Licensed && !holds[user] {
			all[user] = licensing.Decision{Reason: licensing.OverSeatLimit}
		}
	}
	return all, len(holds)
}
