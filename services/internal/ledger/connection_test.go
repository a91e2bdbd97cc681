package ledger_test

import (
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
)

func degradedConnectionsAreFound(t *testing.T, b ledgertest.Backend) {
	l := open(t, b.Address(t))
	var want ledger.Connection
	update(t, l, func(tx *ledger.Tx) error {
		product := func(tenant, name, address string) int64 { return productOf(t, tx, tenant, name, address) }
		here, there := product("contoso", "p", "p@contoso.com"), product("initech", "p", "p@initech.com")
		retired := product("hooli", "p", "")
		none, err := tx.Connection(here)
		same(t, "nothing was said", ledger.Connection{Product: here}, none, err)
		if none.Degraded() {
			t.Error("of whom nothing was said is degraded")
		}
		want = ledger.Connection{
			Product: here, Stamp: at(7), Class: "consent", Check: "read-users", Detail: "d", Action: "a", Since: nine,
		}
		must(t, tx.PutConnection(ledger.Connection{Product: here, Stamp: at(6), Class: "silent", Since: nine.Add(time.Hour)}),
			tx.PutConnection(want), tx.PutConnection(ledger.Connection{Product: there, Stamp: at(8)}),
			tx.PutConnection(ledger.Connection{Product: retired, Stamp: at(9), Class: "quota", Since: nine}))
		stored, err := tx.Connection(here)
		same(t, "stored", want, stored, err)
		if !stored.Degraded() {
			t.Error("it is not degraded")
		}
		return nil
	})
	all, err := l.Reader().Degraded(t.Context())
	same(t, "degraded", map[string]ledger.Connection{"contoso": want}, all, err)
}

// productOf makes a tenant's product, and returns its id.
func productOf(t *testing.T, tx *ledger.Tx, tenant, name, address string) int64 {
	t.Helper()
	of, err := tx.Tenant(tenant)
	must(t, err)
	_, err = tx.EnsureProduct(of.ID, name, address)
	must(t, err)
	all, err := tx.Products(of.ID)
	must(t, err)
	for _, p := range all {
		if p.Name == name {
			return p.ID
		}
	}
	t.Fatalf("no product %s", name)
	return 0
}

func credentialsAreFound(t *testing.T, b ledgertest.Backend) {
	l := open(t, b.Address(t))
	var want ledger.Credential
	update(t, l, func(tx *ledger.Tx) error {
		here, retired := productOf(t, tx, "contoso", "p", "p@contoso.com"), productOf(t, tx, "hooli", "p", "")
		endless := productOf(t, tx, "initech", "p", "p@initech.com")
		none, err := tx.Credential(here)
		same(t, "nothing was said", ledger.Credential{Product: here}, none, err)
		want = ledger.Credential{Product: here, Stamp: at(7), Expires: nine, Days: 30, Detail: "d", Action: "a"}
		must(t, tx.PutCredential(ledger.Credential{Product: here, Stamp: at(6), Expires: nine.Add(time.Hour)}), tx.PutCredential(want),
			tx.PutCredential(ledger.Credential{Product: endless, Stamp: at(8)}),
			tx.PutCredential(ledger.Credential{Product: retired, Stamp: at(9), Expires: nine}))
		stored, err := tx.Credential(here)
		same(t, "stored", want, stored, err)
		return nil
	})
	all, err := l.Reader().Credentials(t.Context())
	same(t, "known", map[string]ledger.Credential{"contoso": want}, all, err)
}
