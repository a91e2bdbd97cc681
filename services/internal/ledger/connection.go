package ledger

import (
	"context"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// Connection is how the connection to a tenant's directory is, as one of its products was told.
type Connection struct {
	Product int64
	Stamp   directory.Stamp // of what was said last
	Class   string          // an event.Class…: what keeps it from working; "": nothing does
	Check   string          // that explains it; "" where none does
	Detail  string          // what is so, for people
	Action  string          // what to do about it
	Since   time.Time       // when it began to be degraded; zero when it is not
}

// Degraded reports whether something keeps the connection from working.
func (c Connection) Degraded() bool { return c.Class != "" }

const connectionColumns = `c.product, c.epoch, c.counter, c.class, c.check_name, c.detail, c.action, c.since`

func (c *Connection) columns() []any {
	return []any{
		&c.Product, &c.Stamp.Epoch, &c.Stamp.Counter, &c.Class, &c.Check, &c.Detail, &c.Action, scanMicros(&c.Since),
	}
}

// Connection returns what a product was told of the connection; one that nothing was said of works.
func (tx *Tx) Connection(product int64) (Connection, error) {
	c := Connection{Product: product}
	_, err := tx.get(`SELECT `+connectionColumns+` FROM connections c WHERE c.product = $1`, []any{product}, c.columns()...)
	return c, err
}

// PutConnection stores it.
func (tx *Tx) PutConnection(c Connection) error {
	at := stampOf(c.Stamp)
	return tx.exec(`INSERT INTO connections (product, epoch, counter, class, check_name, detail, action, since)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (product) DO UPDATE SET epoch = excluded.epoch, counter = excluded.counter, class = excluded.class,
			check_name = excluded.check_name, detail = excluded.detail, action = excluded.action, since = excluded.since`,
		c.Product, at.Epoch, at.Counter, c.Class, c.Check, c.Detail, c.Action, micros(c.Since))
}

// Degraded returns what keeps the connections from working that do not, by the tenant's name.
func (r *Reader) Degraded(ctx context.Context) (map[string]Connection, error) {
	const query = `SELECT t.name, ` + connectionColumns + ` FROM connections c JOIN products p ON p.id = c.product
		JOIN tenants t ON t.id = p.tenant WHERE c.class <> '' AND p.address <> '' ORDER BY c.epoch, c.counter, c.product DESC`
	all := map[string]Connection{}
	rows, err := r.db.QueryContext(ctx, query)
	err = eachRow(query, rows, err, func(row scanner) error {
		var name string
		var c Connection
		err := row.Scan(append([]any{&name}, c.columns()...)...)
		all[name] = c // the latest is of all products that are named still
		return err
	})
	return all, err
}
