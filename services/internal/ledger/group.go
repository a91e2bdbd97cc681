package ledger

import (
	"slices"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// The states of a group's row.
const (
	groupNamed   = "" // a membership has named it, no read has shown it
	groupLive    = "live"
	groupDeleted = "deleted"
)

// GroupChange is what an observation did to a group.
type GroupChange struct {
	ID      int64
	Seen    Seen
	Removed bool     // was in the directory, and is deleted now
	Ended   bool     // it is deleted now and was not before, or the other way round
	Touched []string // addresses that the group has or had, when it was deleted or restored or they changed
}

// PutGroup applies an observation of a group. A deleted group keeps its name and has no address.
func (tx *Tx) PutGroup(t Tenant, g directory.Group, e Evidence) (GroupChange, error) {
	var (
		c         GroupChange
		old       directory.Group
		state     string
		addresses []string
		row       stamp
		was       change
	)
	delete(tx.groups, groupKey{t.ID, g.ID})
	exists, err := tx.get(`SELECT id, name, addresses, kind, state, epoch, counter, changed_at, changed_by, told_at FROM groups
		WHERE tenant = $1 AND ref = $2`, []any{t.ID, g.ID},
		&c.ID, &old.Name, scanLines(&addresses), &old.Kind, &state, &row.Epoch, &row.Counter, scanMicros(&was.at), &was.by, scanMicros(&was.seen))
	if err != nil || t.outdated(e.Stamp, row, state != groupNamed) {
		return c, err
	}
	g.Name, g.Addresses = presentable(g.Name, g.Addresses)
	now, stamp := groupLive, stampOf(e.Stamp)
	if g.Deleted {
		now, g.Name, g.Kind, g.Addresses = groupDeleted, old.Name, old.Kind, nil
	}
	c.Removed = g.Deleted && state == groupLive
	c.Ended = (now == groupDeleted) != (state == groupDeleted)
	moved := !slices.Equal(addresses, g.Addresses)
	if exists && !moved && state == now && old.Name == g.Name && old.Kind == g.Kind {
		c.Seen = Same
		if still := was.confirmed(e); row != stamp || still != was {
			err = tx.exec(`UPDATE groups SET epoch = $1, counter = $2, changed_at = $3, changed_by = $4, told_at = $5 WHERE id = $6`,
				stamp.Epoch, stamp.Counter, micros(still.at), int(still.by), micros(still.seen), c.ID)
		}
		return c, err
	}
	if exists {
		doubtful, err := tx.weigh(thing{tenant: t.ID, kind: kindGroup, member: c.ID}, e, was, state == groupLive, true)
		if err != nil || doubtful {
			return GroupChange{ID: c.ID, Seen: Doubtful}, err
		}
	}
	c.Seen = Changed
	lines, anew := strings.Join(g.Addresses, "\n"), t.changed(e, state != groupNamed)
	if exists {
		err = tx.exec(`UPDATE groups SET name = $1, name_key = $2, addresses = $3, kind = $4, state = $5, epoch = $6, counter = $7, changed_at = $8,
			changed_by = $9, told_at = $10 WHERE id = $11`,
			g.Name, nameKey(g.Name), lines, string(g.Kind), now, stamp.Epoch, stamp.Counter, micros(anew.at), int(anew.by), micros(anew.seen), c.ID)
	} else {
		c.ID, err = tx.insert(`INSERT INTO groups (tenant, ref, name, name_key, addresses, kind, state, epoch, counter, changed_at, changed_by, told_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING id`,
			t.ID, g.ID, g.Name, nameKey(g.Name), lines, string(g.Kind), now, stamp.Epoch, stamp.Counter, micros(anew.at), int(anew.by), micros(anew.seen))
	}
	if err != nil || !moved {
		return c, err
	}
	c.Touched = slices.Concat(addresses, g.Addresses)
	return c, tx.putGroupAddresses(t.ID, c.ID, g.Addresses, exists)
}

func (tx *Tx) putGroupAddresses(tenant, group int64, addresses []string, exists bool) error {
	if exists {
		if err := tx.exec(`DELETE FROM group_addresses WHERE group_id = $1`, group); err != nil {
			return err
		}
	}
	for _, address := range addresses {
		if err := tx.exec(`INSERT INTO group_addresses (tenant, address, group_id) VALUES ($1, $2, $3)
			ON CONFLICT DO NOTHING`, tenant, address, group); err != nil {
			return err
		}
	}
	return nil
}

// Group is a group as the rules need it.
type Group struct {
	ID      int64
	Ref     string // the provider's id
	Deleted bool
	Doubted bool  // something has spoken against the row, and it is to be read again
	since   stamp // memberships up to this one are forgotten
}

// forgotten reports whether a membership that was seen at s counts no more.
func (g Group) forgotten(s directory.Stamp) bool {
	return g.since != stamp{} && s.Compare(g.since.directory()) <= 0
}

// Group returns the group with the provider's id, and whether the ledger has heard of it.
func (tx *Tx) Group(tenant int64, ref string) (g Group, found bool, err error) {
	g.Ref = ref
	var state string
	var by teller
	found, err = tx.get(`SELECT id, state, changed_by, since_epoch, since_counter FROM groups WHERE tenant = $1 AND ref = $2`,
		[]any{tenant, ref}, &g.ID, &state, &by, &g.since.Epoch, &g.since.Counter)
	g.Deleted, g.Doubted = state == groupDeleted, by&doubted != 0
	return g, found, err
}

// GroupsAt returns the provider's ids of the live groups that have the address, sorted.
func (tx *Tx) GroupsAt(tenant int64, address string) (refs []string, err error) {
	err = tx.each(`SELECT g.ref FROM group_addresses a JOIN groups g ON g.id = a.group_id
		WHERE a.tenant = $1 AND a.address = $2 ORDER BY g.ref`, []any{tenant, address}, func(row scanner) error {
		var ref string
		err := row.Scan(&ref)
		refs = append(refs, ref)
		return err
	})
	return refs, err
}

// ForgetMembers lets the memberships of a group, as they were known up to a stamp, count no more: nobody keeps them true
// from then on. Those that a later read shows count again.
func (tx *Tx) ForgetMembers(tenant int64, ref string, upTo directory.Stamp) error {
	s := stampOf(upTo)
	delete(tx.groups, groupKey{tenant, ref})
	err := tx.exec(`DELETE FROM doubts WHERE tenant = $1 AND group_id = (SELECT id FROM groups WHERE tenant = $1 AND ref = $2)`, tenant, ref)
	if err != nil {
		return err
	}
	return tx.exec(`UPDATE groups SET since_epoch = $1, since_counter = $2 WHERE tenant = $3 AND ref = $4`,
		s.Epoch, s.Counter, tenant, ref)
}

// groupKey names a group.
type groupKey struct {
	tenant int64
	ref    string
}

// internGroup returns a group, which may be one that no read has shown yet. A page names the same one again and again, so it
// is remembered until something about it changes.
func (tx *Tx) internGroup(tenant int64, ref string) (Group, error) {
	key := groupKey{tenant, ref}
	if g, known := tx.groups[key]; known {
		return g, nil
	}
	g, found, err := tx.Group(tenant, ref)
	if err != nil {
		return g, err
	}
	if !found {
		g.ID, err = tx.insert(`INSERT INTO groups (tenant, ref, state) VALUES ($1, $2, $3) RETURNING id`, tenant, ref, groupNamed)
		if err != nil {
			return g, err
		}
	}
	if tx.groups == nil {
		tx.groups = map[groupKey]Group{}
	}
	tx.groups[key] = g
	return g, nil
}
