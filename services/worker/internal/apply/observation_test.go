package apply_test

import (
	"fmt"
	"slices"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

type obs = directory.Observation

func person(id string) directory.Observation { return personAs(id, directory.Active) }

func personAs(id string, status directory.Status) directory.Observation {
	return directory.Observation{User: &directory.User{ID: id, Name: id, Addresses: []string{id + "@contoso.com"}, Status: status}}
}

func group(id string, addresses ...string) directory.Observation {
	return directory.Observation{Group: &directory.Group{ID: id, Name: id, Addresses: addresses, Kind: directory.Security}}
}

func noGroup(id string) directory.Observation {
	return directory.Observation{Group: &directory.Group{ID: id, Deleted: true}}
}

func member(group, user string, present bool) directory.Observation {
	return directory.Observation{Membership: &directory.Membership{
		GroupID: group, Kind: directory.UserMember, ID: user, Present: present,
	}}
}

// nested says that a group is a member of another.
func nested(group, inner string, present bool) directory.Observation {
	return directory.Observation{Membership: &directory.Membership{
		GroupID: group, Kind: directory.GroupMember, ID: inner, Present: present,
	}}
}

// everybody says that a group holds the whole customer.
func everybody(group string, present bool) directory.Observation {
	return directory.Observation{Membership: &directory.Membership{
		GroupID: group, Kind: directory.CustomerMember, Present: present,
	}}
}

// renamed is a user of whom nothing has changed that counts.
func renamed(id string) directory.Observation {
	o := person(id)
	o.User.Name = "another name"
	return o
}

// people are users u1 to un who are active.
func people(n int) (all []directory.Observation) {
	for _, id := range ids(1, n) {
		all = append(all, person(id))
	}
	return all
}

// members says that users are direct members of a group, or are not.
func members(group string, present bool, users ...string) (all []directory.Observation) {
	for _, id := range users {
		all = append(all, member(group, id, present))
	}
	return all
}

// ids are the users from one number to another.
func ids(from, to int) (all []string) {
	for i := from; i <= to; i++ {
		all = append(all, fmt.Sprintf("u%d", i))
	}
	return all
}

// eachOf is one line for each user.
func eachOf(format string, users ...string) (lines []string) {
	for _, id := range users {
		lines = append(lines, fmt.Sprintf(format, id))
	}
	return lines
}

func join[T any](lists ...[]T) []T { return slices.Concat(lists...) }
