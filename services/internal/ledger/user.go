package ledger

import (
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
)

// UserChange is what an observation did to a user.
type UserChange struct {
	ID      int64
	Seen    Seen
	Removed bool // was in the directory, and is deleted now
}

// PutUser applies an observation of a user. A deleted user keeps the name and addresses that were known.
func (tx *Tx) PutUser(t Tenant, u directory.User, e Evidence) (UserChange, error) {
	var (
		c         UserChange
		old       directory.User
		row       stamp
		was       change
		addresses string
		key       string
	)
	clear(tx.users) // what was read of this one may not hold any more
	exists, err := tx.get(`SELECT id, name, name_key, addresses, status, guest, epoch, counter, changed_at, changed_by, told_at FROM users
		WHERE tenant = $1 AND ref = $2`, []any{t.ID, u.ID},
		&c.ID, &old.Name, &key, &addresses, &old.Status, &old.Guest, &row.Epoch, &row.Counter, scanMicros(&was.at), &was.by, scanMicros(&was.seen))
	if err != nil || t.outdated(e.Stamp, row, old.Status != "") {
		return c, err
	}
	u.Name, u.Addresses = presentable(u.Name, u.Addresses)
	now, stamp := strings.Join(u.Addresses, "\n"), stampOf(e.Stamp)
	if u.Status == directory.Deleted && exists {
		u.Name, now, u.Guest = old.Name, addresses, old.Guest
	}
	anew := t.changed(e, old.Status != "")
	switch {
	case !exists:
		c.Seen = Changed
		c.ID, err = tx.insert(`INSERT INTO users (tenant, ref, name, name_key, addresses, address_key, status, guest, epoch, counter, changed_at, changed_by, told_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING id`,
			t.ID, u.ID, u.Name, nameKey(u.Name), now, addressKey(now), string(u.Status), flag(u.Guest), stamp.Epoch, stamp.Counter,
			micros(anew.at), int(anew.by), micros(anew.seen))
	case old.Name == u.Name && addresses == now && old.Status == u.Status && old.Guest == u.Guest:
		c.Seen = Same
		if still := was.confirmed(e); row != stamp || still != was {
			err = tx.exec(`UPDATE users SET epoch = $1, counter = $2, changed_at = $3, changed_by = $4, told_at = $5 WHERE id = $6`,
				stamp.Epoch, stamp.Counter, micros(still.at), int(still.by), micros(still.seen), c.ID)
		}
		if now := nameKey(u.Name); err == nil && key != now { // as a migration has made it
			err = tx.exec(`UPDATE users SET name_key = $1 WHERE id = $2`, now, c.ID)
		}
	default:
		counted, counts := old.Status == directory.Active && !old.Guest, u.Status == directory.Active && !u.Guest
		var doubtful bool
		if doubtful, err = tx.weigh(thing{tenant: t.ID, kind: kindUser, member: c.ID}, e, was, counted && !counts, counted != counts); err != nil || doubtful {
			c.Seen = Doubtful
			return c, err
		}
		c.Seen = Changed
		c.Removed = u.Status == directory.Deleted && old.Status != directory.Deleted && old.Status != ""
		err = tx.exec(`UPDATE users SET name = $1, name_key = $2, addresses = $3, address_key = $4, status = $5, guest = $6, epoch = $7,
			counter = $8, changed_at = $9, changed_by = $10, told_at = $11 WHERE id = $12`,
			u.Name, nameKey(u.Name), now, addressKey(now), string(u.Status), flag(u.Guest), stamp.Epoch, stamp.Counter,
			micros(anew.at), int(anew.by), micros(anew.seen), c.ID)
	}
	if err != nil || c.Seen != Changed || exists && addresses == now {
		return c, err
	}
	return c, tx.putUserAddresses(t.ID, c.ID, u.Addresses, exists)
}

func (tx *Tx) putUserAddresses(tenant, user int64, addresses []string, exists bool) error {
	if exists {
		if err := tx.exec(`DELETE FROM user_addresses WHERE user_id = $1`, user); err != nil {
			return err
		}
	}
	for _, address := range addresses {
		if err := tx.exec(`INSERT INTO user_addresses (tenant, address, user_id) VALUES ($1, $2, $3)
			ON CONFLICT DO NOTHING`, tenant, address, user); err != nil {
			return err
		}
	}
	return nil
}

// User is what a decision needs of a user, and how it is called outside.
type User struct {
	ID  int64
	Ref string // the provider's id
	licensing.User
}

// Known reports whether a read has ever shown the user: if not, a membership has only named it.
func (u User) Known() bool { return u.Status != "" }

// User returns a user that is known to exist.
func (tx *Tx) User(id int64) (User, error) {
	if u, known := tx.users[id]; known {
		return u, nil
	}
	u := User{ID: id}
	_, err := tx.get(`SELECT ref, status, guest FROM users WHERE id = $1`, []any{id}, &u.Ref, &u.Status, &u.Guest)
	return u, err
}

// UsersAfter returns up to limit of the tenant's users, tombstones too, in the order of their numbers.
func (tx *Tx) UsersAfter(tenant, after int64, limit int) (users []User, err error) {
	err = tx.each(`SELECT id, ref, status, guest FROM users WHERE tenant = $1 AND id > $2 ORDER BY id LIMIT $3`,
		[]any{tenant, after, limit}, func(row scanner) error {
			var u User
			err := row.Scan(&u.ID, &u.Ref, &u.Status, &u.Guest)
			users = append(users, u)
			return err
		})
	return users, err
}

// internUser returns the number of a user, who may be one that no read has shown yet.
func (tx *Tx) internUser(tenant int64, ref string) (id int64, err error) {
	u := User{Ref: ref}
	found, err := tx.get(`SELECT id, status, guest FROM users WHERE tenant = $1 AND ref = $2`, []any{tenant, ref}, &u.ID, &u.Status, &u.Guest)
	if err != nil {
		return 0, err
	}
	if found {
		if tx.users == nil {
			tx.users = map[int64]User{}
		}
		tx.users[u.ID] = u
		return u.ID, nil
	}
	return tx.insert(`INSERT INTO users (tenant, ref) VALUES ($1, $2) RETURNING id`, tenant, ref)
}
