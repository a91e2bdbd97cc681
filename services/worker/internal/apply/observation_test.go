package apply_test

import "github.com/rollcall-hq/rollcall/pkg/directory"

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
