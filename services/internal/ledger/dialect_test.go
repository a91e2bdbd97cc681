package ledger_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"
	"golang.org/x/sync/errgroup"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
)

// raw opens a database beside the ledger.
func raw(t testing.TB, address string) *sql.DB {
	t.Helper()
	driver, source := "sqlite", "file:"+escape(address)
	if strings.HasPrefix(address, "postgres:") {
		driver, source = "pgx", address
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// cast is how Postgres shows the default of a column: '-1'::bigint.
var cast = regexp.MustCompile(`'(-?\d+)?'::\w+`)

// words returns the single column of a query, sorted, without what is the migrations' own.
func words(t *testing.T, db *sql.DB, query string) (all []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var word string
		if err := rows.Scan(&word); err != nil {
			t.Fatal(err)
		}
		word = strings.ReplaceAll(cast.ReplaceAllString(word, "$1"), " ''", " ")
		if !strings.HasPrefix(word, "goose") {
			all = append(all, word)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

// Both databases have the same tables with the same columns, defaults and indexes.
func TestSchemasAreTheSame(t *testing.T) {
	t.Parallel()
	sqlite, postgres := ledgertest.SQLite(t), ledgertest.EmptyPostgres(t)
	open(t, sqlite)
	open(t, postgres)
	ofSQLite, ofPostgres := raw(t, sqlite), raw(t, postgres)
	for what, queries := range map[string][2]string{
		"columns": {
			`SELECT t.name || '.' || c.name || CASE WHEN c."notnull" OR c.pk THEN '' ELSE ' NULL' END || COALESCE(' ' || c.dflt_value, '')
				FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%'`,
			`SELECT table_name || '.' || column_name || CASE is_nullable WHEN 'YES' THEN ' NULL' ELSE '' END || COALESCE(' ' || column_default, '')
				FROM information_schema.columns WHERE table_schema = 'public'`,
		},
		"indexes": { // the id of a table is none in SQLite
			`SELECT t.name || '(' || GROUP_CONCAT(c.name) || ') ' || i."unique"
				FROM sqlite_schema t, pragma_index_list(t.name) i, pragma_index_info(i.name) c WHERE t.type = 'table' GROUP BY t.name, i.name`,
			`SELECT c.relname || '(' || STRING_AGG(a.attname, ',' ORDER BY ARRAY_POSITION(i.indkey, a.attnum)) || ') ' || i.indisunique::int
				FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
				WHERE c.relnamespace = 'public'::regnamespace GROUP BY c.relname, i.indexrelid, i.indisunique HAVING MAX(a.attname) <> 'id'`,
		},
	} {
		want, got := words(t, ofSQLite, queries[0]), words(t, ofPostgres, queries[1])
		if len(want) == 0 {
			t.Errorf("no %s", what)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-sqlite +postgres):\n%s", what, diff)
		}
	}
}

// What is compared to find or to order a row is compared by its bytes, whatever the database's own order is.
func TestKeysOfPostgresAreComparedByBytes(t *testing.T) {
	t.Parallel()
	address := ledgertest.Postgres(t)
	open(t, address)
	if found := words(t, raw(t, address), `SELECT c.relname || '.' || a.attname FROM pg_index i
		JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
		JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) LEFT JOIN pg_collation l ON l.oid = a.attcollation
		WHERE n.nspname = 'public' AND l.collname <> 'C'`); len(found) != 0 {
		t.Errorf("compared in the order of a language: %v", found)
	}
}

func TestManyMayMigrateAtOnce(t *testing.T) {
	t.Parallel()
	address := ledgertest.EmptyPostgres(t)
	group, ctx := errgroup.WithContext(t.Context())
	for range 5 {
		group.Go(func() error {
			l, err := ledger.Open(ctx, address)
			if err != nil {
				return err
			}
			return l.Close()
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
}

func TestErrorsNeverShowThePassword(t *testing.T) {
	t.Parallel()
	for name, address := range map[string]string{
		"nobody listens":          "postgres://me:s3cret@127.0.0.1:1/db",
		"a slash in it":           "postgres://me:s3cret/more@host/db",
		"a bracket in it":         "postgres://me:[s3cret@host/db",
		"a percent sign in it":    "postgres://me:s3cret%zz@host/db",
		"in a parameter":          "postgres://me@127.0.0.1:1/db?password=s3cret",
		"in a bad parameter":      "postgres://me@host/db?password=s3cret%zz",
		"a setting of that name":  "postgres://me:s3cret@host/db?sslmode=s3cret",
		"a port that is a secret": "postgres://host:s3cret",
	} {
		_, err := ledger.Open(t.Context(), address)
		_, readErr := ledger.OpenReader(t.Context(), address)
		if err == nil || readErr == nil || strings.Contains(fmt.Sprint(err, readErr), "s3cret") {
			t.Errorf("%s: %v; %v", name, err, readErr)
		}
	}
}

func TestShownIsAnAddressWithoutThePassword(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"data/ledger.db": "data/ledger.db",
		"postgres://me:s3cret@db.example.com/rollcall?password_file=x": "postgres://me@db.example.com/rollcall",
		"postgres://me:s3cret%zz@db.example.com/rollcall":              "the ledger in Postgres",
	} {
		if got := ledger.Shown(address); got != want {
			t.Errorf("%s is shown as %s", address, got)
		}
	}
}

// The password is read from its file for each connection: it may be changed while the ledger is open.
func TestPasswordComesFromAFile(t *testing.T) {
	t.Parallel()
	address := ledgertest.Guarded(t, "s3cret/ &%")
	path := filepath.Join(t.TempDir(), "the password")
	address += "&" + url.Values{ledger.PasswordFile: {path}}.Encode()
	for name, body := range map[string]string{"missing": "", "wrong": "guess"} {
		if body != "" {
			write(t, path, body)
		}
		if _, err := ledger.Open(t.Context(), address); err == nil || strings.Contains(err.Error(), "guess") {
			t.Errorf("%s: %v", name, err)
		}
		_ = os.Remove(path)
	}
	write(t, path, "s3cret/ &%\n")
	l := open(t, address)
	people(t, l, someone("1", directory.Active))
	r, err := ledger.OpenReader(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if _, err := r.FindUser(t.Context(), "contoso", "1"); err != nil {
		t.Error(err)
	}
}

func write(t *testing.T, path, body string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
}

// What a commit promises must not depend on how the server happens to be set up.
func TestWriterSetsWhatItCountsOn(t *testing.T) {
	t.Parallel()
	address := ledgertest.EmptyPostgres(t)
	if _, err := raw(t, address).ExecContext(t.Context(), `DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() ||
		' SET synchronous_commit = off'; EXECUTE 'ALTER DATABASE ' || current_database() ||
		' SET default_transaction_isolation = ''serializable'''; EXECUTE 'ALTER DATABASE ' || current_database() ||
		' SET default_transaction_read_only = on'; END $$`); err != nil {
		t.Fatal(err)
	}
	update(t, open(t, address), func(tx *ledger.Tx) error {
		for query, want := range map[string]string{
			"SHOW synchronous_commit": "on", "SHOW transaction_isolation": "read committed", "SHOW transaction_read_only": "off",
			"SHOW idle_in_transaction_session_timeout": "30s",
		} {
			if got, err := ledger.Ask(tx, query); err != nil || got != want {
				t.Errorf("%s: %s, %v; want %s", query, got, err, want)
			}
		}
		return nil
	})
}

// A reader needs no more than SELECT, as docs/operations.md grants it.
func TestReadersNeedNoRightToWrite(t *testing.T) {
	t.Parallel()
	address := ledgertest.Postgres(t)
	people(t, open(t, address), someone("1", directory.Active))
	db, role := raw(t, address), fmt.Sprintf("rollcall_reader_%d", os.Getpid())
	run := func(statements ...string) {
		t.Helper()
		for _, s := range statements {
			if _, err := db.ExecContext(context.Background(), s); err != nil {
				t.Errorf("%s: %v", s, err)
			}
		}
	}
	run("CREATE ROLE "+role+" LOGIN", "GRANT SELECT ON ALL TABLES IN SCHEMA public TO "+role)
	t.Cleanup(func() { run("DROP OWNED BY "+role, "DROP ROLE "+role) })
	_, host, _ := strings.Cut(address, "@")
	address = "postgres://" + role + "@" + host
	r, err := ledger.OpenReader(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if u, err := r.FindUser(t.Context(), "contoso", "1"); err != nil || u.ID != "1" {
		t.Errorf("user %+v, %v", u, err)
	}
	l, err := ledger.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err) // the schema is up to date: there was nothing to write
	}
	defer func() { _ = l.Close() }()
	if err := l.Update(t.Context(), step); err == nil {
		t.Error("a reader writes")
	}
}

// A database of another encoding would take some names and stop at others.
func TestOtherEncodingsAreRefused(t *testing.T) {
	t.Parallel()
	address := ledgertest.EmptyPostgres(t)
	db := raw(t, address)
	base, query, _ := strings.Cut(address, "?")
	name := base[strings.LastIndex(base, "/")+1:] + "_latin"
	if _, err := db.ExecContext(t.Context(), "CREATE DATABASE "+name+" ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = db.ExecContext(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)") })
	if _, err := ledger.Open(t.Context(), base+"_latin?"+query); err == nil || !strings.Contains(err.Error(), "LATIN1") {
		t.Errorf("opened: %v", err)
	}
}
