package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// snapshot answers several questions from one moment. It is for short work only: it keeps old rows from being tidied away.
type snapshot struct {
	ctx context.Context //nolint:containedctx // it lives for one call
	tx  *sql.Tx
}

// snapshot calls read with one. Its plans are for few rows of large tables, which is what lists are.
func (r *Reader) snapshot(ctx context.Context, read func(snapshot) error) (err error) {
	tx, err := r.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead})
	if err != nil {
		return fmt.Errorf("begin to read: %w", err)
	}
	defer func() {
		if e := tx.Rollback(); err == nil && e != nil && !errors.Is(e, sql.ErrTxDone) {
			err = fmt.Errorf("end reading: %w", e)
		}
	}()
	if r.lists != "" {
		if _, err := tx.ExecContext(ctx, r.lists); err != nil {
			return fmt.Errorf("begin to read: %w", err)
		}
	}
	return read(snapshot{ctx: ctx, tx: tx})
}

func (s snapshot) each(query string, args []any, scan func(scanner) error) error {
	rows, err := s.tx.QueryContext(s.ctx, query, args...)
	return eachRow(query, rows, err, scan)
}

// one reads the first row of a query into dest and reports whether there was one.
func (s snapshot) one(query string, args []any, dest ...any) (found bool, err error) {
	switch err := s.tx.QueryRowContext(s.ctx, query, args...).Scan(dest...); {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("run %q: %w", query, err)
	default:
		return true, nil
	}
}

func (s snapshot) numbers(query string, args ...any) (all []int64, err error) {
	err = s.each(query, args, func(row scanner) error {
		var n int64
		err := row.Scan(&n)
		all = append(all, n)
		return err
	})
	return all, err
}
