package worker

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

func TestHowLongHeldChangesWait(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_000_000, 0)
	held := func(tenant string, kind ledger.HeldKind, state ledger.HeldState, age time.Duration) ledger.HeldChange {
		return ledger.HeldChange{Tenant: tenant, ProductID: "secure-share", Held: ledger.Held{Kind: kind, State: state, OpenedAt: now.Add(-age)}}
	}
	h := &holds{now: func() time.Time { return now }, read: func(context.Context) ([]ledger.HeldChange, error) {
		return []ledger.HeldChange{
			held("contoso", ledger.HeldFlip, ledger.HeldOpen, 3*24*time.Hour),
			held("contoso", ledger.HeldRevocations, ledger.HeldApproved, time.Hour), // is being carried out
			held("initech", ledger.HeldFlip, ledger.HeldListing, 0),                 // nobody can say anything of it yet
			held("initech", ledger.HeldFreeze, ledger.HeldOpen, time.Minute),
		}, nil
	}}
	if err := testutil.CollectAndCompare(h, strings.NewReader(`
# HELP rollcall_held_age_seconds Time since a held change that waits for somebody was opened.
# TYPE rollcall_held_age_seconds gauge
rollcall_held_age_seconds{kind="flip",product="secure-share",tenant="contoso"} 259200
rollcall_held_age_seconds{kind="freeze",product="secure-share",tenant="initech"} 60
`)); err != nil {
		t.Error(err)
	}
	// The rest of the metrics is worth having without it.
	h.read = func(context.Context) ([]ledger.HeldChange, error) { return nil, errors.New("the ledger is away") }
	if n := testutil.CollectAndCount(h); n != 0 {
		t.Errorf("%d ages while the ledger is away", n)
	}
}
