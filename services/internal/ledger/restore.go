package ledger

// Empty reports whether the ledger knows no tenant and has read or written no stream.
func (tx *Tx) Empty() (bool, error) {
	var n int
	_, err := tx.get(`SELECT (SELECT COUNT(*) FROM tenants) + (SELECT COUNT(*) FROM positions WHERE sequence > 0)`, nil, &n)
	return n == 0, err
}

// NameUser returns the number of the user with the provider's id, who may be one that no read has shown.
func (tx *Tx) NameUser(tenant int64, ref string) (int64, error) { return tx.internUser(tenant, ref) }

// NameGroups returns the numbers of the groups with the provider's ids, which may be ones that no read has shown.
func (tx *Tx) NameGroups(tenant int64, refs []string) (ids []int64, err error) {
	for _, ref := range refs {
		g, err := tx.internGroup(tenant, ref)
		if err != nil {
			return nil, err
		}
		ids = append(ids, g.ID)
	}
	return ids, nil
}

// RestoreHeld stores a held change as it was told of.
func (tx *Tx) RestoreHeld(h Held) (Held, error) {
	h, err := tx.AddHeld(h)
	if err != nil {
		return h, err
	}
	return h, tx.SaveHeld(h)
}

// CountLicensed counts the users who hold a license for a product.
func (tx *Tx) CountLicensed(product int64) (n int, err error) {
	_, err = tx.get(`SELECT COUNT(*) FROM entitlements WHERE product = $1 AND licensed = 1`, []any{product}, &n)
	return n, err
}

// Undone reports whether anybody on the list of a held change holds a license still, or holds none yet, against what the
// list says.
func (tx *Tx) Undone(h Held) (bool, error) {
	var one int
	return tx.get(`SELECT 1 FROM held_users l LEFT JOIN entitlements e ON e.product = $1 AND e.user_id = l.user_id
		WHERE l.held = $2 AND l.listed = 1 AND COALESCE(e.licensed, 0) <> l.licensed LIMIT 1`, []any{h.Product, h.ID}, &one)
}

// WantedCauses returns the ids of the events that decisions and records of a tenant name as their cause and that nobody has
// told of yet, in the order of the ids behind after, up to limit.
func (tx *Tx) WantedCauses(tenant int64, after string, limit int) (ids []string, err error) {
	err = tx.each(`SELECT DISTINCT cause FROM (
			SELECT h.cause FROM history h JOIN products p ON p.id = h.product WHERE p.tenant = $1
			UNION SELECT r.cause FROM records r JOIN products p ON p.id = r.product WHERE p.tenant = $1) AS named
		WHERE cause > $2 ORDER BY cause LIMIT $3`, []any{tenant, after, limit}, func(row scanner) error {
		var id string
		err := row.Scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, err
}

// RestoreAgainst finds what licenses are held against in the lists of the held changes that parked them. What was withdrawn
// while they were on its list has been released.
func (tx *Tx) RestoreAgainst() error {
	return tx.exec(`UPDATE entitlements SET against = COALESCE((SELECT CASE h.state WHEN 'withdrawn' THEN '' ELSE l.reason END
		FROM held_users l JOIN held h ON h.id = l.held
		WHERE h.product = entitlements.product AND l.user_id = entitlements.user_id AND l.licensed = 0
		ORDER BY h.id DESC LIMIT 1), '') WHERE reason = 'held'`)
}

// RestoreUsage finds how many users were licensed at the end of each minute in the history of a product.
func (tx *Tx) RestoreUsage(product int64) error {
	if err := tx.exec(`DELETE FROM usage WHERE product = $1`, product); err != nil {
		return err
	}
	return tx.exec(`INSERT INTO usage (product, minute, used) SELECT product, minute, used FROM (
		SELECT product, minute, sequence, SUM(delta) OVER (ORDER BY sequence) AS used, MAX(sequence) OVER (PARTITION BY minute) AS final FROM (
			SELECT product, sequence, from_at / 60000000 AS minute,
				licensed - COALESCE(LAG(licensed) OVER (PARTITION BY user_id ORDER BY sequence), 0) AS delta FROM history WHERE product = $1) AS steps
		WHERE delta <> 0) AS counts WHERE sequence = final`, product)
}
