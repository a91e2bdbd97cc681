package ledger

import (
	"context"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// Credential is when what proves Rollcall to a tenant's directory ends, as one of its products was told.
type Credential struct {
	Product int64
	Stamp   directory.Stamp // of what was said last
	Expires time.Time       // zero: at no time that is known
	Days    int             // it was told that it ends within so many; 0: it was not
	Detail  string          // what was told with that, for people
	Action  string          // what to do about it
}

const endColumns = `c.product, c.epoch, c.counter, c.expires, c.days, c.detail, c.action`

func (c *Credential) columns() []any {
	return []any{&c.Product, &c.Stamp.Epoch, &c.Stamp.Counter, scanMicros(&c.Expires), &c.Days, &c.Detail, &c.Action}
}

// Credential returns what a product was told of the credential; of one that nothing was said of no end is known.
func (tx *Tx) Credential(product int64) (Credential, error) {
	c := Credential{Product: product}
	_, err := tx.get(`SELECT `+endColumns+` FROM credentials c WHERE c.product = $1`, []any{product}, c.columns()...)
	return c, err
}

// PutCredential stores it.
func (tx *Tx) PutCredential(c Credential) error {
	at := stampOf(c.Stamp)
	return tx.exec(`INSERT INTO credentials (product, epoch, counter, expires, days, detail, action)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (product) DO UPDATE SET epoch = excluded.epoch, counter = excluded.counter, expires = excluded.expires,
			days = excluded.days, detail = excluded.detail, action = excluded.action`,
		c.Product, at.Epoch, at.Counter, micros(c.Expires), c.Days, c.Detail, c.Action)
}

// Credentials returns those whose end is known, by the tenant's name.
func (r *Reader) Credentials(ctx context.Context) (map[string]Credential, error) {
	const query = `SELECT t.name, ` + endColumns + ` FROM credentials c JOIN products p ON p.id = c.product
		JOIN tenants t ON t.id = p.tenant WHERE c.expires <> 0 AND p.address <> '' ORDER BY c.epoch, c.counter, c.product DESC`
	all := map[string]Credential{}
	rows, err := r.db.QueryContext(ctx, query)
	err = eachRow(query, rows, err, func(row scanner) error {
		var name string
		var c Credential
		err := row.Scan(append([]any{&name}, c.columns()...)...)
		all[name] = c // the latest is of all products that are named still
		return err
	})
	return all, err
}
