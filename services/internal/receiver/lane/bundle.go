package lane

import "github.com/rollcall-hq/rollcall/services/internal/receiver"

// singly is how many memberships of one group a round reads one by one at least, whatever its list would take.
const singly = 20

// bundled puts the list of a group in the place of its memberships where more of them are named than the list has pages:
// what a burst of changes costs follows the size of the group, and not of the burst.
func (l *Lane) bundled(refs []receiver.Ref) []receiver.Ref {
	if len(refs) <= singly {
		return refs
	}
	named := map[string][]int{} // indices, by group
	for i, ref := range refs {
		if ref.Kind != receiver.RefMembership {
			continue
		}
		if group, watched := l.watchedAs(ref.Group); watched {
			named[group] = append(named[group], i)
		}
	}
	listed := map[int]string{} // groups, by the first of their memberships; "" for the others
	for group, all := range named {
		pages := 0
		if r := l.rolls[group]; r != nil {
			pages = r.length
		}
		if len(all) <= max(singly, pages) {
			continue
		}
		for n, i := range all {
			if listed[i] = ""; n == 0 {
				listed[i] = group
			}
		}
	}
	if len(listed) == 0 {
		return refs
	}
	var rest []receiver.Ref
	for i, ref := range refs {
		switch group, is := listed[i]; {
		case !is:
			rest = append(rest, ref)
		case group != "":
			rest = append(rest, receiver.Ref{Kind: receiver.RefMembers, Group: group})
		}
	}
	return rest
}
