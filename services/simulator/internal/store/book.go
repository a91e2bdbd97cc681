package store

import (
	"iter"
	"slices"
	"strings"
)

// Place is where something stands in an order by primary address. Two groups may have one address, hence the id.
type Place struct{ Address, ID string }

func (p Place) compare(o Place) int {
	if c := strings.Compare(p.Address, o.Address); c != 0 {
		return c
	}
	return strings.Compare(p.ID, o.ID)
}

// book keeps a Workspace directory in the order in which Google lists it: by address. A nil book keeps nothing.
type book struct {
	users, gone, groups *sorted // gone are the soft-deleted users
	rosters             map[string]*sorted
}

func newBook() *book {
	return &book{users: &sorted{}, gone: &sorted{}, groups: &sorted{}, rosters: map[string]*sorted{}}
}

func (b *book) moveUser(old, u *User, of map[string]struct{}) {
	if b == nil {
		return
	}
	if old != nil {
		b.dropUser(old)
	}
	if u.Live() {
		b.users.add(u.place())
	} else {
		b.gone.add(u.place())
	}
	if old != nil {
		b.rewrite(old.place(), u.place(), of)
	}
}

func (b *book) dropUser(u *User) {
	if b != nil {
		b.users.remove(u.place())
		b.gone.remove(u.place())
	}
}

func (b *book) moveGroup(old, g *Group, of map[string]struct{}) {
	if b == nil {
		return
	}
	if old != nil {
		b.groups.remove(old.place())
		b.rewrite(old.place(), g.place(), of)
	}
	if g.Live() {
		b.groups.add(g.place())
	}
	if b.rosters[g.ID] == nil {
		b.rosters[g.ID] = &sorted{}
	}
}

func (b *book) dropGroup(g *Group) {
	if b != nil {
		b.groups.remove(g.place())
		delete(b.rosters, g.ID)
	}
}

// rewrite moves a member within the groups that it is in, after its address changed.
func (b *book) rewrite(old, now Place, of map[string]struct{}) {
	if old == now {
		return
	}
	for group := range of {
		b.rosters[group].remove(old)
		b.rosters[group].add(now)
	}
}

func (b *book) enrol(group string, p Place) {
	if b != nil {
		b.rosters[group].add(p)
	}
}

func (b *book) strike(group string, p Place) {
	if b != nil {
		b.rosters[group].remove(p)
	}
}

func (u *User) place() Place  { return Place{u.UPN, u.ID} }
func (g *Group) place() Place { return Place{g.Mail, g.ID} }

// place is that of any member; the whole customer has no address.
func (s *state) place(id string) Place {
	if u := s.users[id]; u != nil {
		return u.place()
	}
	if g := s.groups[id]; g != nil {
		return g.place()
	}
	if o := s.outsiders[id]; o != nil {
		return Place{o.Address, o.ID}
	}
	return Place{ID: id}
}

// sorted is a set of places in order, in blocks, so that adding and removing one of a million moves a few hundred, and
// reading on from a place costs O(log n).
type sorted struct {
	blocks [][]Place
	count  int
}

const blockSize = 512

// block returns the index of the block where p belongs.
func (s *sorted) block(p Place) int {
	i, found := slices.BinarySearchFunc(s.blocks, p, func(b []Place, p Place) int { return b[0].compare(p) })
	if !found {
		i--
	}
	return max(0, i)
}

func (s *sorted) add(p Place) {
	if len(s.blocks) == 0 {
		s.blocks, s.count = [][]Place{{p}}, 1
		return
	}
	i := s.block(p)
	at, found := slices.BinarySearchFunc(s.blocks[i], p, Place.compare)
	if found {
		return
	}
	s.count++
	b := slices.Insert(s.blocks[i], at, p)
	if len(b) <= blockSize {
		s.blocks[i] = b
		return
	}
	left, right := slices.Clone(b[:len(b)/2]), slices.Clone(b[len(b)/2:])
	s.blocks[i] = left
	s.blocks = slices.Insert(s.blocks, i+1, right)
}

func (s *sorted) remove(p Place) {
	if len(s.blocks) == 0 {
		return
	}
	i := s.block(p)
	at, found := slices.BinarySearchFunc(s.blocks[i], p, Place.compare)
	if !found {
		return
	}
	s.count--
	if s.blocks[i] = slices.Delete(s.blocks[i], at, at+1); len(s.blocks[i]) == 0 {
		s.blocks = slices.Delete(s.blocks, i, i+1)
	}
}

// after yields the places behind p, in order.
func (s *sorted) after(p Place) iter.Seq[Place] {
	return func(yield func(Place) bool) {
		if s == nil || len(s.blocks) == 0 {
			return
		}
		first := s.block(p)
		for i, b := range s.blocks[first:] {
			from := 0
			if i == 0 {
				var found bool
				if from, found = slices.BinarySearchFunc(b, p, Place.compare); found {
					from++
				}
			}
			for _, q := range b[from:] {
				if !yield(q) {
					return
				}
			}
		}
	}
}

// before yields the places in front of p, from the last to the first. The zero Place begins at the end.
func (s *sorted) before(p Place) iter.Seq[Place] {
	return func(yield func(Place) bool) {
		if s == nil || len(s.blocks) == 0 {
			return
		}
		last := len(s.blocks) - 1
		if p != (Place{}) {
			last = s.block(p)
		}
		for i := last; i >= 0; i-- {
			b := s.blocks[i]
			if i == last && p != (Place{}) {
				at, _ := slices.BinarySearchFunc(b, p, Place.compare)
				b = b[:at]
			}
			for _, q := range slices.Backward(b) {
				if !yield(q) {
					return
				}
			}
		}
	}
}
