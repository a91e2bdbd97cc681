package ledger

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

// sqlite is a database in a file of this machine. One transaction writes at a time, so no row needs a lock of its own.
func sqlite(path string) (dialect, error) {
	files, err := migrationsOf("sqlite")
	if err != nil {
		return dialect{}, err
	}
	return dialect{
		goose: goose.DialectSQLite3, migrations: files, begin: "BEGIN IMMEDIATE",
		writer: sqliteSource(path, "_txlock=immediate",
			// FULL: a commit whose event is out must not be lost with the power. Batched, it costs at most a tenth over NORMAL.
			"_pragma=journal_mode(WAL)", "_pragma=synchronous(FULL)", "_pragma=foreign_keys(1)",
			// Checkpoint seldom: it nearly doubles the rows a second.
			"_pragma=wal_autocheckpoint(16000)"),
		reader: sqliteSource(path, "mode=ro", "_pragma=query_only(1)"),
		missing: func() bool {
			_, err := os.Stat(path)
			return errors.Is(err, fs.ErrNotExist)
		},
	}, nil
}

// sqliteSource opens a file. The busy time-out comes first, so that the other settings wait as well.
func sqliteSource(path string, settings ...string) func() (*sql.DB, error) {
	escaped := (&url.URL{Path: path}).EscapedPath()
	source := "file:" + escaped + "?_pragma=busy_timeout(10000)&" + strings.Join(settings, "&")
	return func() (*sql.DB, error) {
		db, err := sql.Open("sqlite", source)
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", path, err)
		}
		return db, nil
	}
}

func sqlitePath(address string) string { return strings.TrimPrefix(address, "sqlite:") }
