package ledger

import "time"

// Cause is a message that led to events on LICENSES.
type Cause struct {
	Event string // its id
	Type  string
	At    time.Time
	Cause string // what had caused it: a notification, a command
	By    string // who asked, where somebody did
}

// PutCause remembers a cause. One that is known already stays as it is.
func (tx *Tx) PutCause(tenant int64, c Cause) error {
	return tx.exec(`INSERT INTO causes (tenant, event_id, type, at, cause, by_whom) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT DO NOTHING`, tenant, c.Event, c.Type, micros(c.At), c.Cause, c.By)
}

// Record is an event of a product on LICENSES that is no license event.
type Record struct {
	Product  int64
	Sequence uint64
	Type     string
	At       time.Time
	Cause    string
	Data     []byte // as JSON
}

// PutRecord keeps a record.
func (tx *Tx) PutRecord(r Record) error {
	return tx.exec(`INSERT INTO records (product, sequence, type, at, cause, data) VALUES ($1, $2, $3, $4, $5, $6)`,
		r.Product, int64(r.Sequence), r.Type, micros(r.At), r.Cause, string(r.Data)) //nolint:gosec // a sequence stays far below 2^63
}
