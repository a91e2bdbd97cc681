package pages

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// usageDays is how far back the chart goes.
const usageDays = 90

// usageChart is what the chart is drawn from: days as seconds since 1970, and for each of them a value of every series.
type usageChart struct {
	Times  []int64       `json:"times"`
	Series []usageSeries `json:"series"`
}

type usageSeries struct {
	Label  string `json:"label"`
	Values []int  `json:"values"`
}

// usageRow is one day for people.
type usageRow struct {
	Day    string
	Values []int
}

// usage tells the licensed users of each product day by day: to programs as JSON, to people as a table.
func (p *Pages) usage(w http.ResponseWriter, r *http.Request, s *scope) error {
	c, ends := usageChart{Times: []int64{}, Series: []usageSeries{}}, daysBefore(s.Now)
	for _, end := range ends {
		c.Times = append(c.Times, end.Truncate(24*time.Hour).Unix())
	}
	for _, state := range s.State.Products {
		if state.Address == "" {
			continue
		}
		points, err := p.deps.Ledger.Usage(r.Context(), s.Tenant.ID, state.ID, ends[0], s.Now, 24*time.Hour)
		if err != nil {
			return err
		}
		series := usageSeries{Label: s.Product(state.ID)}
		for _, point := range points {
			series.Values = append(series.Values, point.Used)
		}
		c.Series = append(c.Series, series)
	}
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		return json.NewEncoder(w).Encode(c)
	}
	return p.show(w, r, http.StatusOK, "usage", frame{Title: "Licenses over time", Section: "overview", Scope: s, Body: struct {
		usageChart
		Rows []usageRow
	}{c, c.rows()}})
}

// daysBefore are the last moments of the days that the chart has, and now for today.
func daysBefore(now time.Time) (ends []time.Time) {
	today := now.UTC().Truncate(24 * time.Hour)
	for n := usageDays - 1; n >= 0; n-- {
		ends = append(ends, today.AddDate(0, 0, -n).Add(-time.Microsecond))
	}
	return append(ends, now.UTC())
}

// rows are the days, the last one first.
func (c usageChart) rows() (rows []usageRow) {
	for i := len(c.Times) - 1; i >= 0; i-- {
		row := usageRow{Day: time.Unix(c.Times[i], 0).UTC().Format(time.DateOnly)}
		for _, s := range c.Series {
			row.Values = append(row.Values, s.Values[i])
		}
		rows = append(rows, row)
	}
	return rows
}
