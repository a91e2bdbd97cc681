package license_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/license"
)

// others publishes events of a source that are no license events, from the given sequence on, and returns the next one.
func (b *bundle) others(t *testing.T, tenant, product string, n uint64) uint64 {
	t.Helper()
	users := []event.HeldUser{{User: "u-1", Listed: true, Reason: "not-a-member"}}
	for _, e := range []struct {
		kind, subject string
		data          any
	}{
		{event.TypeSettingsChanged, event.PolicySubject(tenant, product), event.SettingsChanged{Tenant: tenant, Product: product, By: "cli"}},
		{event.TypeSeatsChanged, event.SeatsSubject(tenant, product), event.SeatsChanged{Tenant: tenant, Product: product, By: "cli"}},
		{event.TypeLineChanged, event.SeatsSubject(tenant, product), event.LineChanged{Tenant: tenant, Product: product, User: "u-1", Place: 1}},
		{event.TypeUserActivated, event.ActivationSubject(tenant, product), event.UserActivated{Tenant: tenant, Product: product, User: "u-1", By: "cli"}},
		{event.TypeHeldOpened, event.HeldSubject(tenant, product), event.HeldOpened{Tenant: tenant, Product: product, Held: "freeze-1"}},
		{event.TypeHeldListed, event.HeldSubject(tenant, product), event.HeldListed{Tenant: tenant, Product: product, Held: "freeze-1", Users: users}},
	} {
		b.publish(t, e.kind, e.subject, "", tenant, product, n, e.data)
		n++
	}
	return n
}

// What becomes of seats and held changes shares the sequence of the license events: it is told, and leaves no gap.
func TestReadersPassOverSeatsAndHeldChanges(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.grant(t, "contoso", "secure-share", 1, 1) // licenses u-1
	b.others(t, "contoso", "other", 1)
	next := b.others(t, "contoso", "secure-share", 2)
	b.grant(t, "contoso", "secure-share", next, next+2) // 8, 9, 10: the last revokes u-1
	source := license.Options{Tenant: "contoso", Product: "secure-share"}
	for name, c := range map[string]struct {
		change func(*license.Options)
		want   []uint64
	}{
		"source":      {func(*license.Options) {}, []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
		"from inside": {func(o *license.Options) { o.FromSequence = 4 }, []uint64{4, 5, 6, 7, 8, 9, 10}},
		"one user":    {func(o *license.Options) { o.User = "u-1" }, []uint64{1, 10}},
		"one type":    {func(o *license.Options) { o.Types = []string{event.TypeHeldListed} }, []uint64{7}},
	} {
		o := source
		c.change(&o)
		got, err := b.replay(t, o)
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
	got := make(chan uint64, 100)
	durable := source
	durable.Durable, durable.FromStreamSequence = "billing", 1
	stop := follow(t, b.client.Subscribe, durable, into(got))
	expect(t, got, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestSeatsAndHeldChangesDoNotFold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.grant(t, "contoso", "secure-share", 1, 1)
	b.others(t, "contoso", "secure-share", 2)
	var fold license.Fold
	var held event.HeldListed
	err := b.client.Replay(t.Context(), license.Options{}, func(_ context.Context, e license.Event) error {
		if changed := fold.Apply(e); changed != (e.Sequence == 1) || (e.User != "") != changed {
			t.Errorf("%s of user %q changed the fold: %v", e.Type, e.User, changed)
		}
		if e.Type != event.TypeHeldListed {
			return nil
		}
		ev, err := event.Decode(e.Raw)
		if err != nil {
			return err
		}
		held, err = event.Data[event.HeldListed](ev)
		return err
	})
	if err != nil || len(held.Users) != 1 || held.Users[0].User != "u-1" {
		t.Errorf("the list is %+v, %v", held, err)
	}
	if !fold.Licensed(license.Key{Tenant: "contoso", Product: "secure-share", User: "u-1"}) {
		t.Error("a list took the license of a user who is on it")
	}
}

func TestALostSeatsOrHeldEventIsAGap(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.grant(t, "contoso", "secure-share", 1, 1)
	next := b.others(t, "contoso", "secure-share", 2)
	b.others(t, "contoso", "secure-share", next+1) // next itself is lost
	_, err := b.replay(t, license.Options{Tenant: "contoso", Product: "secure-share", Types: []string{event.TypeLicenseGranted}})
	var gap *license.GapError
	if !errors.As(err, &gap) || gap.After != next-1 || gap.Got != next+1 {
		t.Errorf("ended with %v", err)
	}
}
