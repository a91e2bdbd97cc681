package pages

import (
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/rollcall-hq/rollcall/services/internal/answer"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/search"
)

// csvBreath is how many lines are written before the reader has to take them.
const csvBreath = 500

// usersCSV is the whole list that the filter asks for, as it is read: nothing is as large as the list.
func (p *Pages) usersCSV(w http.ResponseWriter, r *http.Request, s *scope) error {
	f := s.filterOf(r.URL.Query())
	query, err := f.query(s)
	var fault *search.Error
	switch {
	case errors.As(err, &fault):
		return badRequest("The search cannot be read %s.", fault.Error())
	case err != nil:
		return err
	case !s.State.Ready() || f.Product == "":
		return errNotFound
	}
	if _, err := answer.Product(s.State, f.Product); err != nil { // before its name is that of a file
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s-%s-users.csv"`, s.Tenant.ID, f.Product))
	out := csv.NewWriter(w)
	control := http.NewResponseController(w)
	_ = out.Write([]string{"id", "name", "addresses", "status", "guest", "licensed", "reason", "why", "path", "since", "last_change", "activated", "sequence"})
	n, still := 0, p.still(r.Context(), s)
	err = p.deps.Ledger.EachUser(r.Context(), query, func(u ledger.UserRow) error {
		if n++; n%csvBreath == 1 { // as long as somebody reads, it goes on
			if err := control.SetWriteDeadline(time.Now().Add(slow)); err != nil {
				return fmt.Errorf("lift the time for writing: %w", err)
			}
			if !still() {
				return errForbidden
			}
		}
		return out.Write(s.csvLine(f.Product, u))
	})
	out.Flush()
	if err = errors.Join(err, out.Error()); err != nil {
		if r.Context().Err() == nil {
			p.deps.Logger.WarnContext(r.Context(), "a list was cut short", "tenant", s.Tenant.ID, "lines", n, "error", err)
		}
		panic(http.ErrAbortHandler) // so that nobody takes a part for the whole
	}
	return nil
}

func (s *scope) csvLine(product string, u ledger.UserRow) []string {
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.RFC3339)
	}
	yes := func(b bool) string { return map[bool]string{true: "yes", false: "no"}[b] }
	var path []answer.Step
	for _, g := range u.Path {
		path = append(path, answer.Step(g))
	}
	line := []string{
		u.ID, u.Name, strings.Join(u.Addresses, " "), string(u.Status), yes(u.Guest), yes(u.Licensed), u.Reason, s.why(product, u), answer.PathText(path),
		at(u.Since), at(u.Changed), at(u.Activated), "",
	}
	if u.Sequence > 0 {
		line[len(line)-1] = fmt.Sprint(u.Sequence)
	}
	for i, cell := range line {
		line[i] = harmless(cell)
	}
	return line
}

// harmless is a cell with an apostrophe before what would begin a formula: at its start, and behind whatever some
// spreadsheet, in some country, takes for the start of another cell. What cannot be seen does not count.
func harmless(cell string) string {
	const begins = "=+-@\t\r\n＝＋－＠"
	if !strings.ContainsAny(cell, begins) {
		return cell
	}
	var b strings.Builder
	start := true
	for _, r := range cell {
		if start && strings.ContainsRune(begins, r) {
			b.WriteByte('\'')
		}
		b.WriteRune(r)
		start = strings.ContainsRune(",;|\t\r\n", r) || start && (r == '"' || unicode.IsSpace(r) || unicode.In(r, unicode.Cc, unicode.Cf))
	}
	return b.String()
}
