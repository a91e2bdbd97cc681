// Package seats tells how many seats of a product were used, day by day, from the record of who was licensed and of what
// was purchased.
package seats

import (
	"context"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// Report is the use of a product's seats over some days.
type Report struct {
	From   time.Time // the first moment
	To     time.Time // not included: the end of the last day, or now where that is earlier
	Peak   int       // the most seats that were used at once
	PeakAt time.Time // since when, the first time
	Over   int       // by how many more were used than were purchased, at the worst
	OverAt time.Time // zero where they never were
	Days   []Day
}

// Day is the use of one day (UTC).
type Day struct {
	Date  time.Time
	Used  int             // at its end
	Peak  int             // the most at once
	Over  int             // by how many more were used than were purchased, at the worst
	Seats licensing.Seats // at its end
}

const day = 24 * time.Hour

// Midnight is the begin of a moment's day.
func Midnight(t time.Time) time.Time { return t.UTC().Truncate(day) }

// Make makes the report of the days from one to another, which is included. Days that are to come are left out.
func Make(ctx context.Context, r *ledger.Reader, tenant, product string, from, to, now time.Time) (Report, error) {
	s := newSweep(Midnight(from), earlier(Midnight(to).Add(day), now.UTC()))
	if err := r.SeatsMoments(ctx, tenant, product, func(m ledger.SeatsMoment) error { s.add(m); return nil }); err != nil {
		return Report{}, err
	}
	return s.end(), nil
}

// sweep goes through what has changed, in order, and notes what stood in between.
type sweep struct {
	report Report
	at     time.Time // since when it stands so
	used   int
	seats  licensing.Seats
}

func newSweep(from, to time.Time) *sweep {
	s := &sweep{report: Report{From: from, To: to, PeakAt: from}, seats: licensing.Seats{Purchased: licensing.Unlimited}}
	for date := from; date.Before(to); date = date.Add(day) {
		s.report.Days = append(s.report.Days, Day{Date: date, Seats: s.seats})
	}
	return s
}

// add takes the next change. The sequence is the order: a clock that was set back makes nothing happen earlier. What
// changes at one moment changes at once.
func (s *sweep) add(m ledger.SeatsMoment) {
	if m.At.After(s.at) {
		s.stand(m.At)
		s.at = m.At
	}
	s.used += m.Delta
	if m.Seats != nil {
		s.seats = *m.Seats
	}
}

func (s *sweep) end() Report {
	s.stand(s.report.To)
	return s.report
}

// stand notes that all was as it is now until a moment.
func (s *sweep) stand(until time.Time) {
	r := &s.report
	from, until := later(s.at, r.From), earlier(until, r.To)
	if !from.Before(until) {
		return
	}
	over := 0
	if s.seats.Exceeded(s.used) {
		over = s.used - s.seats.Purchased
	}
	if s.used > r.Peak {
		r.Peak, r.PeakAt = s.used, from
	}
	if over > r.Over {
		r.Over, r.OverAt = over, from
	}
	for i := int(from.Sub(r.From) / day); i < len(r.Days); i++ {
		d := &r.Days[i]
		if !d.Date.Before(until) {
			return
		}
		d.Used, d.Seats = s.used, s.seats // the last to say so is what stood at the end
		d.Peak, d.Over = max(d.Peak, s.used), max(d.Over, over)
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
