package pages_test

import (
	"net/http"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/licensing"
)

func TestAnOpenPageIsToldOfChanges(t *testing.T) {
	t.Parallel()
	w := contoso(t)
	w.house("fabrikam")
	w.put("fabrikam", person("ann", "Ann of Fabrikam"))
	s := w.open("/tenants/contoso/live?mark=old")
	if s.status != http.StatusOK {
		t.Fatalf("%d", s.status)
	}
	if first := s.next(); first != "resync" { // the page was made before the process
		t.Errorf("first %q", first)
	}
	w.decide("fabrikam", "secure-share", decided{user: "ann", licensed: true, reason: licensing.DomainDefault})
	w.decide("contoso", "secure-share", decided{user: "bob", licensed: true, reason: licensing.DomainDefault})
	if name := s.next(); name != "license" {
		t.Errorf("told %q", name)
	}
}
