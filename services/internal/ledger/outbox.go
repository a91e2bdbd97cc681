package ledger

import (
	"context"
	"fmt"
)

// Outgoing is one event that waits to be published. Those of one tenant go out in the order of their ids.
//
// On Postgres an id is taken when the event is put in, and seen when the transaction commits: with several workers, number 7
// may come to be seen after number 8, and some numbers never are. Nobody may take "all up to 8" for what there was. Within
// one tenant the order holds: its row is locked from before the first id is taken until the commit, so whoever puts in
// the next event of the tenant takes a higher number, and nobody sees it sooner.
type Outgoing struct {
	ID      int64
	Stream  string
	Subject string
	EventID string
	Body    []byte // the encoded CloudEvent
}

// Emit puts an event into the outbox.
func (tx *Tx) Emit(o Outgoing) error {
	tx.emitted = true
	return tx.exec(`INSERT INTO outbox (stream, subject, event_id, body) VALUES ($1, $2, $3, $4)`,
		o.Stream, o.Subject, o.EventID, o.Body)
}

// Sent takes events from the outbox that the relay knows to be on their stream.
func (tx *Tx) Sent(ids []int64) error {
	for _, id := range ids {
		if err := tx.exec(`DELETE FROM outbox WHERE id = $1`, id); err != nil {
			return err
		}
	}
	return nil
}

// Outbox returns up to limit events in the order in which they are to be published. Later calls may return lower ids: see
// Outgoing.
func (l *Ledger) Outbox(ctx context.Context, limit int) (out []Outgoing, err error) {
	const query = `SELECT id, stream, subject, event_id, body FROM outbox ORDER BY id LIMIT $1`
	rows, err := l.read.QueryContext(ctx, query, limit)
	err = eachRow(query, rows, err, func(row scanner) error {
		var o Outgoing
		err := row.Scan(&o.ID, &o.Stream, &o.Subject, &o.EventID, &o.Body)
		out = append(out, o)
		return err
	})
	return out, err
}

// OutboxDepth counts the events that have not gone out yet.
func (l *Ledger) OutboxDepth(ctx context.Context) (n int64, err error) {
	if err := l.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM outbox`).Scan(&n); err != nil {
		return 0, fmt.Errorf("count the outbox: %w", err)
	}
	return n, nil
}
