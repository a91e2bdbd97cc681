package verify

import (
	"slices"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

// Link is one event of a chain of causes. At is zero and Type empty for one that no stream holds any more.
type Link struct {
	ID   string    `json:"id"`
	Type string    `json:"type,omitempty"`
	At   time.Time `json:"at,omitzero"`
}

// chain follows the causes of a decision about a user, from the last to the first. The end of a held change has two: who
// ended it, and what had put the user on its list.
func (r *Record) chain(user string, causes ...string) []Link {
	var all []Link
	for left := slices.Clone(causes); len(left) > 0; left = left[1:] {
		id := left[0]
		if id == "" || slices.ContainsFunc(all, func(l Link) bool { return l.ID == id }) {
			continue
		}
		n := r.nodes[id]
		all = append(all, Link{ID: id, Type: n.kind, At: n.at})
		left = append(left, n.cause)
		if n.held == "" {
			continue
		}
		p := r.products[n.of]
		if listed, found := p.listed[n.held][user]; found {
			left = append(left, listed)
		} else {
			left = append(left, p.opened[n.held])
		}
	}
	return all
}

// root is the earliest time in a chain, and the zero one of an empty chain. What somebody says of a held change says nothing
// of the directory.
func root(chain []Link) (at time.Time) {
	for _, l := range chain {
		said := l.Type == event.TypeApproveRequested || l.Type == event.TypeRejectRequested || l.Type == event.TypeSettingsRequested
		if !said && !l.At.IsZero() && (at.IsZero() || l.At.Before(at)) {
			at = l.At
		}
	}
	return at
}

// lastPage is the newest page of observations in a chain; its number is 0 where there is none.
func (r *Record) lastPage(chain []Link) (last node) {
	for _, l := range chain {
		if n := r.nodes[l.ID]; n.page > last.page {
			last = n
		}
	}
	return last
}
