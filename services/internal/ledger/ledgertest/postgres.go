package ledgertest

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"

	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// Postgres returns the URL of a ledger that nobody has used yet, which goes with the test.
func Postgres(tb testing.TB) string {
	tb.Helper()
	return create(tb, func() string { return process.template })
}

// EmptyPostgres returns the URL of a database without any table, which goes with the test.
func EmptyPostgres(tb testing.TB) string {
	tb.Helper()
	return create(tb, func() string { return empty })
}

// empty is a database that every server has.
const empty = "template0"

// process is the server of this process. The first test that needs it starts it, and it ends with the process.
var process struct {
	sync.Mutex
	tried    bool
	err      error
	server   *server // kept: the server ends when nobody holds it any more
	admin    string  // URL of a database from which others are made
	template string  // the database that is copied for each test
	made     int
}

func create(tb testing.TB, from func() string) string {
	tb.Helper()
	process.Lock()
	defer process.Unlock()
	if !process.tried {
		process.tried = true
		process.err = begin()
	}
	if process.err != nil {
		tb.Fatal(process.err)
	}
	process.made++
	name := fmt.Sprintf("%s%d", prefix(), process.made)
	if err := admin("CREATE DATABASE " + name + " TEMPLATE " + from() + " STRATEGY FILE_COPY"); err != nil { // the quicker one without fsync
		tb.Fatal(err)
	}
	tb.Cleanup(func() { run(tb, "DROP DATABASE "+name+" WITH (FORCE)") })
	return named(process.admin, name)
}

func run(tb testing.TB, statement string) {
	tb.Helper()
	if err := admin(statement); err != nil {
		tb.Errorf("%s: %v", statement, err)
	}
}

// prefix is what the names of this process' databases begin with: the server may be another's too.
func prefix() string { return fmt.Sprintf("rollcall_test_%d_", os.Getpid()) }

// begin finds or starts the server. On one of our own, the schema is brought up to date once, and then copied.
func begin() error {
	process.admin, process.template = os.Getenv(Variable), empty
	if process.admin != "" {
		return nil
	}
	var err error
	if process.server, err = start(memory(), "fsync=off", "full_page_writes=off", "shared_buffers=64MB"); err != nil {
		return err
	}
	process.admin = process.server.url("postgres")
	name := prefix() + "template"
	if err := admin("CREATE DATABASE " + name + " TEMPLATE " + empty); err != nil {
		return err
	}
	l, err := ledger.Open(context.Background(), named(process.admin, name))
	if err != nil {
		return err
	}
	process.template = name
	return l.Close()
}

// admin runs a statement beside all databases.
func admin(statement string) error {
	db, err := sql.Open("pgx", process.admin)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	_, err = db.ExecContext(context.Background(), statement)
	return err
}

// named is the URL of another database on the same server.
func named(address, database string) string {
	base, query, _ := strings.Cut(address, "?")
	return base[:strings.LastIndex(base, "/")+1] + database + "?" + query
}

// Durable returns the URL of a ledger on a server of its own, on the disk and with fsync, as production has it: for
// benchmarks, and for tests that are about what survives.
func Durable(tb testing.TB) string {
	tb.Helper()
	s, err := start(os.TempDir()) //nolint:usetesting // a folder of the test is closed to the user that the server runs as
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.stop)
	return s.url("postgres")
}

// Listen starts a server of its own on a loopback port, with a database that belongs to a user who signs in with a password.
func Listen(tb testing.TB, port int, user, password, database string) {
	tb.Helper()
	s, err := start(memory(), "fsync=off", "listen_addresses=127.0.0.1", fmt.Sprint("port=", port))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.stop)
	db, err := sql.Open("pgx", s.url("postgres")+fmt.Sprint("&port=", port))
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, statement := range []string{
		"DO $$ BEGIN IF CURRENT_USER <> '" + user + "' THEN CREATE ROLE " + user + " LOGIN; END IF; END $$",
		"ALTER ROLE " + user + " PASSWORD '" + password + "'", "CREATE ROLE " + guarded, "GRANT " + guarded + " TO " + user,
		"CREATE DATABASE " + database + " OWNER " + user,
	} {
		if _, err := db.ExecContext(context.Background(), statement); err != nil {
			tb.Fatalf("%s: %v", statement, err)
		}
	}
}

// guarded is the role whose members our servers ask for their passwords.
const guarded = "guarded"

// Guarded returns the URL, without the password, of an empty database that belongs to a role which signs in with it and may
// do nothing else. Both go with the test.
func Guarded(tb testing.TB, password string) string {
	tb.Helper()
	var role string
	tb.Cleanup(func() { run(tb, "DROP ROLE "+role) }) // after the database
	address := EmptyPostgres(tb)
	name, host := address[strings.LastIndex(address, "/"+prefix())+1:], address[strings.Index(address, "@")+1:]
	name, _, _ = strings.Cut(name, "?")
	role = name + "_owner"
	run(tb, "DO $$ BEGIN CREATE ROLE "+guarded+"; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$")
	run(tb, "CREATE ROLE "+role+" LOGIN PASSWORD '"+password+"' IN ROLE "+guarded)
	run(tb, "ALTER DATABASE "+name+" OWNER TO "+role)
	return "postgres://" + role + "@" + host
}
