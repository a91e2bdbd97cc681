package pages_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
)

// toldWithoutWatching are destinations of notices of contoso. What they do with what is sent is package notice's.
type toldWithoutWatching struct {
	all, failed int
	tests       []string // ids
}

func (d *toldWithoutWatching) Destinations(tenant string) int {
	if tenant != "contoso" {
		return 0
	}
	return d.all
}

func (d *toldWithoutWatching) Test(_ context.Context, tenant, id string) (all, failed int) {
	d.tests = append(d.tests, id)
	return d.Destinations(tenant), d.failed
}

// A test goes to whoever is told, and the page says whether it arrived.
func TestNoticesAreTested(t *testing.T) {
	t.Parallel()
	w := contoso(t)
	w.as(admin)
	has(t, w.page("/tenants/contoso/settings"), "Nobody. The operator names")
	if a := w.post("/tenants/contoso/settings/notices/test", "key", "k"); a.status != http.StatusNotFound {
		t.Errorf("with nobody to tell: %d", a.status)
	}
	w.told.all = 3
	key := keyOf(t, w.page("/tenants/contoso/settings"), "/tenants/contoso/settings/notices/test")
	if a := w.post("/tenants/contoso/settings/notices/test", "key", key); a.status != http.StatusSeeOther {
		t.Errorf("sent: %d", a.status)
	}
	has(t, w.page("/tenants/contoso/settings?said=tested"), "A test was sent", "3 destinations are")
	w.told.failed = 1
	if a := w.post("/tenants/contoso/settings/notices/test", "key", key); a.status != http.StatusOK {
		t.Errorf("one failed: %d", a.status)
	} else {
		has(t, a.body, "1 destination has not taken the test, of 3")
	}
	if a := w.post("/tenants/contoso/settings/notices/test", "key", ""); a.status != http.StatusBadRequest {
		t.Errorf("without a key: %d", a.status)
	}
	if want := []string{"contoso.test." + key, "contoso.test." + key}; !slices.Equal(w.told.tests, want) {
		t.Errorf("sent %v, want %v", w.told.tests, want)
	}
}
