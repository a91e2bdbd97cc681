package cli_test

import (
	"strings"
	"testing"
	"time"
)

// TestATenantIsDisconnectedAndErasedOverAServer, its licenses kept first and revoked then. An admin of another tenant does not see it.
func TestATenantIsDisconnectedAndErasedOverAServer(t *testing.T) {
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
	operator := h.visitor(t, "--role", "operator")
	erase := []string{"tenants", "erase", "contoso", "--confirm", "contoso"}
	if _, told, code := v.run(t, erase...); code != 1 || !strings.Contains(told, "(forbidden)") {
		t.Errorf("erase as an admin of it: %d %s", code, told)
	}
	if _, told, code := operator.run(t, erase...); code != 1 || !strings.Contains(told, "users hold licenses") {
		t.Errorf("erase while users hold licenses: %d %s", code, told)
	}
	v.must(t, disconnect("revoke")...)
	h.awaitLicensed(t, one, false, "disconnected")
	if out := h.must(t, "audit", "--tenant", "contoso"); !strings.Contains(out, "by token:") {
		t.Errorf("the audit does not tell who:\n%s", out)
	}
	if out := operator.must(t, erase...); !strings.Contains(out, "contoso is erased") {
		t.Errorf("erase: %s", out)
	}
	if out := h.must(t, "tenants", "list", "-o", "jsonl"); out != "" {
		t.Errorf("tenants list:\n%s", out)
	}
}

// TestProductsOverAServer are listed and changed as without one.
func TestProductsOverAServer(t *testing.T) {
	t.Parallel()
	h := open(t, 50*time.Millisecond)
	h.connect(t)
	v := h.visitor(t, "--role", "tenant-admin", "--tenant", "contoso")
	one := h.active(t)[0]
	file := fileOf(t, "products:\n- {id: vault, name: Vault, group: acme-vault, licensed: [vault.open], active: [vault.read]}\n")
	products := []string{"tenants", "products", "contoso"}
	out := v.must(t, append(products, "--add", "drive", "--products-file", file, "-o", "json")...)
	if listed := v.must(t, append(products, "-o", "json")...); listed != out || !strings.Contains(out, "acme-vault@contoso.com") {
		t.Errorf("changed:\n%s\nlisted:\n%s", out, listed)
	}
	h.same(t, v, nil, products...)
	eventually(t, "somebody is licensed for the new product", func() bool {
		_, _, code := h.run(t, "check", "--tenant", "contoso", "--user", one, "--product", "vault", "--action", "vault.open")
		return code == 0
	})
	v.must(t, append(products, "--remove", "vault")...)
	h.same(t, v, nil, products...)
	for says, args := range map[string][]string{
		"(no-such-product)": {"--remove", "nothing"},
		"(last-product)":    {"--remove", "secure-share,drive"},
		"(invalid-request)": {"--products-file", fileOf(t, "products:\n- {id: crypt, name: Crypt, group: virtru-drive-provisioning-group, licensed: [crypt.open]}\n")},
	} {
		if _, told, code := v.run(t, append(products, args...)...); code != 1 || !strings.Contains(told, says) {
			t.Errorf("%v: %d %s", args, code, told)
		}
	}
}
