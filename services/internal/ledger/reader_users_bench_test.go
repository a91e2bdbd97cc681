package ledger_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
	"github.com/rollcall-hq/rollcall/services/internal/search"
)

// listsOfACrowd are what people look for among half a million users, by the expression they type. The address of a group
// that holds a two-hundredth of a quarter of all stands for GROUP.
var listsOfACrowd = []string{
	"", "is:licensed", "NOT is:licensed", "is:suspended", "is:guest", "is:deleted", "is:held", "is:waiting", "is:activated", "NOT is:activated",
	"reason:not-a-member", "reason:held", "reason:suspended", "reason:group-member",
	"dan", "dan*", "d", "quinn*", "dana.corvikin3", "name:dan*", `name:"dana c"*`, "email:dan* AND is:licensed", "email:d*",
	"id:00000000-0000-4000-8000-000000250000", "group:GROUP", "group:GROUP AND is:licensed", "group:GROUP OR is:held",
	"group:p@contoso.com", "group:p@contoso.com AND NOT is:licensed",
	"is:suspended AND is:licensed", "is:suspended AND is:activated", "is:licensed AND NOT is:activated", "email:zoe* OR is:waiting OR reason:held",
	"NOT (is:licensed OR is:guest OR is:suspended)", "zoe xanwawood", "name:zoe* AND (is:suspended OR is:guest) AND NOT email:zoe.x*",
}

var crowdSorts = []ledger.UsersSort{ledger.SortName, ledger.SortAddress, ledger.SortStatus, ledger.SortLicensed, ledger.SortSince, ledger.SortChange}

// BenchmarkListsOfACrowd reads pages of 50 of half a million users, in every order and both directions, from the begin and from
// where a page ended, now and as of half a year ago, and counts them. It reports the slowest order of each.
func BenchmarkListsOfACrowd(b *testing.B) {
	c := ledgertest.Crowd{Tenant: "contoso", Product: "p", Domain: "contoso.com", Users: 500_000, At: nine}
	for _, backend := range ledgertest.Backends() {
		b.Run(backend.Name, func(b *testing.B) {
			address := backend.Address(b)
			ledgertest.LoadCrowd(b, address, c)
			r, err := ledger.OpenReader(b.Context(), address)
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = r.Close() }()
			for _, expression := range listsOfACrowd {
				n, err := search.Parse(strings.ReplaceAll(expression, "GROUP", c.CrowdGroup(7)))
				if err != nil {
					b.Fatal(err)
				}
				for when, at := range map[string]time.Time{"now": {}, "then": nine.AddDate(0, -6, 0)} {
					q := ledger.UsersQuery{Tenant: "contoso", Product: "p", Search: n, At: at}
					b.Run(fmt.Sprintf("%s/%s", cmpOr(expression, "all"), when), func(b *testing.B) { readPages(b, r, q) })
				}
			}
		})
	}
}

func cmpOr(s, t string) string {
	if s == "" {
		return t
	}
	return strings.ReplaceAll(s, " ", "_")
}

func readPages(b *testing.B, r *ledger.Reader, q ledger.UsersQuery) {
	slowest, order, cut := time.Duration(0), "", 0
	for _, sort := range crowdSorts {
		for _, descending := range []bool{false, true} {
			q.Sort, q.Descending = sort, descending
			name := fmt.Sprint(sort, map[bool]string{true: "-down"}[descending])
			next := ""
			for _, place := range []string{"", "-second"} {
				page, err := r.Users(b.Context(), q, next, 50)
				if err != nil {
					b.Fatal(err)
				}
				if page.Cut {
					cut++
				}
				p95 := percentile(b, func(ctx context.Context) error { _, err := r.Users(ctx, q, next, 50); return err })
				if p95 > slowest {
					slowest, order = p95, name+place
				}
				if next = page.Next; next == "" {
					break
				}
			}
		}
	}
	counting := percentile(b, func(ctx context.Context) error { _, err := r.CountUsers(ctx, q); return err })
	n, err := r.CountUsers(b.Context(), q)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(slowest.Microseconds())/1000, "p95-ms")
	b.ReportMetric(float64(counting.Microseconds())/1000, "p95-ms-count")
	b.ReportMetric(float64(cut), "cut-pages")
	b.ReportMetric(0, "ns/op")
	b.Logf("slowest by %s, counted %+v", order, n)
}

// percentile is the time within which 19 of 20 calls are done.
func percentile(b *testing.B, call func(context.Context) error) time.Duration {
	b.Helper()
	took := make([]time.Duration, max(b.N, 20))
	for i := range took {
		begin := time.Now()
		if err := call(b.Context()); err != nil {
			b.Fatal(err)
		}
		took[i] = time.Since(begin)
	}
	slices.Sort(took)
	return took[len(took)*19/20-1]
}
