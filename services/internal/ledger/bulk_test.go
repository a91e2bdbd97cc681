package ledger_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
)

// What ledgertest.Load makes is a ledger like any other, to read and to go on with.
func bulksAreLedgers(t *testing.T, b ledgertest.Backend) {
	address := b.Address(t)
	for _, name := range []string{"fabrikam", "contoso"} {
		ledgertest.Load(t, address, ledgertest.Bulk{
			Tenant: name, Product: "p", Domain: name + ".com", Group: "g", Address: "g@" + name + ".com", Users: 30, Members: 20, At: nine,
		})
	}
	l := open(t, address)
	r := l.Reader()
	state, err := r.Tenant(t.Context(), "contoso")
	if err != nil || state.Users != 30 || state.Groups != 1 || state.Granted != 20 || !state.Ready() {
		t.Errorf("tenant: %+v, %v", state, err)
	}
	uncounted, err := r.TenantUncounted(t.Context(), "contoso")
	counted := state
	counted.Users, counted.Groups = 0, 0
	if diff := cmp.Diff(counted, uncounted); diff != "" || err != nil {
		t.Errorf("without counts, %v (-want +got):\n%s", err, diff)
	}
	want := licensing.State{Phase: licensing.InForce, Policy: licensing.Policy{Mode: licensing.GroupMembers, Group: "g"}}
	if p := state.Products[0]; !cmp.Equal(want, p.State) || p.Licensed != 20 || p.Sequence != 21 {
		t.Errorf("product: %+v", p)
	}
	for i, licensed := range map[int]bool{1: true, 20: true, 21: false, 30: false} {
		u, err := r.FindUser(t.Context(), "contoso", ledgertest.UserRef(i))
		if err != nil {
			t.Fatal(err)
		}
		all, err := r.Entitlements(t.Context(), u)
		periods, historyErr := r.History(t.Context(), u, "p")
		if err != nil || historyErr != nil || (len(all) == 1) != licensed || len(all) != len(periods) {
			t.Errorf("user %d: %+v, %v; %+v, %v", i, all, err, periods, historyErr)
		}
		if found, err := r.FindUser(t.Context(), "contoso", u.Addresses[0]); err != nil || found.ID != u.ID {
			t.Errorf("%s: %+v, %v", u.Addresses[0], found, err)
		}
	}
	update(t, l, func(tx *ledger.Tx) error {
		here := tenant(t, tx)
		if _, err := tx.PutUser(here, someone("new", directory.Active), ledger.Evidence{Stamp: at(2)}); err != nil {
			return err
		}
		c, err := tx.PutMembership(here, directory.Membership{GroupID: "g", Kind: directory.UserMember, ID: ledgertest.UserRef(20)}, ledger.Evidence{Stamp: at(2)})
		if !c.Removed {
			t.Error("user 20 was no member")
		}
		return err
	})
}
