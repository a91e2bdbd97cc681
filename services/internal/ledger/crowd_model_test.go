package ledger_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/search"
)

// crowd is a tenant as plain data: what lists are compared with.
type crowd struct {
	tenant string
	mode   licensing.Mode
	users  []*crowdUser
	inside map[string][]string // groups directly in a group
	whole  string              // a group that holds the customer
	gone   string              // a group that is deleted
	now    time.Time
}

type crowdUser struct {
	directory.User
	number    int
	unseen    bool            // only a membership has named it
	periods   []ledger.Period // of the product
	groups    []string        // that it is a direct member of
	waiting   bool
	held      bool // on an open list
	activated time.Time
}

var (
	crowdNames    = []string{"Dan", "Dana Ito", "dan", "Émile", "ÉMILE", "Zoe", ""}
	crowdTeams    = []string{"g", "h", "i", "j"}
	crowdStatuses = []directory.Status{directory.Active, directory.Active, directory.Active, directory.Suspended, directory.Archived, directory.Deleted}
	crowdReasons  = []licensing.Reason{
		licensing.GroupMember, licensing.DomainDefault, licensing.Held, licensing.NotAMember, licensing.Suspended,
		licensing.Deleted, licensing.Guest, licensing.OverSeatLimit, licensing.Disconnected,
	}
)

func address(group string) string { return group + "@contoso.com" }

func drawCrowd(t *rapid.T, tenant string) crowd {
	c := crowd{tenant: tenant, mode: rapid.SampledFrom([]licensing.Mode{licensing.AllUsers, licensing.GroupMembers}).Draw(t, "mode"), now: nine, inside: map[string][]string{}}
	for i := range rapid.IntRange(0, 14).Draw(t, "users") {
		c.users = append(c.users, c.drawUser(t, i))
	}
	for range rapid.IntRange(0, 12).Draw(t, "decisions") {
		if len(c.users) > 0 {
			c.drawDecision(t)
		}
	}
	for _, outer := range crowdTeams {
		c.inside[outer] = rapid.SliceOfNDistinct(rapid.SampledFrom(crowdTeams), 0, 2, rapid.ID).Draw(t, "inside")
	}
	if rapid.IntRange(0, 3).Draw(t, "whole") == 0 {
		c.whole = rapid.SampledFrom(crowdTeams).Draw(t, "of")
	}
	if rapid.IntRange(0, 2).Draw(t, "gone") == 0 {
		c.gone = rapid.SampledFrom(crowdTeams).Draw(t, "group")
	}
	return c
}

func (c *crowd) drawUser(t *rapid.T, i int) *crowdUser {
	u := &crowdUser{number: i, User: directory.User{ID: fmt.Sprint("u", i), Status: directory.Active}}
	u.groups = rapid.SliceOfNDistinct(rapid.SampledFrom(crowdTeams), 0, 2, rapid.ID).Draw(t, "groups")
	if u.unseen = rapid.IntRange(0, 9).Draw(t, "unseen") == 0; u.unseen {
		u.Status = ""
		u.groups = []string{"g"}
		return u
	}
	u.Name = rapid.SampledFrom(crowdNames).Draw(t, "name")
	u.Addresses = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"dan@a.com", "dana@a.com", "émile@a.com", "zoe@b.com"}), 0, 2, rapid.ID).Draw(t, "addresses")
	u.Status = rapid.SampledFrom(crowdStatuses).Draw(t, "status")
	u.Guest = rapid.IntRange(0, 4).Draw(t, "guest") == 0
	u.waiting = rapid.IntRange(0, 5).Draw(t, "waiting") == 0
	u.held = rapid.IntRange(0, 5).Draw(t, "held") == 0
	if rapid.IntRange(0, 3).Draw(t, "activated") == 0 {
		u.activated = nine.Add(time.Duration(rapid.IntRange(0, 10).Draw(t, "when")) * time.Minute)
	}
	return u
}

func (c *crowd) drawDecision(t *rapid.T) {
	u := rapid.SampledFrom(c.users).Draw(t, "user")
	if u.unseen {
		return
	}
	c.now = c.now.Add(time.Duration(rapid.IntRange(0, 2).Draw(t, "later")) * time.Minute)
	reason := rapid.SampledFrom(crowdReasons).Draw(t, "reason")
	p := ledger.Period{Licensed: crowdLicenses(reason), Reason: string(reason), From: c.now, Cause: fmt.Sprint("cause-", c.decisions()+1), Sequence: uint64(c.decisions() + 1)}
	if n := len(u.periods); n > 0 {
		u.periods[n-1].To = c.now
	} else if !p.Licensed {
		return // of one who was never licensed there is no event
	}
	if reason == licensing.GroupMember {
		p.Path = []string{"g", "h"}
	}
	u.periods = append(u.periods, p)
}

func crowdLicenses(r licensing.Reason) bool {
	return r == licensing.GroupMember || r == licensing.DomainDefault || r == licensing.Held
}

func (c *crowd) decisions() (n int) {
	for _, u := range c.users {
		n += len(u.periods)
	}
	return n
}

// at is the period of a user that a moment is in, and since when it was licensed or not.
func (u *crowdUser) at(at time.Time) (now *ledger.Period, since time.Time) {
	for i := range u.periods {
		if p := &u.periods[i]; at.IsZero() || !p.From.After(at) {
			if now == nil || now.Licensed != p.Licensed {
				since = p.From
			}
			now = p
		}
	}
	return now, since
}

func (c *crowd) row(u *crowdUser, at time.Time) ledger.UserRow {
	row := ledger.UserRow{ID: u.ID, Name: u.Name, Addresses: u.Addresses, Status: u.Status, Guest: u.Guest}
	if p, since := u.at(at); p != nil {
		row.Licensed, row.Since, row.Reason, row.Changed, row.Cause, row.Sequence = p.Licensed, since, p.Reason, p.From, p.Cause, p.Sequence
		for _, g := range p.Path {
			row.Path = append(row.Path, ledger.PathGroup{ID: g, Name: "Group " + g})
		}
	} else if at.IsZero() {
		row.Reason = c.never(u)
	}
	if at.IsZero() || !u.activated.After(at) {
		row.Activated = u.activated
	}
	return row
}

// never is why one is not licensed who never was.
func (c *crowd) never(u *crowdUser) string {
	d := licensing.Decide(licensing.User{Status: u.Status, Guest: u.Guest}, licensing.Policy{Mode: c.mode}, nil)
	switch {
	case u.waiting:
		return string(licensing.OverSeatLimit)
	case d.Licensed:
		return ledger.ReasonNotDecided
	default:
		return string(d.Reason)
	}
}

func (c *crowd) matches(u *crowdUser, n search.Node, at time.Time) bool {
	switch n := n.(type) {
	case search.All:
		return !slices.ContainsFunc(n, func(n search.Node) bool { return !c.matches(u, n, at) })
	case search.Any:
		return slices.ContainsFunc(n, func(n search.Node) bool { return c.matches(u, n, at) })
	case search.Not:
		return !c.matches(u, n.Node, at)
	case search.Term:
		return c.satisfies(u, n, at)
	default:
		return true
	}
}

func (c *crowd) satisfies(u *crowdUser, t search.Term, at time.Time) bool {
	is := func(s, v string) bool { return s == v || t.Prefix && strings.HasPrefix(s, v) }
	name := is(strings.ToLower(u.Name), strings.ToLower(t.Value))
	address := slices.ContainsFunc(u.Addresses, func(a string) bool { return is(a, directory.Address(t.Value)) })
	row := c.row(u, at)
	switch t.Field {
	case search.Word:
		return name || address
	case search.Name:
		return name
	case search.Email:
		return address
	case search.ID:
		return u.ID == t.Value
	case search.Group:
		return c.member(u, t.Value)
	case search.Reason:
		return row.Reason == t.Value
	default:
		return c.is(u, row, search.State(t.Value), at)
	}
}

func (c *crowd) is(u *crowdUser, row ledger.UserRow, s search.State, at time.Time) bool {
	switch s {
	case search.Licensed:
		return row.Licensed
	case search.Guest:
		return u.Guest
	case search.Waiting:
		return u.waiting
	case search.Activated:
		return !row.Activated.IsZero()
	case search.Held:
		return row.Reason == string(licensing.Held) || at.IsZero() && u.held
	case search.Suspended:
		return u.Status == directory.Suspended || u.Status == directory.Archived
	default:
		return string(u.Status) == string(s)
	}
}

func (c *crowd) member(u *crowdUser, named string) bool {
	for _, g := range crowdTeams {
		if g != c.gone && (named == g || strings.EqualFold(named, address(g))) {
			seen := map[string]bool{}
			c.walk(g, seen)
			return c.whole != "" && seen[c.whole] || slices.ContainsFunc(u.groups, func(g string) bool { return seen[g] })
		}
	}
	return false
}

func (c *crowd) walk(group string, seen map[string]bool) {
	if seen[group] || group == c.gone {
		return
	}
	seen[group] = true
	for _, g := range c.inside[group] {
		c.walk(g, seen)
	}
}

// list is what a query should find, in its order.
func (c *crowd) list(q ledger.UsersQuery) (rows []ledger.UserRow) {
	var users []*crowdUser
	deleted := q.Search != nil && search.Mentions(q.Search, func(t search.Term) bool {
		return t.Value == "deleted" && (t.Field == search.Is || t.Field == search.Reason) || t.Field == search.ID
	})
	for _, u := range c.users {
		if !u.unseen && (u.Status != directory.Deleted || deleted || c.row(u, q.At).Licensed) && c.matches(u, q.Search, q.At) {
			users = append(users, u)
		}
	}
	slices.SortFunc(users, func(a, b *crowdUser) int { return c.compare(q, a, b) })
	for _, u := range users {
		rows = append(rows, c.row(u, q.At))
	}
	return rows
}

func (c *crowd) compare(q ledger.UsersQuery, a, b *crowdUser) int {
	ra, rb := c.row(a, q.At), c.row(b, q.At)
	sign := 1
	if q.Descending {
		sign = -1
	}
	number := cmp.Compare(a.number, b.number)
	segment := func(r ledger.UserRow) int {
		switch {
		case r.Licensed:
			return 0
		case r.Sequence > 0:
			return 1
		default:
			return 2
		}
	}
	switch sort := q.Sort; {
	case sort == ledger.SortAddress:
		return cmp.Or(first(q, a.Addresses, b.Addresses), sign*cmp.Or(strings.Compare(strings.Join(ra.Addresses[:min(1, len(ra.Addresses))], ""), strings.Join(rb.Addresses[:min(1, len(rb.Addresses))], "")), number))
	case sort == ledger.SortStatus:
		return sign * cmp.Or(cmp.Compare(fmt.Sprint(ra.Guest), fmt.Sprint(rb.Guest)), cmp.Compare(ra.Status, rb.Status), number)
	case sort == ledger.SortLicensed:
		reasons := 0
		if q.At.IsZero() && ra.Sequence > 0 {
			reasons = cmp.Compare(ra.Reason, rb.Reason)
		}
		return sign * cmp.Or(cmp.Compare(segment(ra), segment(rb)), reasons, number)
	case sort == ledger.SortSince && q.At.IsZero():
		return cmp.Or(cmp.Compare(segment(ra), segment(rb)), sign*cmp.Or(ra.Since.Compare(rb.Since), number))
	case sort == ledger.SortSince || sort == ledger.SortChange:
		return cmp.Or(cmp.Compare(segment(ra)/2, segment(rb)/2), sign*cmp.Or(ra.Changed.Compare(rb.Changed), cmp.Compare(ra.Sequence, rb.Sequence), number))
	default:
		return cmp.Or(first(q, []string{a.Name}, []string{b.Name}), sign*cmp.Or(strings.Compare(strings.ToLower(ra.Name), strings.ToLower(rb.Name)), number))
	}
}

// first puts the one first whose text begins with what everybody on the list has somewhere.
func first(q ledger.UsersQuery, a, b []string) int {
	parts, all := q.Search.(search.All)
	if !all {
		parts = search.All{q.Search}
	}
	for _, part := range parts {
		if t, isTerm := part.(search.Term); isTerm && t.Prefix {
			other := func(texts []string) int {
				if len(texts) > 0 && strings.HasPrefix(strings.ToLower(texts[0]), strings.ToLower(t.Value)) {
					return 0
				}
				return 1
			}
			return other(a) - other(b)
		}
	}
	return 0
}
