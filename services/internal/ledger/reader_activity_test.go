package ledger_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
)

// activityIsAnAuditBackwards reads the events of one of two tenants page after page.
func activityIsAnAuditBackwards(t *testing.T, b ledgertest.Backend) {
	c := scene(t, b, "contoso", "fabrikam")
	for product, least := range map[string]int{"": 8, "p": 7, "q": 1} {
		var want []ledger.Audited
		must(t, c.r.Audit(t.Context(), ledger.AuditQuery{Tenant: "contoso", Product: product}, func(a ledger.Audited) error {
			if a.Type == event.TypeHeldListed {
				a.Data = nil
			}
			want = append(want, a)
			return nil
		}))
		slices.Reverse(want)
		if len(want) < least {
			t.Errorf("%q: %d events", product, len(want))
		}
		for limit := 1; limit < 10; limit++ {
			var got []ledger.Audited
			for next, more := "", true; more; more = next != "" {
				page, err := c.r.Activity(t.Context(), ledger.ActivityQuery{Tenant: "contoso", Product: product, Before: next, Limit: limit})
				must(t, err)
				if next = page.Next; len(page.Events) > limit || next != "" && len(page.Events) < limit {
					t.Fatalf("a page of %d has %d events", limit, len(page.Events))
				}
				got = append(got, page.Events...)
			}
			if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(ledger.Audited{}), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%q in pages of %d:\n%s", product, limit, diff)
			}
		}
	}
	for q, want := range map[ledger.ActivityQuery]error{
		{Tenant: "nobody"}:                ledger.ErrNoTenant,
		{Tenant: "contoso", Product: "x"}: ledger.ErrNoProduct,
		{Tenant: "contoso", Before: "x"}:  ledger.ErrNoPage,
	} {
		if _, err := c.r.Activity(t.Context(), q); !errors.Is(err, want) {
			t.Errorf("%+v: %v", q, err)
		}
	}
}
