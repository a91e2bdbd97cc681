package ledger

import "context"

// Current is the decision about one user as it stands, told by the event with that sequence.
type Current struct {
	Licensed bool
	Sequence uint64
}

// Decisions returns the decision about every user of a tenant for a product, by the provider's id of the user. Users who
// were never licensed are left out.
func (r *Reader) Decisions(ctx context.Context, tenant, product string) (map[string]Current, error) {
	id, err := r.tenantID(ctx, tenant)
	if err != nil {
		return nil, err
	}
	const query = `SELECT u.ref, e.licensed, e.sequence FROM products p
		JOIN entitlements e ON e.product = p.id JOIN users u ON u.id = e.user_id WHERE p.tenant = $1 AND p.name = $2`
	all := map[string]Current{}
	rows, err := r.db.QueryContext(ctx, query, id, product)
	err = eachRow(query, rows, err, func(row scanner) error {
		var user string
		var c Current
		err := row.Scan(&user, &c.Licensed, &c.Sequence)
		all[user] = c
		return err
	})
	return all, err
}
