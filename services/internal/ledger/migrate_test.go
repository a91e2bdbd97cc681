package ledger_test

import (
	"os"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
)

// olderLedgersAreBroughtUpToDate fills the first version's tables and opens them with this one.
func olderLedgersAreBroughtUpToDate(t *testing.T, b ledgertest.Backend) {
	address, dialect := b.Address(t), goose.DialectSQLite3
	if strings.HasPrefix(address, "postgres") {
		address, dialect = ledgertest.EmptyPostgres(t), goose.DialectPostgres
	}
	db := raw(t, address)
	provider, err := goose.NewProvider(dialect, db, os.DirFS("migrations/"+b.Name), goose.WithDisableGlobalRegistry(true))
	must(t, err)
	if _, err := provider.UpTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		`INSERT INTO tenants (name, snapshot_epoch) VALUES ('contoso', 1)`,
		`INSERT INTO products (tenant, name, address, redecide_after, redecide_cause) VALUES (1, 'p', 'p@contoso.com', 7, 'e')`,
		`INSERT INTO users (tenant, ref, status) VALUES (1, 'ann', 'active'), (1, 'bob', 'active')`,
		`INSERT INTO entitlements (product, user_id, licensed, since, reason, path, sequence)
			VALUES (1, 1, 1, 5, 'domain-default', '', 3), (1, 2, 0, 6, 'suspended', '', 4)`,
		`INSERT INTO history (product, user_id, sequence, from_at, to_at, licensed, reason, path, cause)
			VALUES (1, 1, 3, 5, NULL, 1, 'domain-default', '', 'e1'), (1, 2, 2, 5, 6, 1, 'domain-default', '', 'e1'),
			(1, 2, 4, 6, NULL, 0, 'suspended', '', 'e2')`,
		`INSERT INTO positions (stream, part, stream_created, sequence) VALUES ('LEDGER_IN', 0, 1, 9)`,
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	l := open(t, address)
	update(t, l, func(tx *ledger.Tx) error {
		here := tenant(t, tx)
		products, err := tx.Products(here.ID)
		must(t, err)
		same(t, "counted as used", 1, products[0].Used, nil)
		j, _, err := tx.Job(products[0].ID, ledger.JobApply)
		same(t, "what was under way", ledger.Job{Product: 1, Kind: ledger.JobApply, After: 7, Cause: "e"}, j, err)
		_, found, err := tx.Position("LEDGER_IN", 0)
		same(t, "position", true, found, err)
		return nil
	})
	bob, err := l.Reader().FindUser(t.Context(), "contoso", "bob")
	must(t, err)
	periods, err := l.Reader().History(t.Context(), bob, "p")
	if err != nil || len(periods) != 2 || !periods[0].To.Equal(periods[1].From) || periods[1].Reason != "suspended" {
		t.Errorf("history: %+v, %v", periods, err)
	}
}
