package output

import (
	"encoding/csv"
	"io"
	"strings"
	"unicode"
)

// plain is text without what would steer a terminal. Lines and tabs stay.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// plainAll are cells of one line: what would end a line or a cell stays out as well.
func plainAll(cells []string) []string {
	all := make([]string, len(cells))
	for i, cell := range cells {
		all[i] = strings.Map(func(r rune) rune {
			if unicode.IsControl(r) {
				return unicode.ReplacementChar
			}
			return r
		}, cell)
	}
	return all
}

// csvWriter writes lines of CSV (RFC 4180) whose cells no spreadsheet takes for a formula.
type csvWriter struct{ w *csv.Writer }

func newCSV(out io.Writer) csvWriter { return csvWriter{csv.NewWriter(out)} }

// write keeps an error for flush, as csv.Writer does.
func (c csvWriter) write(cells []string) {
	all := make([]string, len(cells))
	for i, cell := range cells {
		all[i] = harmless(cell)
	}
	_ = c.w.Write(all)
}

func (c csvWriter) flush() error {
	c.w.Flush()
	return c.w.Error()
}

// harmless is a cell with an apostrophe before what would begin a formula: at its start, and behind whatever some
// spreadsheet, in some country, takes for the start of another cell.
func harmless(cell string) string {
	if !strings.ContainsAny(cell, "=+-@\t\r\n＝＋－＠") {
		return cell
	}
	var b strings.Builder
	start := true
	for _, r := range cell {
		if start && strings.ContainsRune("=+-@\t\r\n＝＋－＠", r) {
			b.WriteByte('\'')
		}
		b.WriteRune(r)
		start = strings.ContainsRune(",;|\t\r\n", r) || start && (r == ' ' || r == '"')
	}
	return b.String()
}
