package output_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
)

var fields = []output.Field[item]{
	{Name: "full_name", Width: 6, Cell: func(i item) string { return i.Name }, Value: func(i item) string { return i.Name }},
	{Name: "why", Cell: func(i item) string { return i.Why }},
	{Name: "reason", Value: func(i item) string { return i.Why }},
}

// rows prints items as they come.
func rows(t *testing.T, format output.Format, head any, all ...item) string {
	t.Helper()
	var out bytes.Buffer
	r := output.NewRows(output.Printer{Out: &out, Format: format}, fields)
	if head != nil {
		r.Within(head, "users")
	}
	for _, i := range all {
		if err := r.Write(i); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestRows(t *testing.T) {
	t.Parallel()
	for format, want := range map[output.Format]string{
		output.Table: "FULL NAME  WHY\nada     a <member>\ngrace-hopper  guest\n",
		output.CSV:   "full_name,reason\nada,a <member>\ngrace-hopper,guest\n",
		output.JSONL: `{"name":"ada","why":"a <member>"}` + "\n" + `{"name":"grace-hopper","why":"guest"}` + "\n",
	} {
		if diff := cmp.Diff(want, rows(t, format, nil, items...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", format, diff)
		}
	}
	for format, want := range map[output.Format]string{output.Table: "FULL NAME  WHY\n", output.CSV: "full_name,reason\n", output.JSON: "[]\n", output.JSONL: ""} {
		if got := rows(t, format, nil); got != want {
			t.Errorf("no items as %s: %q", format, got)
		}
	}
}

// TestRowsAreTheDocument holds JSON that is printed item by item to what is printed at once.
func TestRowsAreTheDocument(t *testing.T) {
	t.Parallel()
	type head struct {
		Held     string `json:"held"`
		Revision int    `json:"revision"`
	}
	type whole struct {
		head
		Users []item `json:"users"`
	}
	for _, all := range [][]item{{}, items[:1], items} {
		var want bytes.Buffer
		p := output.Printer{Out: &want, Format: output.JSON}
		if err := output.List(p, nil, all, row); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.String(), rows(t, output.JSON, nil, all...)); diff != "" {
			t.Errorf("%d items (-want +got):\n%s", len(all), diff)
		}
		for _, h := range []head{{}, {"flip-7", 2}} {
			want.Reset()
			if err := output.One(p, whole{h, all}, nil); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.String(), rows(t, output.JSON, h, all...)); diff != "" {
				t.Errorf("%d items in a document (-want +got):\n%s", len(all), diff)
			}
		}
		want.Reset()
		if err := output.One(p, struct {
			Users []item `json:"users"`
		}{all}, nil); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.String(), rows(t, output.JSON, struct{}{}, all...)); diff != "" {
			t.Errorf("%d items in an empty document (-want +got):\n%s", len(all), diff)
		}
	}
}

// TestCSVIsNoFormula: a name may be anything, and an auditor opens the file in a spreadsheet.
func TestCSVIsNoFormula(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Ada Lovelace":               "Ada Lovelace",
		"ada@contoso.com":            "ada@contoso.com",
		"2026-11-22":                 "2026-11-22",
		"=HYPERLINK(\"http://x\")":   "'=HYPERLINK(\"http://x\")",
		"+1 555":                     "'+1 555",
		"-2+3":                       "'-2+3",
		"@SUM(A1)":                   "'@SUM(A1)",
		"\t=1":                       "'\t'=1",
		"\r=1":                       "'\r'=1",
		"\n=1":                       "'\n'=1",
		"＝1":                         "'＝1",
		" =1":                        " '=1",
		"\"=1":                       "\"'=1",
		"x;=1":                       "x;'=1", // a semicolon parts cells in half of Europe
		"x, -1":                      "x, '-1",
		"two\nlines":                 "two\nlines",
		"a \"quoted\" one, and more": "a \"quoted\" one, and more",
	} {
		printed := rows(t, output.CSV, nil, item{Name: name, Why: name})
		read, err := csv.NewReader(bytes.NewBufferString(printed)).ReadAll()
		if err != nil || len(read) != 2 {
			t.Errorf("%q: %v %q", name, err, printed)
			continue
		}
		if read[1][0] != want || read[1][1] != want {
			t.Errorf("%q is %q, want %q", name, read[1], want)
		}
	}
}

// TestTablesSteerNoTerminal: escape sequences in a name stay text, and a name is on one line.
func TestTablesSteerNoTerminal(t *testing.T) {
	t.Parallel()
	evil := item{Name: "\x1b]0;owned\x07\u009b2J\nadmin", Why: "yes"}
	const clean = "\ufffd]0;owned\ufffd\ufffd2J\ufffdadmin"
	var list, stream, one bytes.Buffer
	if err := output.List(output.Printer{Out: &list, Format: output.Table}, []string{"A", "B"}, []item{evil}, row); err != nil {
		t.Fatal(err)
	}
	s := output.NewStream(output.Printer{Out: &stream, Format: output.Table}, []output.Column{{"A", 0}, {"B", 0}})
	if err := s.Write(evil, row(evil)); err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]string{"list": list.String(), "stream": stream.String(), "rows": rows(t, output.Table, nil, evil)} {
		if !bytes.Contains([]byte(got), []byte(clean)) {
			t.Errorf("%s: %q", name, got)
		}
	}
	err := output.One(output.Printer{Out: &one, Format: output.Table}, evil, func(i item) string { return "a\tb\n" + i.Name + "\n" })
	if err != nil || one.String() != "a\tb\n\ufffd]0;owned\ufffd\ufffd2J\nadmin\n" {
		t.Errorf("one: %q, %v", one.String(), err)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("nobody reads") }

func TestRowsSayWhenNobodyReads(t *testing.T) {
	t.Parallel()
	for _, format := range []output.Format{output.Table, output.CSV, output.JSON, output.JSONL} {
		r := output.NewRows(output.Printer{Out: broken{}, Format: format}, fields)
		_ = r.Write(items[0])
		if err := r.Close(); err == nil {
			t.Errorf("%s: no error", format)
		}
	}
}
