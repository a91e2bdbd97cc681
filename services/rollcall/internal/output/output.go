// Package output prints what a command found: as a table for people, as one JSON document, as one JSON line an item, or, for
// lists, as CSV. What comes from a directory is anybody's text: no table lets it move the cursor, no CSV makes it a formula.
package output

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

// Format is how to print.
type Format string

// The formats.
const (
	Table Format = "table"
	JSON  Format = "json"
	JSONL Format = "jsonl"
	CSV   Format = "csv" // of lists only
)

// ParseFormat reads what a user typed.
func ParseFormat(s string) (Format, error) {
	switch f := Format(s); f {
	case Table, JSON, JSONL, CSV:
		return f, nil
	default:
		return "", fmt.Errorf("output format %q: want table, json, jsonl or, for lists, csv", s)
	}
}

// Printer prints to one place in one format.
type Printer struct {
	Out    io.Writer
	Format Format
}

// List prints items: a table with a line for each, a JSON array, or a JSON line for each.
func List[T any](p Printer, headings []string, items []T, row func(T) []string) error {
	switch p.Format {
	case JSON:
		if items == nil {
			items = []T{}
		}
		return p.document(items)
	case JSONL:
		for _, item := range items {
			if err := p.line(item); err != nil {
				return err
			}
		}
		return nil
	case CSV:
		w := newCSV(p.Out)
		names := make([]string, len(headings))
		for i, h := range headings {
			names[i] = strings.ReplaceAll(strings.ToLower(h), " ", "_")
		}
		w.write(names)
		for _, item := range items {
			w.write(row(item))
		}
		return w.flush()
	default:
		w := tabwriter.NewWriter(p.Out, 0, 0, 3, ' ', 0)
		_, _ = fmt.Fprintln(w, strings.Join(headings, "\t"))
		for _, item := range items {
			_, _ = fmt.Fprintln(w, strings.Join(plainAll(row(item)), "\t"))
		}
		return w.Flush()
	}
}

// One prints one item: as text makes it for people, or as JSON.
func One[T any](p Printer, item T, text func(T) string) error {
	switch p.Format {
	case JSON:
		return p.document(item)
	case JSONL:
		return p.line(item)
	default:
		return p.Text(text(item))
	}
}

// Text prints text for people.
func (p Printer) Text(text string) error {
	_, err := io.WriteString(p.Out, plain(text))
	return err
}

// Column is one column of a table that is printed while its lines are still coming.
type Column struct {
	Heading string
	Width   int // longer values push the rest of the line
}

// Stream prints items as they come. As JSON, each is a document of its own.
type Stream struct {
	printer Printer
	columns []Column
	begun   bool
}

// NewStream begins a stream. Nothing is printed before the first item.
func NewStream(p Printer, columns []Column) *Stream { return &Stream{printer: p, columns: columns} }

// Write prints one item.
func (s *Stream) Write(item any, row []string) error {
	switch s.printer.Format {
	case JSON:
		return s.printer.document(item)
	case JSONL:
		return s.printer.line(item)
	}
	if !s.begun {
		s.begun = true
		headings := make([]string, len(s.columns))
		for i, c := range s.columns {
			headings[i] = c.Heading
		}
		if err := s.row(headings); err != nil {
			return err
		}
	}
	return s.row(row)
}

func (s *Stream) row(cells []string) error {
	var b strings.Builder
	for i, cell := range plainAll(cells) {
		b.WriteString(cell)
		if i < len(cells)-1 {
			b.WriteString(strings.Repeat(" ", max(s.columns[i].Width-utf8.RuneCountInString(cell), 0)+2))
		}
	}
	_, err := fmt.Fprintln(s.printer.Out, strings.TrimRight(b.String(), " "))
	return err
}

func (p Printer) document(v any) error {
	e := json.NewEncoder(p.Out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func (p Printer) line(v any) error {
	e := json.NewEncoder(p.Out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
