package timelapse

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// alone is how long nothing else happens to a user whom something has happened to. What is over before anybody could have
// seen it has no event, and whether somebody has is a matter of luck.
const alone = 10 * time.Minute

// person is a user of a tale.
type person struct {
	id, address                          string
	member, suspended, archived, deleted bool
	renamed                              int
	free                                 time.Time
}

// tale is a random story of what admins do to users. Of the same seed it is the same, down to the ids.
type tale struct {
	*customer
	random *rand.Rand
	cast   []*person
	alias  int // who has the alias that moves; -1: nobody
}

const people = 20

// cast makes the users, half of them in the group.
func (c *customer) cast(random *rand.Rand) *tale {
	c.tb.Helper()
	s := &tale{customer: c, random: random, alias: -1}
	var members []string
	for i := range people {
		p := &person{id: fmt.Sprintf("1%020d", i+1), address: fmt.Sprintf("person%d@%s", i, c.domain), member: i%2 == 0}
		c.must(c.control.AddUser(c.tb.Context(), c.id, control.NewUser{ID: p.id, Address: p.address}))
		if s.cast = append(s.cast, p); p.member {
			members = append(members, p.id)
		}
	}
	c.gather(members...)
	return s
}

// tell lets things happen at random moments of a span.
func (s *tale) tell(span time.Duration, times int) {
	s.tb.Helper()
	began := s.stage.Now()
	for i := range times {
		s.until(began.Add(span * time.Duration(i) / time.Duration(times)).Add(time.Duration(s.random.Int64N(int64(span) / int64(times)))))
		s.happen()
	}
	s.until(began.Add(span))
}

// happen has one thing happen to somebody who was left alone for long enough.
func (s *tale) happen() {
	s.tb.Helper()
	now := s.stage.Now()
	i := s.random.IntN(len(s.cast))
	for n := 0; n < len(s.cast) && s.cast[i].free.After(now); n++ {
		i = (i + 1) % len(s.cast)
	}
	p, what := s.cast[i], s.random.IntN(10)
	if p.free.After(now) {
		return
	}
	p.free = now.Add(alone)
	switch {
	case p.deleted:
		s.to(p, &p.deleted, false, s.control.RestoreUser)
	case what < 4 && p.member:
		p.member = false
		s.act(s.control.RemoveMembers(s.tb.Context(), s.id, s.group, p.id))
	case what < 4:
		p.member = true
		s.act(s.control.AddMembers(s.tb.Context(), s.id, s.group, p.id))
	case what == 4 && p.suspended:
		s.to(p, &p.suspended, false, s.control.Unsuspend)
	case what == 4:
		s.to(p, &p.suspended, true, s.control.Suspend)
	case what == 5 && p.archived:
		s.to(p, &p.archived, false, s.control.Unarchive)
	case what == 5:
		s.to(p, &p.archived, true, s.control.Archive)
	case what == 6:
		s.to(p, &p.deleted, true, s.control.RemoveUser)
	case what == 7:
		s.moveAlias(i)
	default:
		s.rename(p)
	}
}

// to does what turns one thing about a user.
func (s *tale) to(p *person, what *bool, so bool, act func(context.Context, string, string) (control.Change, error)) {
	s.tb.Helper()
	*what = so
	s.act(act(s.tb.Context(), s.id, p.id))
}

func (s *tale) rename(p *person) {
	s.tb.Helper()
	p.renamed++
	p.address = fmt.Sprintf("renamed%d-%s", p.renamed, p.address)
	s.act(s.control.RenameUser(s.tb.Context(), s.id, p.id, control.Rename{Address: p.address, DropOld: s.random.IntN(2) == 0}))
}

// moveAlias takes an alias from whoever has it and gives it to another user.
func (s *tale) moveAlias(to int) {
	s.tb.Helper()
	alias := "office@" + s.domain
	if s.alias >= 0 {
		s.act(s.control.RemoveUserAlias(s.tb.Context(), s.id, s.cast[s.alias].id, alias))
	}
	if s.alias = to; !s.cast[to].deleted {
		s.act(s.control.AddUserAlias(s.tb.Context(), s.id, s.cast[to].id, alias))
	}
}
