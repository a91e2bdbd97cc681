package pages

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/seats"
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
	var c usageChart
	for _, state := range s.State.Products {
		if state.Address == "" {
			continue
		}
		report, err := seats.Make(r.Context(), p.deps.Ledger, s.Tenant.ID, state.ID, s.Now.AddDate(0, 0, -usageDays), s.Now, s.Now)
		if err != nil {
			return err
		}
		series, times := usageSeries{Label: s.Product(state.ID)}, []int64{}
		for _, d := range report.Days {
			times, series.Values = append(times, d.Date.Unix()), append(series.Values, d.Used)
		}
		c.Times, c.Series = times, append(c.Series, series)
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
