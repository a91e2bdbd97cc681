package seats

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

var monday = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)

func at(days int, hours time.Duration) time.Time {
	return monday.AddDate(0, 0, days).Add(hours * time.Hour)
}

// change is +1 or -1 at a moment; bought is what was purchased from then on.
func change(t time.Time, delta int) ledger.SeatsMoment {
	return ledger.SeatsMoment{At: t, Delta: delta}
}

func bought(t time.Time, n int) ledger.SeatsMoment {
	return ledger.SeatsMoment{At: t, Seats: &licensing.Seats{Purchased: n}}
}

func reportOf(from, to time.Time, all ...ledger.SeatsMoment) Report {
	s := newSweep(from, to)
	for _, m := range all {
		s.add(m)
	}
	return s.end()
}

func TestDays(t *testing.T) {
	t.Parallel()
	none := licensing.Seats{Purchased: licensing.Unlimited}
	two, three := licensing.Seats{Purchased: 2}, licensing.Seats{Purchased: 3}
	got := reportOf(at(0, 0), at(4, 12),
		change(at(-2, 0), 1),                      // before the first day
		change(at(0, 9), 1), change(at(0, 9), -1), // at once: never two
		change(at(1, 8), 1), change(at(1, 9), 1), bought(at(1, 10), 2), change(at(1, 11), -1), change(at(1, 12), -1),
		change(at(3, 0), 1), bought(at(3, 6), 3),
		change(at(4, 12), 1), // after the end
	)
	want := Report{
		From: at(0, 0), To: at(4, 12), Peak: 3, PeakAt: at(1, 9), Over: 1, OverAt: at(1, 10),
		Days: []Day{
			{Date: at(0, 0), Used: 1, Peak: 1, Seats: none},
			{Date: at(1, 0), Used: 1, Peak: 3, Over: 1, Seats: two},
			{Date: at(2, 0), Used: 1, Peak: 1, Seats: two},
			{Date: at(3, 0), Used: 2, Peak: 2, Seats: three},
			{Date: at(4, 0), Used: 2, Peak: 2, Seats: three}, // half of it is to come
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEmptyReports(t *testing.T) {
	t.Parallel()
	if got := reportOf(at(0, 0), at(0, 0), change(at(-1, 0), 1)); len(got.Days) != 0 || got.Peak != 0 {
		t.Errorf("no day: %+v", got)
	}
	got := reportOf(at(0, 0), at(1, 0))
	if len(got.Days) != 1 || got.Days[0].Peak != 0 || !got.PeakAt.Equal(at(0, 0)) || got.Days[0].Seats.Purchased != licensing.Unlimited {
		t.Errorf("nothing ever: %+v", got)
	}
}

// TestAClockThatWasSetBack: the sequence is the order, so nobody is counted before having come.
func TestAClockThatWasSetBack(t *testing.T) {
	t.Parallel()
	got := reportOf(at(0, 0), at(2, 0), change(at(1, 2), 1), change(at(0, 5), -1), change(at(1, 3), 1))
	if got.Days[0].Peak != 0 || got.Days[1].Used != 1 || got.Days[1].Peak != 1 {
		t.Errorf("%+v", got)
	}
}

// TestDaysAreWhatCountingGives compares reports of random changes with a count at every single hour.
func TestDaysAreWhatCountingGives(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 2))
		var all []ledger.SeatsMoment
		used, now := 0, at(-2, 0)
		for range r.IntN(60) {
			now = now.Add(time.Duration(r.IntN(8)) * time.Hour)
			switch {
			case r.IntN(5) == 0:
				all = append(all, bought(now, r.IntN(6)-1))
			case used > 0 && r.IntN(2) == 0:
				used--
				all = append(all, change(now, -1))
			default:
				used++
				all = append(all, change(now, 1))
			}
		}
		from, to := at(0, 0), at(r.IntN(6), time.Duration(r.IntN(24)))
		if diff := cmp.Diff(counted(from, to, all), reportOf(from, to, all...)); diff != "" {
			t.Fatalf("seed %d (-counted +got):\n%s", seed, diff)
		}
	}
}

// counted makes a report by looking at every hour: all changes are on the hour.
func counted(from, to time.Time, all []ledger.SeatsMoment) Report {
	want := Report{From: from, To: to, PeakAt: from}
	for hour := from; hour.Before(to); hour = hour.Add(time.Hour) {
		used, seats := 0, licensing.Seats{Purchased: licensing.Unlimited}
		for _, m := range all {
			if m.At.After(hour) {
				continue
			}
			used += m.Delta
			if m.Seats != nil {
				seats = *m.Seats
			}
		}
		over := 0
		if seats.Purchased >= 0 {
			over = max(0, used-seats.Purchased)
		}
		if hour.Hour() == 0 {
			want.Days = append(want.Days, Day{Date: hour})
		}
		d := &want.Days[len(want.Days)-1]
		d.Used, d.Peak, d.Over, d.Seats = used, max(d.Peak, used), max(d.Over, over), seats
		if used > want.Peak {
			want.Peak, want.PeakAt = used, hour
		}
		if over > want.Over {
			want.Over, want.OverAt = over, hour
		}
	}
	return want
}
