package pages_test

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// Whoever saves the form as it is changes nothing, whatever was set elsewhere.
func TestWhatWaitsIsSavedAsItIs(t *testing.T) {
	t.Parallel()
	w := contoso(t)
	seen := w.obeyed("contoso", done)
	value := regexp.MustCompile(`name="hours"[^>]* value="([^"]+)"`)
	for i, seconds := range []int{60, 61, 1800, 3600, 5399, 5400, 259200, 604801, 315360000} {
		w.tenant("contoso", func(t *ledger.Tenant) { t.Hold.Expiry = time.Duration(seconds) * time.Second })
		m := value.FindStringSubmatch(w.page("/tenants/contoso/settings"))
		if m == nil {
			t.Fatal("no hours")
		}
		a := w.post("/tenants/contoso/settings/hold", "key", "k"+strconv.Itoa(i), "flips", "hold", "share", "20", "least", "5", "hours", m[1])
		if want := `"expiry_seconds":` + strconv.Itoa(seconds) + "}"; a.status != http.StatusSeeOther || !strings.Contains(<-seen, want) {
			t.Errorf("%d seconds are shown as %s hours: %d", seconds, m[1], a.status)
		}
	}
}
