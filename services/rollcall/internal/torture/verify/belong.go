package verify

import (
	"slices"
	"time"
)

// belongs reports whether a user is in a group at a time: directly, through live groups inside it at any depth, or because
// one of them holds the whole customer. Whether the group itself is there is not asked.
func (t *Timeline) belongs(user, root string, at time.Time) bool {
	seen := map[string]bool{}
	for left := []string{user, whole}; len(left) > 0; left = left[1:] {
		for id, linked := range t.links[left[0]] {
			switch {
			case seen[id] || !linked.when(at):
			case id == root:
				return true
			case t.groups[id].when(at).live:
				seen[id] = true
				left = append(left, id)
			}
		}
	}
	return false
}

// above finds all groups that ever held a user, directly or not, whenever each link was.
func (t *Timeline) above(user string) map[string]bool {
	seen := map[string]bool{}
	for left := []string{user, whole}; len(left) > 0; left = left[1:] {
		for id := range t.links[left[0]] {
			if !seen[id] {
				seen[id] = true
				left = append(left, id)
			}
		}
	}
	return seen
}

// instants returns when, within a window, anything changed that what is said of a user may rest on, and the window's begin.
func (t *Timeline) instants(user, root string, w Window) []time.Time {
	times := []time.Time{w.From}
	times = t.users[user].within(w.From, w.To, times)
	times = t.groups[root].within(w.From, w.To, times)
	above := t.above(user)
	for id := range above {
		times = t.groups[id].within(w.From, w.To, times)
	}
	above[user], above[whole] = true, true
	for member := range above {
		for _, linked := range t.links[member] {
			times = linked.within(w.From, w.To, times)
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	return slices.CompactFunc(times, time.Time.Equal)
}

// lasts reports whether one and the same way led from a group to a user throughout a window.
func (t *Timeline) lasts(user, root string, w Window) bool {
	seen := map[string]bool{}
	for left := []string{user, whole}; len(left) > 0; left = left[1:] {
		for id, linked := range t.links[left[0]] {
			switch {
			case seen[id] || !throughout(linked, w, func(is bool) bool { return is }):
			case id == root:
				return true
			case throughout(t.groups[id], w, func(is group) bool { return is.live }):
				seen[id] = true
				left = append(left, id)
			}
		}
	}
	return false
}
