package ledger_test

import (
	"cmp"
	"fmt"
	"strings"
	"testing"

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

// BenchmarkListsOfACrowd reads pages of 50 of half a million users, in every order and both directions: from the begin, from
// where a page ended, and behind thousands, now and as of half a year ago, each with its count. Of each search it reports the
// order that takes longest: the quickest of the calls, which is what other work on the machine adds least to, the median, and
// what 19 of 20 stay within.
//
// Half a million users are loaded in half a minute a database, and all is measured in some five minutes more, on a quiet
// machine: the ten minutes that go test allows are too few.
//
//	go test -run '^$' -bench ListsOfACrowd -benchtime 1x -timeout 60m ./services/internal/ledger
//	go test -run '^$' -bench 'ListsOfACrowd/sqlite/is:held' -benchtime 1x ./services/internal/ledger
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
				name := strings.ReplaceAll(cmp.Or(expression, "all"), " ", "_")
				q := ledger.UsersQuery{Tenant: "contoso", Product: "p", Search: n}
				b.Run(name+"/now", func(b *testing.B) { readPages(b, r, q) })
				q.At = nine.AddDate(0, -6, 0)
				b.Run(name+"/then", func(b *testing.B) { readPages(b, r, q) })
			}
		})
	}
}

func readPages(b *testing.B, r *ledger.Reader, q ledger.UsersQuery) {
	q.Counted = true
	var slowest ledgertest.Times
	var count ledger.UsersCount
	order, cut := "", 0
	for _, sort := range crowdSorts {
		for _, descending := range []bool{false, true} {
			q.Sort, q.Descending = sort, descending
			for i, after := range placesIn(b, r, q) {
				var page ledger.UsersPage
				read := func() (err error) { page, err = r.Users(b.Context(), q, after, 50); return err }
				if t := ledgertest.Time(b, 3, read); t.Best() > slowest.Best() {
					slowest, order = ledgertest.Time(b, 20, read), fmt.Sprint(sort, map[bool]string{true: " down"}[descending], ", place ", i)
				}
				count = page.Count
				if page.Cut {
					cut++
				}
			}
		}
	}
	slowest.Report(b, "")
	b.ReportMetric(float64(cut), "cut-pages")
	b.Logf("slowest by %s, counted %+v", order, count)
}

// placesIn are where pages of a list begin: at its begin, behind the first one, and behind thousands.
func placesIn(b *testing.B, r *ledger.Reader, q ledger.UsersQuery) []string {
	places := []string{""}
	next := ""
	for _, size := range []int{50, 1000, 1000, 1000, 1000, 1000} {
		page, err := r.Users(b.Context(), q, next, size)
		if err != nil {
			b.Fatal(err)
		}
		if next = page.Next; next == "" {
			break
		}
		if places = append(places, next); len(places) > 3 {
			places = append(places[:2], next)
		}
	}
	return places
}
