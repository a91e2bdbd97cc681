package ledger

import (
	"embed"
	"fmt"
	"io/fs"
	"net/url"
	"strings"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

//go:embed migrations
var migrations embed.FS

// dialect is all in which one database differs from another. The statements themselves are the same text for each.
type dialect struct {
	driver     string
	goose      goose.Dialect
	migrations fs.FS
	writer     string // data source of the connection that writes
	reader     string // data source of connections that only read
	begin      string // starts a transaction that will write
	lock       string // what a SELECT ends with that locks the row it reads
}

// parse reads a ledger's address: a file's path, or sqlite:<path>.
func parse(address string) (dialect, error) {
	path := strings.TrimPrefix(address, "sqlite:")
	switch {
	case strings.HasPrefix(address, "postgres:"), strings.HasPrefix(address, "postgresql:"):
		return dialect{}, fmt.Errorf("ledger %s: this version keeps its ledger in SQLite only", scheme(address))
	case path == "":
		return dialect{}, fmt.Errorf("ledger %q: want the path of a file", address)
	}
	files, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		return dialect{}, fmt.Errorf("find the migrations: %w", err)
	}
	return dialect{
		driver: "sqlite", goose: goose.DialectSQLite3, migrations: files, begin: "BEGIN IMMEDIATE",
		writer: sqliteSource(path, "_txlock=immediate",
			// FULL: a commit whose event is out must not be lost with the power. Batched, it costs at most a tenth over NORMAL.
			"_pragma=journal_mode(WAL)", "_pragma=synchronous(FULL)", "_pragma=foreign_keys(1)",
			// Checkpoint seldom: it nearly doubles the rows a second.
			"_pragma=wal_autocheckpoint(16000)"),
		reader: sqliteSource(path, "mode=ro", "_pragma=query_only(1)"),
	}, nil
}

// sqliteSource builds a data source name. The busy time-out comes first, so that the other settings wait as well.
func sqliteSource(path string, settings ...string) string {
	escaped := (&url.URL{Path: path}).EscapedPath()
	return "file:" + escaped + "?_pragma=busy_timeout(10000)&" + strings.Join(settings, "&")
}

func scheme(address string) string {
	name, _, _ := strings.Cut(address, ":")
	return name + ":"
}
