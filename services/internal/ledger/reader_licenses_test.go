package ledger_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
)

// story is a random history of a product, with several events at one moment.
func story(seed uint64, users int) (names []string, all []decided) {
	r := rand.New(rand.NewPCG(seed, 1))
	for i := range users {
		names = append(names, fmt.Sprintf("u%d", i))
	}
	now := nine
	for i := range users * 3 {
		if r.IntN(3) > 0 {
			now = now.Add(time.Duration(r.IntN(3600)) * time.Second)
		}
		d := decided{user: names[r.IntN(users)], at: now, licensed: r.IntN(2) == 0, reason: fmt.Sprint("reason-", i), cause: fmt.Sprint("cause-", i)}
		if d.licensed && r.IntN(2) == 0 {
			d.path = []string{"g", "h"}
		}
		all = append(all, d)
	}
	return names, all
}

// licensedAt says by plain folding who held a license at a moment.
func licensedAt(all []decided, at time.Time) map[string]ledger.License {
	held := map[string]ledger.License{}
	for i, d := range all {
		if d.at.After(at) {
			break
		}
		if !d.licensed {
			delete(held, d.user)
			continue
		}
		l := ledger.License{
			User: d.user, Name: "contoso " + d.user, Addresses: []string{d.user + "@shared.com"}, Status: "active",
			Since: d.at, From: d.at, Reason: d.reason, Cause: d.cause, Sequence: uint64(i) + 1,
		}
		if before, was := held[d.user]; was {
			l.Since = before.Since
		}
		for _, g := range d.path {
			l.Path = append(l.Path, ledger.PathGroup{ID: g, Name: "contoso " + g})
		}
		held[d.user] = l
	}
	return held
}

func licensesAsOf(t *testing.T, b ledgertest.Backend) {
	c := newRecorded(t, b)
	names, all := story(7, 200)
	c.tenant("contoso", []string{"p"}, names, []string{"g", "h"})
	c.decide("contoso", "p", all...)
	end := all[len(all)-1].at
	for _, at := range []time.Time{nine.Add(-time.Second), nine, nine.Add(end.Sub(nine) / 3), all[len(all)/2].at, end, end.Add(time.Hour)} {
		got, last := map[string]ledger.License{}, int64(0)
		err := c.r.LicensesInPages(t.Context(), "contoso", "p", at, 7, func(l ledger.License) error {
			if number := c.users["contoso "+l.User]; number <= last {
				t.Errorf("%s comes out of order", l.User)
			} else {
				last = number
			}
			got[l.User] = l
			return nil
		})
		if diff := cmp.Diff(licensedAt(all, at), got); diff != "" || err != nil {
			t.Errorf("as of %s (-want +got), %v:\n%s", at, err, diff)
		}
		err = c.r.Licenses(t.Context(), "contoso", "p", at, func(l ledger.License) error {
			delete(got, l.User)
			return nil
		})
		if len(got) != 0 || err != nil {
			t.Errorf("as of %s at once: %d are missing, %v", at, len(got), err)
		}
	}
}

// seatsMomentsAddUp holds what is used after each event to plain counting.
func seatsMomentsAddUp(t *testing.T, b ledgertest.Backend) {
	c := newRecorded(t, b)
	names, all := story(11, 60)
	c.tenant("contoso", []string{"p"}, names, []string{"g", "h"})
	half := len(all) / 2
	seats := 12
	c.decide("contoso", "p", all[:half]...)
	c.record("contoso", "p", event.TypePolicyChanged, all[half].at, "", event.PolicyChanged{})
	set := c.record("contoso", "p", event.TypeSeatsChanged, all[half].at, "", event.SeatsChanged{Purchased: &seats, Enforce: true})
	c.decide("contoso", "p", all[half:]...)
	unset := c.record("contoso", "p", event.TypeSeatsChanged, all[len(all)-1].at, "", event.SeatsChanged{})

	want, used := map[uint64]int{}, 0 // after each event that changes it
	licensed := map[string]bool{}
	for i, d := range all {
		sequence := uint64(i) + 1
		if i >= half {
			sequence += 2
		}
		if licensed[d.user] != d.licensed {
			licensed[d.user] = d.licensed
			if used++; !d.licensed {
				used -= 2
			}
			want[sequence] = used
		}
	}
	got, now, last := map[uint64]int{}, 0, uint64(0)
	bought := map[uint64]licensing.Seats{}
	err := c.r.SeatsMoments(t.Context(), "contoso", "p", func(m ledger.SeatsMoment) error {
		if m.Sequence <= last || m.At.IsZero() {
			t.Errorf("out of order: %+v", m)
		}
		last = m.Sequence
		if m.Seats != nil {
			bought[m.Sequence] = *m.Seats
			return nil
		}
		now += m.Delta
		got[m.Sequence] = now
		return nil
	})
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("used (-want +got), %v:\n%s", err, diff)
	}
	wantSeats := map[uint64]licensing.Seats{set: {Purchased: 12, Enforce: true}, unset: {Purchased: licensing.Unlimited}}
	if diff := cmp.Diff(wantSeats, bought); diff != "" {
		t.Errorf("purchased (-want +got):\n%s", diff)
	}
}

func policyAt(t *testing.T, b ledgertest.Backend) {
	c := newRecorded(t, b)
	c.tenant("contoso", []string{"p"}, nil, nil)
	for i, mode := range []string{"all-users", "group-members"} {
		c.record("contoso", "p", event.TypePolicyChanged, nine.Add(time.Duration(i)*time.Hour), "", event.PolicyChanged{Mode: mode})
	}
	for minutes, want := range map[time.Duration]string{-1: "", 0: "all-users", 59: "all-users", 60: "group-members", 999: "group-members"} {
		p, found, err := c.r.PolicyAt(t.Context(), "contoso", "p", nine.Add(minutes*time.Minute))
		if p.Mode != want || found != (want != "") || err != nil {
			t.Errorf("after %d minutes: %+v, %v, %v", minutes, p, found, err)
		}
	}
}
