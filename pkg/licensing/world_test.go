package licensing_test

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// world is a directory in which anything happens. Users and groups go by their numbers; one that was deleted never comes
// back, but another may come to have its address.
type world struct {
	users  []directory.User
	groups []directory.Group
	links  map[link]bool
}

// link says that a user, a group or the whole customer (number 0) is a direct member of a group.
type link struct {
	group  int
	kind   directory.MemberKind
	member int
}

// The products of the world have a group each. The second domain is verified as well, but is not the connecting one.
var addresses = []string{"share-users@contoso.com", "gate-users@contoso.com"}

// written are the addresses that groups and users get, in the ways in which providers write them.
var written = []string{
	"Share-Users@Contoso.com", "SMTP:share-users@contoso.COM", "GATE-users@contoso.com", "share-users@fabrikam.com",
	"staff@contoso.com", "people@contoso.com", "board@contoso.com",
}

// The most users and groups that there come to be. Those who are born later take the places of deleted ones.
const mostUsers, mostGroups = 6, 6

func newWorld(t *rapid.T) *world {
	w := &world{links: map[link]bool{}}
	for _, address := range []string{written[0], written[2], "staff@contoso.com", "people@contoso.com"} {
		w.addUser(t)
		w.addGroup(address)
	}
	for range rapid.IntRange(0, 10).Draw(t, "links") {
		w.relink(t)
	}
	return w
}

// news is what a step of the world may have changed.
type news struct {
	user  int // who may be another than before, or in another group; -1 for nobody
	group int // whose direct members have changed; -1 for none
}

var nothing = news{user: -1, group: -1}

func (w *world) addUser(t *rapid.T) news {
	u := directory.User{ID: fmt.Sprintf("u%d", len(w.users)), Addresses: drawAddresses(t)}
	u.Status, u.Guest = directory.Active, rarely(t, "guest")
	w.users = append(w.users, u)
	return news{user: len(w.users) - 1, group: -1}
}

func (w *world) addGroup(addresses ...string) {
	w.groups = append(w.groups, directory.Group{ID: fmt.Sprintf("g%d", len(w.groups)), Addresses: directory.Addresses(addresses...)})
}

// rarely is true one time in many. Numbers that are drawn are small more often than not.
func rarely(t *rapid.T, label string) bool { return rapid.IntRange(0, 7).Draw(t, label) == 6 }

// drawAddresses draws up to two: one's own and an alias.
func drawAddresses(t *rapid.T) []string {
	all := []string{rapid.SampledFrom(written).Draw(t, "own")}
	if rarely(t, "alias") {
		all = append(all, rapid.SampledFrom(written).Draw(t, "alias"))
	}
	return directory.Addresses(all...)
}

// step lets something happen.
func (w *world) step(t *rapid.T) news {
	switch rapid.SampledFrom([]string{
		"link", "link", "link", "link", "user", "user", "new user", "address", "address", "taken over", "group ends", "new group", "again",
	}).Draw(t, "happens") {
	case "link":
		return w.relink(t)
	case "user":
		i := rapid.IntRange(0, len(w.users)-1).Draw(t, "user")
		if w.users[i].Status == directory.Deleted {
			return nothing
		}
		w.users[i].Status = rapid.SampledFrom([]directory.Status{
			directory.Active, directory.Active, directory.Suspended, directory.Archived, directory.Deleted, "",
		}).Draw(t, "status")
		w.users[i].Guest = rarely(t, "guest")
		return news{user: i, group: -1}
	case "new user": // who may have the address of somebody who is gone, or of the group, and nothing else of theirs
		if len(w.users) < mostUsers {
			return w.addUser(t)
		}
	case "address":
		i := rapid.IntRange(0, len(w.groups)-1).Draw(t, "group")
		if !w.groups[i].Deleted {
			w.groups[i].Addresses = drawAddresses(t)
		}
	case "taken over":
		w.takeOver(t)
	case "group ends":
		i := rapid.IntRange(0, len(w.groups)-1).Draw(t, "group")
		w.groups[i].Deleted, w.groups[i].Addresses = true, nil
	case "new group":
		if len(w.groups) < mostGroups {
			w.addGroup(drawAddresses(t)...)
		}
	case "again": // something is read again, and is as it was
	}
	return nothing
}

// takeOver moves the addresses of a group to another one, or to a user, so that no read finds them at both.
func (w *world) takeOver(t *rapid.T) {
	from, to := rapid.IntRange(0, len(w.groups)-1).Draw(t, "from"), rapid.IntRange(-1, len(w.groups)-1).Draw(t, "to")
	all := w.groups[from].Addresses
	switch {
	case to == from:
		return
	case to < 0:
		w.users[0].Addresses = slices.Clone(all)
	case w.groups[to].Deleted:
		return
	default:
		w.groups[to].Addresses = slices.Clone(all)
	}
	w.groups[from].Addresses = nil
}

// relink makes somebody a member of a group, or a member no more.
func (w *world) relink(t *rapid.T) news {
	l := link{group: rapid.IntRange(0, len(w.groups)-1).Draw(t, "group")}
	n := news{user: -1, group: l.group}
	switch rapid.SampledFrom([]directory.MemberKind{
		directory.UserMember, directory.UserMember, directory.UserMember, directory.GroupMember, directory.GroupMember, directory.CustomerMember,
	}).Draw(t, "kind") {
	case directory.UserMember:
		l.kind, l.member = directory.UserMember, rapid.IntRange(0, len(w.users)-1).Draw(t, "member")
		n.user = l.member
	case directory.GroupMember:
		l.kind, l.member = directory.GroupMember, rapid.IntRange(0, len(w.groups)-1).Draw(t, "member")
	default:
		l.kind = directory.CustomerMember
	}
	if w.links[l] {
		delete(w.links, l)
	} else {
		w.links[l] = true
	}
	return n
}

// inside are the groups in a group, as a read lists them.
func (w *world) inside(group int) (all []int, err error) {
	for i, g := range w.groups {
		if !g.Deleted && w.links[link{group, directory.GroupMember, i}] {
			all = append(all, i)
		}
	}
	return all, nil
}

// direct are the groups that a user is a direct member of.
func (w *world) direct(user int) (all []int) {
	for i := range w.groups {
		if w.links[link{i, directory.UserMember, user}] {
			all = append(all, i)
		}
	}
	return all
}

// numberOf returns the number that is in an id.
func numberOf(id string) (n int) {
	for _, digit := range id[1:] {
		n = n*10 + int(digit-'0')
	}
	return n
}
