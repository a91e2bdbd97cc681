package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// PasswordFile is the parameter of a Postgres URL that names the file with the password. It is read before each
// connection, so that it may be changed while the process runs, and the address itself holds no secret.
const PasswordFile = "password_file"

// postgres is a database on a server, which several processes may write.
//
// READ COMMITTED is enough for them. A transaction locks the row of its position, then that of its tenant, before it reads
// anything else, and writes only what belongs to that tenant: nobody else can change what it has read. A statement that
// waited for a row sees it as the other left it, and each later statement sees all that was committed by then; a higher
// level would turn that wait into an error.
func postgres(address string) (dialect, error) {
	files, err := migrationsOf("postgres")
	if err != nil {
		return dialect{}, err
	}
	config, passwordFile, err := parsePostgres(address)
	if err != nil {
		return dialect{}, err
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return dialect{}, fmt.Errorf("make the lock of migrations: %w", err)
	}
	return dialect{
		goose: goose.DialectPostgres, migrations: files, options: []goose.ProviderOption{goose.WithSessionLocker(locker)},
		// As SQLite's synchronous=FULL: a commit whose event is out must not be lost with the power. And a writer that was cut
		// off in the middle of a transaction must not keep its locks from the one that takes over.
		writer: postgresSource(config, passwordFile, `SET default_transaction_isolation = 'read committed';
			SET default_transaction_read_only = off; SET synchronous_commit = on; SET idle_in_transaction_session_timeout = '30s'`),
		reader:  postgresSource(config, passwordFile, `SET default_transaction_read_only = on`),
		missing: func() bool { return false },
		begin:   "BEGIN", lock: " FOR UPDATE",
		// A list looks its users up one by one: never may it go through a whole table because they seem to be many. And a
		// plan for any argument knows nothing of the one that is there.
		lists: `SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_seqscan = off; SET LOCAL jit = off;
			SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL max_parallel_workers_per_gather = 0`,
	}, nil
}

// parsePostgres reads a URL. Its errors say nothing of it: in one that cannot be read, anything may be the password.
func parsePostgres(address string) (config *pgx.ConnConfig, passwordFile string, err error) {
	base, query, _ := strings.Cut(address, "?")
	parameters, err := url.ParseQuery(query)
	if err != nil {
		return nil, "", errors.New("the ledger's postgres URL has parameters that cannot be read")
	}
	passwordFile = parameters.Get(PasswordFile)
	parameters.Del(PasswordFile)
	config, err = pgx.ParseConfig(base + "?" + parameters.Encode())
	var missing *fs.PathError // of a certificate that the URL names
	switch {
	case errors.As(err, &missing):
		return nil, "", fmt.Errorf("the ledger's postgres URL names a file that cannot be read: %w", missing)
	case err != nil:
		return nil, "", errors.New("the ledger's postgres URL cannot be read: want postgres://<user>@<host>/<database>, " +
			"with what is special in a URL percent-encoded")
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 10 * time.Second
	}
	return config, passwordFile, nil
}

// Shown is an address as people may see it: without a password.
func Shown(address string) string {
	if !isPostgres(address) {
		return address
	}
	config, _, err := parsePostgres(address)
	if err != nil {
		return "the ledger in Postgres"
	}
	return fmt.Sprintf("postgres://%s@%s/%s", url.PathEscape(config.User), config.Host, config.Database)
}

// postgresSource opens connections that begin with some settings of their own, whatever the server's and the URL's are.
func postgresSource(config *pgx.ConnConfig, passwordFile, settings string) func() (*sql.DB, error) {
	config = config.Copy()
	config.DialFunc = dial
	config.RuntimeParams["application_name"] = "rollcall"
	before := func(_ context.Context, c *pgx.ConnConfig) error { return readPassword(c, passwordFile) }
	after := func(ctx context.Context, c *pgx.Conn) error {
		if encoding := c.PgConn().ParameterStatus("server_encoding"); encoding != "UTF8" {
			return fmt.Errorf("the ledger's database is encoded in %s, which cannot hold every name: want UTF8", encoding)
		}
		if _, err := c.Exec(ctx, settings); err != nil {
			return fmt.Errorf("set up a connection to the ledger: %w", err)
		}
		return nil
	}
	return func() (*sql.DB, error) {
		return stdlib.OpenDB(*config, stdlib.OptionBeforeConnect(before), stdlib.OptionAfterConnect(after)), nil
	}
}

func readPassword(c *pgx.ConnConfig, path string) error {
	if path == "" {
		return nil
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read the ledger's password: %w", err)
	}
	c.Password = strings.TrimSpace(string(body))
	return nil
}
