package pages_test

import (
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
)

// BenchmarkACrowd is how long the server takes for pages of a tenant of half a million users.
func BenchmarkACrowd(b *testing.B) {
	address := ledgertest.SQLite(b)
	l, err := ledger.Open(b.Context(), address)
	if err != nil {
		b.Fatal(err)
	}
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
	ledgertest.LoadCrowd(b, address, ledgertest.Crowd{Tenant: "contoso", Product: "secure-share", Domain: "contoso.com", Users: 500_000, At: time.Now()})
	w := newWorldOn(b, address)
	w.connect("contoso")
	for _, path := range []string{
		"", "/users", "/users?licensed=no&sort=since", "/users?q=user12*&status=suspended", "/users?group=" + "team1@contoso.com&sort=change&desc=1", "/usage",
	} {
		b.Run("tenants/contoso"+path, func(b *testing.B) {
			for b.Loop() {
				w.page("/tenants/contoso" + path)
			}
		})
	}
}
