package ledger

// Erase forgets everything about a tenant's people, groups and licenses. The tenant and its products stay as names, with
// the sequences of their events, which must never begin again.
func (tx *Tx) Erase(tenant int64) error {
	tx.groups, tx.users = nil, nil
	const products = ` IN (SELECT id FROM products WHERE tenant = $1)`
	for _, query := range []string{
		`DELETE FROM held_users WHERE held IN (SELECT id FROM held WHERE product` + products + `)`,
		`DELETE FROM held WHERE product` + products,
		`DELETE FROM jobs WHERE product` + products,
		`DELETE FROM waiting WHERE product` + products,
		`DELETE FROM revocations WHERE product` + products,
		`DELETE FROM records WHERE product` + products,
		`DELETE FROM history WHERE product` + products,
		`DELETE FROM entitlements WHERE product` + products,
		`DELETE FROM causes WHERE tenant = $1`,
		`DELETE FROM proofs WHERE tenant = $1`,
		`DELETE FROM snapshots WHERE tenant = $1`,
		`DELETE FROM memberships WHERE group_id IN (SELECT id FROM groups WHERE tenant = $1)`,
		`DELETE FROM group_addresses WHERE tenant = $1`,
		`DELETE FROM groups WHERE tenant = $1`,
		`DELETE FROM user_addresses WHERE tenant = $1`,
		`DELETE FROM users WHERE tenant = $1`,
	} {
		if err := tx.exec(query, tenant); err != nil {
			return err
		}
	}
	return nil
}
