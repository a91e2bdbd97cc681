package lane

import (
	"slices"

	"github.com/rollcall-hq/rollcall/services/internal/receiver/state"
)

const (
	// maxFragments is how many feeds of members of few groups each there may be: every round reads them all.
	maxFragments = 2
	// cheap is the most requests that the beginning of a feed may take which is begun again only to be put together with
	// others.
	cheap = 8
)

// join adds feeds of members that have just been read from the beginning, in the place of others of the same groups and less
// the groups that are no longer watched.
func (l *Lane) join(feeds []state.MembersFeed) {
	living := map[string]bool{}
	for _, id := range l.living() {
		living[id] = true
	}
	fresh := map[string]bool{}
	var joined []state.MembersFeed
	for _, f := range feeds {
		f.Groups = slices.DeleteFunc(slices.Clone(f.Groups), func(id string) bool { return !living[id] })
		for _, id := range f.Groups {
			fresh[id] = true
		}
		if len(f.Groups) > 0 {
			f.Told = state.Begun(l.deps.Clock.Now())
			joined = append(joined, f)
		}
	}
	l.feed(func(id string) bool { return !fresh[id] })
	l.feeds.Members = append(l.feeds.Members, joined...)
}

// feed leaves in the feeds of members only some groups. A feed that has lost one goes on: what it shows of that group is not
// admitted while it is not watched, and only repeats another feed when it is.
func (l *Lane) feed(stays func(group string) bool) {
	feeds := make([]state.MembersFeed, 0, len(l.feeds.Members))
	for _, f := range l.feeds.Members {
		if slices.ContainsFunc(f.Groups, func(id string) bool { return !stays(id) }) {
			f.Groups = slices.DeleteFunc(slices.Clone(f.Groups), func(id string) bool { return !stays(id) })
		}
		if len(f.Groups) > 0 {
			feeds = append(feeds, f)
		}
	}
	l.feeds.Members = feeds
}

// fragments returns the groups of feeds of few groups each, when there are too many such feeds: groups that come one after
// the other would each cost every round a request.
func (l *Lane) fragments() []string {
	var groups []string
	feeds := 0
	for _, f := range l.feeds.Members {
		if f.Cost > 0 && f.Cost <= cheap && len(f.Groups) <= l.maxGroups()/2 {
			feeds++
			groups = append(groups, f.Groups...)
		}
	}
	if feeds <= maxFragments {
		return nil
	}
	slices.Sort(groups)
	return groups
}
