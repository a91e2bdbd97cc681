package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Position is how far a stream was read or written. It means nothing for a stream that was created at another time.
type Position struct {
	Stream   string
	Part     int // the partition that was read, or Written
	Created  time.Time
	Sequence uint64
	Epoch    int64 // of the lease under which it was stored
}

// Written is the Part of a position up to which the relay knows what is on the stream.
const Written = -1

const positionQuery = `SELECT stream_created, sequence, epoch FROM positions WHERE stream = $1 AND part = $2`

// Position returns the stored position, and whether there is one. It locks the row, which is made where it is missing: two
// workers that both begin a stream take turns as well.
func (tx *Tx) Position(stream string, part int) (p Position, found bool, err error) {
	p.Stream, p.Part = stream, part
	read := func() (bool, error) {
		return tx.get(positionQuery+tx.l.dialect.lock, []any{stream, part}, scanMicros(&p.Created), &p.Sequence, &p.Epoch)
	}
	if found, err = read(); !found && err == nil {
		if err = tx.exec(`INSERT INTO positions (stream, part, stream_created, sequence) VALUES ($1, $2, 0, 0)
			ON CONFLICT DO NOTHING`, stream, part); err == nil {
			_, err = read()
		}
	}
	return p, !p.Created.IsZero(), err
}

// SavePosition stores a position.
func (tx *Tx) SavePosition(p Position) error {
	return tx.exec(`INSERT INTO positions (stream, part, stream_created, sequence, epoch) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (stream, part) DO UPDATE SET stream_created = excluded.stream_created, sequence = excluded.sequence,
			epoch = excluded.epoch`,
		p.Stream, p.Part, micros(p.Created), int64(p.Sequence), p.Epoch) //nolint:gosec // a stream's sequence stays far below 2^63
}

// Of reports whether the position is one of the stream that was created at the given time.
func (p Position) Of(created time.Time) bool { return micros(p.Created) == micros(created) }

// Position returns the stored position, and whether there is one.
func (l *Ledger) Position(ctx context.Context, stream string, part int) (Position, bool, error) {
	p := Position{Stream: stream, Part: part}
	err := l.read.QueryRowContext(ctx, positionQuery, stream, part).Scan(scanMicros(&p.Created), &p.Sequence, &p.Epoch)
	if errors.Is(err, sql.ErrNoRows) {
		return p, false, nil
	}
	if err != nil {
		return p, false, fmt.Errorf("read the position in %s: %w", stream, err)
	}
	return p, !p.Created.IsZero(), nil
}
