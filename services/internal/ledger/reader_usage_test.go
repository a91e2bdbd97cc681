package ledger_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
)

// usageIsCountedByTheMinute lets licenses come and go, and asks how many there were.
func usageIsCountedByTheMinute(t *testing.T, b ledgertest.Backend) {
	l := open(t, b.Address(t))
	var p ledger.Product
	update(t, l, func(tx *ledger.Tx) error {
		here := tenant(t, tx)
		_, err := tx.EnsureProduct(here.ID, "p", "p@contoso.com")
		must(t, err)
		products, err := tx.Products(here.ID)
		p = products[0]
		return err
	})
	before := map[int64]*ledger.Entitlement{}
	for i, d := range []struct {
		user     int64
		licensed bool
		reason   string
		seconds  int
	}{
		{1, true, "domain-default", 5}, {2, true, "domain-default", 10}, {1, false, "suspended", 59}, // 1 is left in the first minute
		{3, true, "domain-default", 60}, {3, true, "held", 200}, // a reason alone changes nothing
		{2, false, "deleted", 3600}, {3, false, "deleted", 3601},
	} {
		update(t, l, func(tx *ledger.Tx) error {
			at := nine.Add(time.Duration(d.seconds) * time.Second)
			e := ledger.Entitlement{Product: p.ID, User: d.user, Licensed: d.licensed, Since: at, Reason: d.reason, Sequence: uint64(i) + 1}
			if was := before[d.user]; d.licensed && was == nil {
				p.Used++
			} else if !d.licensed {
				p.Used--
			}
			must(t, tx.Transition(before[d.user], e, at, "cause"))
			before[d.user] = &e
			return tx.SaveProduct(p)
		})
	}
	check := func(what string) {
		points, err := l.Reader().Usage(t.Context(), "contoso", "p", nine.Add(-time.Minute), nine.Add(61*time.Minute), 30*time.Minute)
		must(t, err)
		got := ""
		for _, point := range points {
			got += fmt.Sprintf("%s %d, ", point.At.Format("15:04"), point.Used)
		}
		if diff := cmp.Diff("08:59 0, 09:29 2, 09:59 2, 10:01 0, ", got); diff != "" {
			t.Error(what, diff)
		}
		first, err := l.Reader().Usage(t.Context(), "contoso", "p", nine, nine, time.Minute)
		same(t, what+": the first minute", []ledger.UsagePoint{{At: nine, Used: 1}}, first, err)
	}
	check("as it went")
	update(t, l, func(tx *ledger.Tx) error { return tx.RestoreUsage(p.ID) })
	check("from the history")
	if _, err := l.Reader().Usage(t.Context(), "contoso", "p", nine, nine.AddDate(1, 0, 0), time.Minute); !errors.Is(err, ledger.ErrManyPoints) {
		t.Errorf("a year of minutes: %v", err)
	}
}
