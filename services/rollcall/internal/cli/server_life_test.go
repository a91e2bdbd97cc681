package cli_test

import (
	"strings"
	"testing"
	"time"
)

// TestATenantIsDisconnectedOverAServer, its licenses kept first and revoked then. An admin of another tenant does not see it.
func TestATenantIsDisconnectedOverAServer(t *testing.T) {
	t.Parallel()
	h := open(t, 50*time.Millisecond)
	h.connect(t)
	v, stranger := h.visitor(t, "--role", "tenant-admin", "--tenant", "contoso"), h.visitor(t, "--role", "tenant-admin", "--tenant", "fabrikam")
	one := h.active(t)[0]
	disconnect := func(licenses string) []string {
		return []string{"tenants", "disconnect", "contoso", "--licenses", licenses, "--key", "ticket-" + licenses}
	}
	if _, told, code := stranger.run(t, disconnect("keep")...); code != 1 || !strings.Contains(told, "(no-such-tenant)") {
		t.Errorf("of a tenant that one may not see: %d %s", code, told)
	}
	for range 2 {
		if out := v.must(t, disconnect("keep")...); !strings.Contains(out, "contoso is disconnected: its licenses stand as they were") {
			t.Errorf("%s", out)
		}
	}
	if out := h.must(t, "tenants", "show", "contoso"); !strings.Contains(out, "DISCONNECTED") {
		t.Errorf("the registry does not have it:\n%s", out)
	}
	if !h.licensed(t, one) {
		t.Error("its licenses are not kept")
	}
	v.must(t, disconnect("revoke")...)
	h.awaitLicensed(t, one, false, "disconnected")
	if out := h.must(t, "audit", "--tenant", "contoso"); !strings.Contains(out, "by token:") {
		t.Errorf("the audit does not tell who:\n%s", out)
	}
}
