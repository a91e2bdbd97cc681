// Package ledger is the database of what was observed, who is licensed because of it, and who was: the mirror of each
// tenant's directory, its entitlements and their history, the events that have yet to go out, and how far the streams
// were read. Only the worker writes it; others read it through a Reader.
package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/pressly/goose/v3"
)

// ErrNewerSchema says that a newer version of Rollcall has written the ledger. Going on could harm it.
var ErrNewerSchema = errors.New("the ledger was written by a newer version")

// Ledger is the one writer of a database. It is safe for concurrent use: transactions take turns.
type Ledger struct {
	dialect dialect
	write   *sql.DB
	read    *sql.DB
	turn    chan struct{} // holds a token while nobody writes
	conn    *sql.Conn     // the connection that writes; belongs to whoever holds the turn
	stmts   map[string]*sql.Stmt
	rows    atomic.Int64
}

// Open opens the ledger at a file's path (or sqlite:<path>), which is made where it is missing, or in the Postgres database
// of a URL, and brings its schema up to date. It fails with ErrNewerSchema when the schema is from a version to come.
func Open(ctx context.Context, address string) (*Ledger, error) {
	d, err := parse(address)
	if err != nil {
		return nil, err
	}
	write, err := d.writer()
	if err != nil {
		return nil, err
	}
	write.SetMaxOpenConns(1)
	if err := migrate(ctx, d, write); err != nil {
		return nil, errors.Join(err, write.Close())
	}
	read, err := openReads(d)
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	l := &Ledger{dialect: d, write: write, read: read, turn: make(chan struct{}, 1)}
	l.turn <- struct{}{}
	return l, nil
}

// Shared reports whether several processes may write the database, each at its turn.
func (l *Ledger) Shared() bool { return l.dialect.goose == goose.DialectPostgres }

func openReads(d dialect) (*sql.DB, error) {
	read, err := d.reader()
	if err != nil {
		return nil, err
	}
	read.SetMaxOpenConns(4)
	read.SetMaxIdleConns(4)
	return read, nil
}

// Close waits for the transaction in hand and closes the database. Transactions that come later fail.
func (l *Ledger) Close() error {
	<-l.turn
	defer func() { l.turn <- struct{}{} }()
	l.drop()
	return errors.Join(l.read.Close(), l.write.Close())
}

// migrate brings the schema up to the newest version that this program knows.
func migrate(ctx context.Context, d dialect, db *sql.DB) error {
	provider, err := newProvider(d, db)
	if err != nil {
		return err
	}
	if err := checkVersion(ctx, provider); err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("bring the ledger's schema up to date: %w", err)
	}
	return nil
}

func newProvider(d dialect, db *sql.DB) (*goose.Provider, error) {
	provider, err := goose.NewProvider(d.goose, db, d.migrations, append(d.options, goose.WithDisableGlobalRegistry(true))...)
	if err != nil {
		return nil, fmt.Errorf("load the ledger's migrations: %w", err)
	}
	return provider, nil
}

func checkVersion(ctx context.Context, provider *goose.Provider) error {
	current, known, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read the ledger's schema version: %w", err)
	}
	if current > known {
		return fmt.Errorf("%w: its schema is version %d, this program knows %d", ErrNewerSchema, current, known)
	}
	return nil
}
