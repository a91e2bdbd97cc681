package ledger_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
)

// activityIsAnAuditBackwards reads the events of one of two tenants page after page.
func activityIsAnAuditBackwards(t *testing.T, b ledgertest.Backend) {
	c := scene(t, b, "contoso", "fabrikam")
	for i := range 16 { // of two products one has more to tell, some of it at the same moments, and of both areas
		product, eventType := "p", event.TypeHeldOpened
		if i%4 == 1 {
			product = "q"
		}
		if i%3 == 0 {
			eventType = event.TypeSeatsChanged
		}
		c.record("contoso", product, eventType, nine.Add(time.Hour+time.Duration(i/2)*time.Minute), "", map[string]int{"i": i})
	}
	for product, least := range map[string]int{"": 24, "p": 19, "q": 5} {
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
		areasOfActivity(t, c.r, product, want)
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
		{Tenant: "contoso", Product: "x", Area: "held"}: ledger.ErrNoProduct,
		{Tenant: "nobody"}:                ledger.ErrNoTenant,
		{Tenant: "contoso", Product: "x"}: ledger.ErrNoProduct,
		{Tenant: "contoso", Before: "x"}:  ledger.ErrNoPage,
	} {
		if _, err := c.r.Activity(t.Context(), q); !errors.Is(err, want) {
			t.Errorf("%+v: %v", q, err)
		}
	}
}

// areasOfActivity reads the events of each area, however many others are looked at for a page: each comes once, and pages end.
func areasOfActivity(t *testing.T, r *ledger.Reader, product string, all []ledger.Audited) {
	t.Helper()
	for _, area := range []string{"license", "held", "seats", "policy", "connection", "li%"} {
		var want []ledger.Audited
		for _, a := range all {
			if strings.HasPrefix(a.Type, "io.rollcall."+area+".") {
				want = append(want, a)
			}
		}
		for scan := 1; scan < 12; scan++ {
			var got []ledger.Audited
			next, pages := "", 0
			for more := true; more; more = next != "" {
				page, err := r.ActivityWithin(t.Context(), ledger.ActivityQuery{Tenant: "contoso", Product: product, Area: area, Before: next, Limit: 2}, scan)
				must(t, err)
				if pages++; len(page.Events) > 2 || pages > len(all)+1 {
					t.Fatalf("%s, of %q: page %d has %d events", area, product, pages, len(page.Events))
				}
				got, next = append(got, page.Events...), page.Next
			}
			if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(ledger.Audited{}), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s, of %q, %d at a time (-want +got):\n%s", area, product, scan, diff)
			}
		}
	}
}
