package ledger

import (
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"github.com/pressly/goose/v3"
)

//go:embed migrations
var migrations embed.FS

// dialect is all in which one database differs from another. The statements themselves are the same text for each.
type dialect struct {
	goose      goose.Dialect
	migrations fs.FS
	options    []goose.ProviderOption
	writer     func() (*sql.DB, error) // of the connection that writes
	reader     func() (*sql.DB, error) // of connections that only read
	missing    func() bool             // whether it can be told without a connection that there is no ledger
	begin      string                  // starts a transaction that will write
	lock       string                  // what a SELECT ends with that locks the rows it reads
	lists      string                  // what a transaction begins with that reads a list: few rows of large tables
}

// parse reads a ledger's address: a file's path, sqlite:<path>, or the URL of a Postgres database.
func parse(address string) (dialect, error) {
	if isPostgres(address) {
		return postgres(address)
	}
	if path := sqlitePath(address); path != "" {
		return sqlite(path)
	}
	return dialect{}, fmt.Errorf("ledger %q: want the path of a file, or postgres://<user>@<host>/<database>", address)
}

func migrationsOf(name string) (fs.FS, error) {
	files, err := fs.Sub(migrations, "migrations/"+name)
	if err != nil {
		return nil, fmt.Errorf("find the migrations: %w", err)
	}
	return files, nil
}

func isPostgres(address string) bool {
	return strings.HasPrefix(address, "postgres:") || strings.HasPrefix(address, "postgresql:")
}
