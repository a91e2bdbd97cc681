package ledger

// erased is what goes of a tenant, in this order: rows before those that they refer to.
var erased = []struct{ table, key, of string }{
	{"held_users", "held, user_id", `held IN (SELECT id FROM held WHERE product` + ofTenant + `)`},
	{"held", "id", `product` + ofTenant},
	{"waiting", "product, user_id", `product` + ofTenant},
	{"leaving", "product, user_id", `product` + ofTenant},
	{"revocations", "product, minute", `product` + ofTenant},
	{"connections", "product", `product` + ofTenant},
	{"credentials", "product", `product` + ofTenant},
	{"activations", "product, user_id", `product` + ofTenant},
	{"usage", "product, minute", `product` + ofTenant},
	{"records", "product, sequence", `product` + ofTenant},
	{"history", "product, user_id, sequence", `product` + ofTenant},
	{"entitlements", "product, user_id", `product` + ofTenant},
	{"causes", "tenant, event_id", `tenant = $1`},
	{"doubts", "tenant, group_id, kind, member", `tenant = $1`},
	{"proofs", "tenant, request", `tenant = $1`},
	{"snapshots", "tenant, ref", `tenant = $1`},
	{"memberships", "group_id, kind, member", `group_id IN (SELECT id FROM groups WHERE tenant = $1)`},
	{"group_addresses", "tenant, address, group_id", `tenant = $1`},
	{"groups", "id", `tenant = $1`},
	{"user_addresses", "tenant, address, user_id", `tenant = $1`},
	{"users", "id", `tenant = $1`},
}

const ofTenant = ` IN (SELECT id FROM products WHERE tenant = $1)`

// Erase forgets up to n rows of what is known of a tenant's people, groups and licenses, and reports whether more may be left.
// The tenant and its products stay as names, with the sequences of their events, which must never begin again; so do its jobs.
func (tx *Tx) Erase(tenant int64, n int) (more bool, err error) {
	tx.groups, tx.users = nil, nil
	end := tx.rows + int64(n)
	for _, e := range erased {
		query := `DELETE FROM ` + e.table + ` WHERE (` + e.key + `) IN (SELECT ` + e.key + ` FROM ` + e.table + ` WHERE ` + e.of + ` LIMIT $2)`
		if err := tx.exec(query, tenant, end-tx.rows); err != nil {
			return false, err
		}
		if tx.rows >= end {
			return true, nil
		}
	}
	return false, nil
}
