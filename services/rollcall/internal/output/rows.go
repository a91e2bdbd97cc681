package output

import (
	"bufio"
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// Field is one column of a list that is too long to hold.
type Field[T any] struct {
	Name  string         // in CSV; a table has it in capitals, without underscores
	Width int            // in a table; longer values push the rest of the line
	Cell  func(T) string // in a table; nil: not there
	Value func(T) string // in CSV; nil: not there
}

// Rows prints a list while its items are still coming, in any format: a JSON array, or a document that ends in one, is the
// same as if it had been printed at once.
type Rows[T any] struct {
	printer Printer
	fields  []Field[T]
	head    any
	key     string
	out     *bufio.Writer
	csv     csvWriter
	n       int
}

// NewRows begins a list.
func NewRows[T any](p Printer, fields []Field[T]) *Rows[T] {
	out := bufio.NewWriterSize(p.Out, 1<<16)
	return &Rows[T]{printer: p, fields: fields, out: out, csv: newCSV(out)}
}

// Within makes a JSON document the list's: that of head, with the list as its last member. Other formats print the list
// alone.
func (r *Rows[T]) Within(head any, key string) *Rows[T] {
	r.head, r.key = head, key
	return r
}

// Write prints one item.
func (r *Rows[T]) Write(item T) error {
	defer func() { r.n++ }()
	switch r.printer.Format {
	case JSON:
		return r.element(item)
	case JSONL:
		return Printer{Out: r.out}.line(item)
	}
	if r.n == 0 {
		r.headings()
	}
	if r.printer.Format == CSV {
		r.csv.write(r.cells(func(f Field[T]) func(T) string { return f.Value }, item))
		return nil
	}
	r.line(r.cells(func(f Field[T]) func(T) string { return f.Cell }, item))
	return nil
}

// Close ends the list, and says whether all of it was printed. It is called also where the items broke off.
func (r *Rows[T]) Close() error {
	if r.printer.Format == JSON {
		if err := r.end(); err != nil {
			return err
		}
	} else if r.n == 0 && r.printer.Format != JSONL {
		r.headings()
	}
	if err := r.csv.flush(); err != nil {
		return err
	}
	return r.out.Flush()
}

func (r *Rows[T]) cells(column func(Field[T]) func(T) string, item T) (cells []string) {
	for _, f := range r.fields {
		if text := column(f); text != nil {
			cells = append(cells, text(item))
		}
	}
	return cells
}

func (r *Rows[T]) headings() {
	var names []string
	for _, f := range r.fields {
		switch {
		case r.printer.Format == CSV && f.Value != nil:
			names = append(names, f.Name)
		case r.printer.Format != CSV && f.Cell != nil:
			names = append(names, strings.ToUpper(strings.ReplaceAll(f.Name, "_", " ")))
		}
	}
	if r.printer.Format == CSV {
		r.csv.write(names)
		return
	}
	r.line(names)
}

// line writes one line of a table. An error stays in the writer until Close.
func (r *Rows[T]) line(cells []string) {
	cells = plainAll(cells)
	i, end := 0, 0 // end is behind the last cell that is not empty
	for n, cell := range cells {
		if cell != "" {
			end = n + 1
		}
	}
	for _, f := range r.fields {
		if f.Cell == nil || i >= end {
			continue
		}
		_, _ = r.out.WriteString(cells[i])
		if i < end-1 {
			_, _ = r.out.WriteString(strings.Repeat(" ", max(f.Width-utf8.RuneCountInString(cells[i]), 0)+2))
		}
		i++
	}
	_ = r.out.WriteByte('\n')
}

func (r *Rows[T]) element(item T) error {
	before, indent := ",\n", r.indent()
	if r.n == 0 {
		before = "[\n"
		if err := r.begin(); err != nil {
			return err
		}
	}
	_, _ = r.out.WriteString(before + indent)
	body, err := indented(item, indent)
	if err != nil {
		return err
	}
	_, err = r.out.Write(body)
	return err
}

func (r *Rows[T]) indent() string {
	if r.head == nil {
		return "  "
	}
	return "    "
}

// begin writes the head up to where the list stands in it.
func (r *Rows[T]) begin() error {
	if r.head == nil {
		return nil
	}
	body, err := indented(r.head, "")
	if err != nil {
		return err
	}
	body = bytes.TrimSuffix(body, []byte("}"))
	body = bytes.TrimRight(body, "\n")
	if len(body) > 1 {
		body = append(body, ',')
	}
	_, err = r.out.WriteString(string(body) + "\n  \"" + r.key + "\": ")
	return err
}

func (r *Rows[T]) end() error {
	tail := "\n" + strings.TrimSuffix(r.indent(), "  ") + "]"
	if r.n == 0 {
		if err := r.begin(); err != nil {
			return err
		}
		tail = "[]"
	}
	if r.head != nil {
		tail += "\n}"
	}
	_, err := r.out.WriteString(tail + "\n")
	return err
}

func indented(v any, prefix string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent(prefix, "  ")
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}
