package output_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
)

type item struct {
	Name string `json:"name"`
	Why  string `json:"why"`
}

var (
	items = []item{{"ada", "a <member>"}, {"grace-hopper", "guest"}}
	row   = func(i item) []string { return []string{i.Name, i.Why} }
)

func TestList(t *testing.T) {
	t.Parallel()
	for format, want := range map[output.Format]string{
		output.Table: "NAME           WHY\nada            a <member>\ngrace-hopper   guest\n",
		output.JSONL: `{"name":"ada","why":"a <member>"}` + "\n" + `{"name":"grace-hopper","why":"guest"}` + "\n",
		output.JSON: "[\n  {\n    \"name\": \"ada\",\n    \"why\": \"a <member>\"\n  },\n" +
			"  {\n    \"name\": \"grace-hopper\",\n    \"why\": \"guest\"\n  }\n]\n",
	} {
		var out bytes.Buffer
		if err := output.List(output.Printer{Out: &out, Format: format}, []string{"NAME", "WHY"}, items, row); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", format, diff)
		}
	}
	var out bytes.Buffer
	p := output.Printer{Out: &out, Format: output.CSV}
	if err := output.List(p, []string{"NAME", "AND WHY"}, items, row); err != nil || out.String() != "name,and_why\nada,a <member>\ngrace-hopper,guest\n" {
		t.Errorf("csv: %q, %v", out.String(), err)
	}
	out.Reset()
	if err := output.List(output.Printer{Out: &out, Format: output.JSON}, nil, []item(nil), row); err != nil || out.String() != "[]\n" {
		t.Errorf("no items: %q, %v", out.String(), err)
	}
}

func TestStreamKeepsColumns(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	s := output.NewStream(output.Printer{Out: &out, Format: output.Table}, []output.Column{{"NAME", 6}, {"WHY", 0}})
	for _, i := range items {
		if err := s.Write(i, row(i)); err != nil {
			t.Fatal(err)
		}
	}
	want := "NAME    WHY\nada     a <member>\ngrace-hopper  guest\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOneAndFormats(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	text := func(i item) string { return i.Name + "!\n" }
	for _, f := range []output.Format{output.Table, output.JSONL} {
		if err := output.One(output.Printer{Out: &out, Format: f}, items[0], text); err != nil {
			t.Fatal(err)
		}
	}
	if want := "ada!\n" + `{"name":"ada","why":"a <member>"}` + "\n"; out.String() != want {
		t.Errorf("got %q", out.String())
	}
	if _, err := output.ParseFormat("xml"); err == nil {
		t.Error("xml was accepted")
	}
}
