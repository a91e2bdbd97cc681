package entra

import (
	"slices"

	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

func removed(id, reason string) map[string]any {
	return map[string]any{"id": id, "@removed": map[string]any{"reason": reason}}
}

// initialUsers reads a page of a first round and reports whether there is more.
func (r *round) initialUsers() bool {
	for u := range r.view.Users(r.Seq) {
		if !u.Live() || !r.covers(u.ID) {
			continue
		}
		if len(r.values) == r.size {
			return true
		}
		r.values = append(r.values, users.render(u, r.Select))
		r.Seq = u.Seq
	}
	return false
}

// covers reports whether the query's filter lets the object through.
func (r *round) covers(id string) bool {
	if len(r.IDs) == 0 {
		return true
	}
	_, found := slices.BinarySearch(r.IDs, id)
	return found
}

// initialGroups is initialUsers for groups. A group whose members do not fit shows up again on the next page.
func (r *round) initialGroups() bool {
	withMembers := slices.Contains(r.Select, "members")
	for g := range r.groupsLeft() {
		if len(r.values) == r.size || r.linked >= r.members {
			return true
		}
		after := uint64(0)
		if r.Group == g.ID {
			after = r.Member
		}
		r.Group, r.Member = "", 0
		out := groups.render(g, r.Select)
		r.values = append(r.values, out)
		if withMembers {
			slice, last, more := r.slice(g.ID, after)
			if len(slice) > 0 {
				out["members@delta"] = slice
			}
			if more {
				r.Group, r.Member = g.ID, last
				return true
			}
		}
		r.Seq = g.Seq
	}
	return false
}

// groupsLeft yields the live groups behind the token that its filter lets through.
func (r *round) groupsLeft() func(yield func(*store.Group) bool) {
	return func(yield func(*store.Group) bool) {
		if len(r.IDs) == 0 {
			for g := range r.view.Groups(r.Seq) {
				if g.Live() && !yield(g) {
					return
				}
			}
			return
		}
		source := picked(r.view, r.IDs, r.Seq, r.view.Group, func(g *store.Group) uint64 { return g.Seq })
		for g := range source {
			if g.Live() && !yield(g) {
				return
			}
		}
	}
}

// slice reads members behind a number until the page is full.
func (r *round) slice(group string, after uint64) (out []any, last uint64, more bool) {
	for seq, id := range r.view.Members(group, after) {
		if r.linked >= r.members {
			return out, last, true
		}
		out = append(out, linkTo(id, r.view.Group(id) != nil))
		last = seq
		r.linked++
	}
	return out, last, false
}

func linkTo(id string, isGroup bool) map[string]any {
	kind := users.odataType()
	if isGroup {
		kind = groups.odataType()
	}
	return map[string]any{"@odata.type": kind, "id": id}
}

// changedObject is what a round of changes has to tell of one object.
type changedObject struct {
	id      string
	fields  store.Fields
	members []changedMember
}

type changedMember struct {
	id      string
	isGroup bool
}

// changes reads a page of a round of changes and reports whether there is more.
func (r *round) changes() bool {
	units := r.split(r.collect())
	for ; r.Offset < len(units); r.Offset++ {
		u := units[r.Offset]
		if len(r.values) == r.size || len(r.values) > 0 && r.linked+len(u.members) > r.members {
			return true
		}
		r.values = append(r.values, r.tell(u))
		r.linked += len(u.members)
	}
	return false
}

// collect gathers the changes since the token, each object once, in the order in which they first changed.
func (r *round) collect() []*changedObject {
	tracked := users.tracked(r.Select)
	if r.Resource == "groups" {
		tracked = groups.tracked(r.Select)
	}
	withMembers := slices.Contains(r.Select, "members")
	byID := map[string]*changedObject{}
	seen := map[[2]string]bool{}
	var out []*changedObject
	for _, c := range r.view.Changes(r.From, r.To) {
		link := c.Kind == store.MemberJoined || c.Kind == store.MemberLeft
		switch {
		case c.IsUser() != (r.Resource == "users"), link && !withMembers, !link && c.Fields&tracked == 0, !r.covers(c.ID):
			continue
		case link && seen[[2]string{c.ID, c.Member}]:
			continue
		}
		o := byID[c.ID]
		if o == nil {
			o = &changedObject{id: c.ID}
			byID[c.ID] = o
			out = append(out, o)
		}
		o.fields |= c.Fields
		if link {
			seen[[2]string{c.ID, c.Member}] = true
			o.members = append(o.members, changedMember{c.Member, c.MemberGroup})
		}
	}
	return out
}

// split cuts objects with many changed members into parts that fit on a page.
func (r *round) split(objects []*changedObject) []changedObject {
	var out []changedObject
	for _, o := range objects {
		if len(o.members) <= r.members {
			out = append(out, *o)
			continue
		}
		for part := range slices.Chunk(o.members, r.members) {
			out = append(out, changedObject{o.id, o.fields, part})
		}
	}
	return out
}

// tell makes the JSON object of a change, as the object is now.
func (r *round) tell(o changedObject) map[string]any {
	if r.Resource == "users" {
		u := r.view.User(o.id)
		switch {
		case u == nil:
			return removed(o.id, "deleted")
		case !u.Live():
			return removed(o.id, "changed")
		case r.minimal:
			return users.render(u, users.changed(r.Select, o.fields))
		}
		return users.render(u, r.Select)
	}
	g := r.view.Group(o.id)
	switch {
	case g == nil:
		return removed(o.id, "deleted")
	case !g.Live():
		return removed(o.id, "changed")
	}
	names := r.Select
	if r.minimal {
		names = groups.changed(r.Select, o.fields)
	}
	out := groups.render(g, names)
	if len(o.members) > 0 {
		links := make([]any, len(o.members))
		for i, m := range o.members {
			link := linkTo(m.id, m.isGroup)
			if !r.view.IsMember(o.id, m.id) {
				link["@removed"] = map[string]any{"reason": "deleted"}
			}
			links[i] = link
		}
		out["members@delta"] = links
	}
	return out
}
