package ledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// Tx is one transaction of the writer. It must not leave the function that it was given to.
type Tx struct {
	ctx     context.Context //nolint:containedctx // a Tx lives for one call of Update, as database/sql's own does
	l       *Ledger
	rows    int64
	emitted bool
	doubted bool
	groups  map[groupKey]Group  // that memberships of this transaction have named
	users   map[int64]User      // likewise
	moved   map[int64]time.Time // when the number of licenses of a product last changed in this transaction
	failed  error               // of a statement: on Postgres no other can follow it, so on no database may the transaction stand
}

// Update runs do in one transaction: all that it wrote stands when Update returns nil. It returns the error of do as it is.
// After an error nothing stands, unless the connection was lost during the commit: then it may stand whole.
func (l *Ledger) Update(ctx context.Context, do func(*Tx) error) (err error) {
	select {
	case <-l.turn:
		defer func() { l.turn <- struct{}{} }()
	case <-ctx.Done():
		return fmt.Errorf("wait to write the ledger: %w", ctx.Err())
	}
	if err := l.begin(ctx); err != nil {
		return err
	}
	committed := false
	defer func() {
		if !committed {
			l.rollback()
		}
	}()
	tx := &Tx{ctx: ctx, l: l}
	if err := do(tx); err != nil {
		return err
	}
	if tx.failed != nil {
		return tx.failed
	}
	l.rows.Add(tx.rows) // first: who sees the rows finds them counted
	if _, err := l.conn.ExecContext(ctx, "COMMIT"); err != nil {
		l.rows.Add(-tx.rows)
		return fmt.Errorf("commit: %w", err)
	}
	committed = true
	return nil
}

// begin starts a transaction. The connection may have been lost since the one before, so a second try has a new one.
func (l *Ledger) begin(ctx context.Context) error {
	for again := l.conn != nil; ; again = false {
		if err := l.connect(ctx); err != nil {
			return err
		}
		_, err := l.conn.ExecContext(ctx, l.dialect.begin)
		if err == nil {
			return nil
		}
		l.drop()
		if !again || ctx.Err() != nil {
			return fmt.Errorf("begin a transaction: %w", err)
		}
	}
}

// connect takes the writing connection, with no statement prepared yet, unless there is one.
func (l *Ledger) connect(ctx context.Context) error {
	if l.conn != nil {
		return nil
	}
	conn, err := l.write.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect to the ledger: %w", err)
	}
	l.conn, l.stmts = conn, map[string]*sql.Stmt{}
	return nil
}

// rollback ends a transaction that failed. It may have failed because its context ended, so it goes by another. A
// connection that cannot even do that is given up, and the transaction with it.
func (l *Ledger) rollback() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if _, err := l.conn.ExecContext(ctx, "ROLLBACK"); err != nil {
		l.drop()
	}
}

// drop closes the writing connection, if there is one. It never goes back into the pool: it may be dead, or in the middle
// of a transaction.
func (l *Ledger) drop() {
	if l.conn == nil {
		return
	}
	for _, stmt := range l.stmts {
		_ = stmt.Close()
	}
	_ = l.conn.Raw(func(any) error { return driver.ErrBadConn })
	_ = l.conn.Close()
	l.conn, l.stmts = nil, nil
}

// RowsWritten counts the rows that were inserted, changed or deleted, in all transactions since Open.
func (l *Ledger) RowsWritten() int64 { return l.rows.Load() }

// RowsWritten counts the rows that the transaction has inserted, changed or deleted so far.
func (tx *Tx) RowsWritten() int64 { return tx.rows }

// Emitted reports whether the transaction has put an event into the outbox.
func (tx *Tx) Emitted() bool { return tx.emitted }

// prepared returns the statement, prepared once for the life of the connection.
func (tx *Tx) prepared(query string) (*sql.Stmt, error) {
	if stmt, ok := tx.l.stmts[query]; ok {
		return stmt, nil
	}
	stmt, err := tx.l.conn.PrepareContext(tx.ctx, query)
	if err != nil {
		return nil, tx.fail(fmt.Errorf("prepare %q: %w", query, err))
	}
	tx.l.stmts[query] = stmt
	return stmt, nil
}

// exec runs a statement that returns no rows.
func (tx *Tx) exec(query string, args ...any) error {
	stmt, err := tx.prepared(query)
	if err != nil {
		return err
	}
	result, err := stmt.ExecContext(tx.ctx, args...)
	if err != nil {
		return tx.fail(fmt.Errorf("run %q: %w", query, err))
	}
	n, err := result.RowsAffected()
	if err != nil {
		return fmt.Errorf("count the rows of %q: %w", query, err)
	}
	tx.rows += n
	return nil
}

// insert runs an INSERT … RETURNING id.
func (tx *Tx) insert(query string, args ...any) (id int64, err error) {
	if _, err := tx.get(query, args, &id); err != nil {
		return 0, err
	}
	tx.rows++
	return id, nil
}

// get reads the first row of a query into dest and reports whether there was one.
func (tx *Tx) get(query string, args []any, dest ...any) (bool, error) {
	stmt, err := tx.prepared(query)
	if err != nil {
		return false, err
	}
	switch err := stmt.QueryRowContext(tx.ctx, args...).Scan(dest...); {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err != nil:
		return false, tx.fail(fmt.Errorf("run %q: %w", query, err))
	default:
		return true, nil
	}
}

// each calls scan for every row of a query. scan must not use the transaction: a connection does one thing at a time.
func (tx *Tx) each(query string, args []any, scan func(scanner) error) error {
	stmt, err := tx.prepared(query)
	if err != nil {
		return err
	}
	rows, err := stmt.QueryContext(tx.ctx, args...)
	return tx.fail(eachRow(query, rows, err, scan))
}

// fail keeps the first error of a statement.
func (tx *Tx) fail(err error) error {
	if tx.failed == nil {
		tx.failed = err
	}
	return err
}

// scanner is one row of a result.
type scanner interface{ Scan(dest ...any) error }

func eachRow(query string, rows *sql.Rows, err error, scan func(scanner) error) error {
	if err != nil {
		return fmt.Errorf("run %q: %w", query, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("read a row of %q: %w", query, err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("run %q: %w", query, err)
	}
	return nil
}

// micros is how times are stored: UTC microseconds, 0 for the zero time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// stamp scans the two columns of a stamp.
type stamp struct{ Epoch, Counter int64 }

func (s stamp) directory() directory.Stamp {
	return directory.Stamp{Epoch: s.Epoch, Counter: uint64(s.Counter)} //nolint:gosec // written from a uint64 of that size
}

func stampOf(s directory.Stamp) stamp {
	return stamp{Epoch: s.Epoch, Counter: int64(s.Counter)} //nolint:gosec // a counter of requests stays far below 2^63
}
