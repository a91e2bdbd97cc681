package problem_test

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/problem"
)

// TestTheTableOfCodes holds docs/api.md to the codes.
func TestTheTableOfCodes(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "<!-- problems -->\n")
	got, _, found := strings.Cut(rest, "<!-- /problems -->")
	codes := problem.Codes()
	slices.SortStableFunc(codes, func(a, b problem.Code) int { return cmp.Compare(a.Status(), b.Status()) })
	want := "| status | code | means |\n|---|---|---|\n"
	for _, c := range codes {
		want += fmt.Sprintf("| %d | `%s` | %s |\n", c.Status(), c, c.Title())
	}
	if !found || got != want {
		t.Errorf("the table of docs/api.md is not as the codes are; it should be\n%s", want)
	}
}
