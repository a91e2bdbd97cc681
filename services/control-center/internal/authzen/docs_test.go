package authzen_test

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/centertest"
)

// TestTheExampleOfTheDocument is answered as docs/api.md says.
func TestTheExampleOfTheDocument(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "## May this user?")
	_, rest, _ = strings.Cut(rest, " -d '")
	asked, rest, found := strings.Cut(rest, "'")
	_, rest, _ = strings.Cut(rest, "```json\n")
	told, _, _ := strings.Cut(rest, "```")
	if !found {
		t.Fatal("docs/api.md has no example")
	}
	var want, got any
	if err := json.Unmarshal([]byte(told), &want); err != nil {
		t.Fatal(err)
	}
	newHouse(t).Do(centertest.Checker, http.MethodPost, one, asked).JSON(t, &got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-docs/api.md +answer):\n%s", diff)
	}
}
