package cli_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestATenantIsDisconnectedConnectedAgainAndErased(t *testing.T) {
	t.Parallel()
	h := open(t, 50*time.Millisecond)
	h.connect(t)
	all := h.active(t)
	if _, stderr, code := h.run(t, "tenants", "erase", "contoso", "--confirm", "contoso"); code != 1 || !strings.Contains(stderr, "is connected: disconnect it before") {
		t.Errorf("erase a connected tenant: %d %s", code, stderr)
	}
	if _, stderr, code := h.run(t, h.adding(t)...); code != 1 || !strings.Contains(stderr, "exists already") {
		t.Errorf("add a connected tenant: %d %s", code, stderr)
	}

	h.must(t, "tenants", "disconnect", "contoso", "--licenses", "keep", "--by", "ada")
	if out := h.must(t, "explain", "--tenant", "contoso", "--user", all[0]); !strings.Contains(out, "is licensed") || !strings.Contains(out, "contoso is DISCONNECTED: its directory is not followed, and its licenses are kept.") {
		t.Errorf("explain:\n%s", out)
	}
	if out := h.must(t, "tenants", "list"); !strings.Contains(out, "DISCONNECTED") {
		t.Errorf("tenants list:\n%s", out)
	}
	if _, stderr, code := h.run(t, "tenants", "erase", "contoso", "--confirm", "contoso"); code != 1 || !strings.Contains(stderr, "refused: users hold licenses") {
		t.Errorf("erase while users hold licenses: %d %s", code, stderr)
	}
	elsewhere := h.adding(t)
	elsewhere[slices.Index(elsewhere, h.directory)] = "00000000-0000-4000-8000-000000000000"
	if _, stderr, code := h.run(t, elsewhere...); code != 1 || !strings.Contains(stderr, "exists already") {
		t.Errorf("another directory under the name: %d %s", code, stderr)
	}

	if out := h.must(t, h.adding(t)...); !strings.Contains(out, "connected again") || strings.Contains(out, "DISCONNECTED") {
		t.Errorf("connect again:\n%s", out)
	}
	h.must(t, "refresh", "--tenant", "contoso")
	h.awaitTruth(t)
	if out := h.must(t, "tenants", "list"); !strings.Contains(out, "followed") {
		t.Errorf("tenants list:\n%s", out)
	}

	h.must(t, "tenants", "disconnect", "contoso", "--licenses", "revoke")
	h.awaitLicensed(t, all[0], false, "disconnected")
	out, stderr, code := h.typing(t, "contoso\n", "tenants", "erase", "contoso", "--by", "ada")
	if code != 0 || !strings.Contains(out, "contoso is erased") || !strings.Contains(stderr, "Type its name") {
		t.Fatalf("erase: %d %s\n%s", code, stderr, out)
	}
	if out := h.must(t, "tenants", "list", "-o", "jsonl"); out != "" {
		t.Errorf("tenants list:\n%s", out)
	}
	if _, stderr, code := h.run(t, "explain", "--tenant", "contoso", "--user", all[0]); code != 1 || strings.Contains(stderr, all[0]) {
		t.Errorf("explain somebody who is forgotten: %d %s", code, stderr)
	}
	h.connect(t) // as any new one
	if !h.licensed(t, all[0]) {
		t.Error("not licensed after the tenant was connected as a new one")
	}
}

func TestSettingsSayWhatIsHeld(t *testing.T) {
	t.Parallel()
	h := open(t, 50*time.Millisecond)
	h.connect(t)
	type settings struct {
		Hold struct {
			Flips         string
			Share, Least  int
			ExpirySeconds int `json:"expiry_seconds"`
		}
	}
	shown := func() settings { return ask[settings](t, h, "tenants", "settings", "contoso") }
	if s := shown(); s.Hold.Flips != "hold" || s.Hold.Share != 20 || s.Hold.Least != 5 || s.Hold.ExpirySeconds != 7*24*3600 {
		t.Errorf("as they are at first: %+v", s)
	}
	h.must(t, "tenants", "settings", "contoso", "--hold-share", "30", "--hold-least=7", "--hold-expiry", "72h", "--by", "ada")
	if s := shown(); s.Hold.Flips != "hold" || s.Hold.Share != 30 || s.Hold.Least != 7 || s.Hold.ExpirySeconds != 72*3600 {
		t.Errorf("changed: %+v", s)
	}
	h.must(t, "tenants", "settings", "contoso", "--never-hold")
	if out := h.must(t, "tenants", "settings", "contoso"); !strings.Contains(out, "take effect once they have settled") || !strings.Contains(out, "are never held") {
		t.Errorf("never hold:\n%s", out)
	}
	one := h.someone(t)
	h.must(t, "simulate", "add-group")
	h.must(t, "simulate", "add-member", one)
	h.awaitLicensed(t, one, true, "group-member") // by itself
	h.awaitTruth(t)
	if out := h.must(t, "audit", "--tenant", "contoso"); !strings.Contains(out, "revocations: held over 30 % and from 7, expiry: 72h0m0s by ada") {
		t.Errorf("the audit tells nothing of the settings:\n%s", out)
	}
}

// TestProductsHaveGroupsOfTheirOwn connects a tenant with three products, and changes them.
func TestProductsHaveGroupsOfTheirOwn(t *testing.T) {
	t.Parallel()
	h := open(t, 50*time.Millisecond)
	file := filepath.Join(t.TempDir(), "products.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("products:\n- {id: vault, name: Vault, group: acme-vault, licensed: [vault.open], active: [vault.read]}\n")
	h.connect(t, "--product", "secure-share", "--product", "drive", "--products-file", file)
	one := h.someone(t)
	for product, action := range map[string]string{"secure-share": "share.initiate", "drive": "drive.initiate", "vault": "vault.open"} {
		eventually(t, "all are licensed for "+product, func() bool {
			_, _, code := h.run(t, "check", "--tenant", "contoso", "--user", one, "--product", product, "--action", action)
			return code == 0
		})
	}
	if _, stderr, code := h.run(t, "check", "--tenant", "contoso", "--user", one); code != 2 || !strings.Contains(stderr, "has 3 products") {
		t.Errorf("which product: %d %s", code, stderr)
	}
	groups := func(args ...string) (all []string) {
		t.Helper()
		for _, p := range ask[[]struct{ Product, Group string }](t, h, append([]string{"tenants", "products", "contoso"}, args...)...) {
			all = append(all, p.Product+" "+p.Group)
		}
		return all
	}
	const shared, drive = "secure-share " + address, "drive virtru-drive-provisioning-group@contoso.com"
	if got, want := groups(), []string{shared, drive, "vault acme-vault@contoso.com"}; !slices.Equal(got, want) {
		t.Errorf("products: %q", got)
	}
	write("products:\n- {id: vault, name: Vault, group: acme-safe, licensed: [vault.open]}\n")
	if got, want := groups("--remove", "drive", "--add", "email", "--products-file", file), []string{shared, "vault acme-safe@contoso.com", "email virtru-email-provisioning-group@contoso.com"}; !slices.Equal(got, want) {
		t.Errorf("changed: %q", got)
	}
	write("products:\n- {id: crypt, name: Crypt, group: acme-SAFE, licensed: [crypt.open]}\n")
	for says, args := range map[string][]string{
		`"vault" has the group acme-safe already`: {"--products-file", file},
		`has no product "drive"`:                  {"--remove", "drive"},
		"at least one":                            {"--remove", "secure-share,vault,email"},
	} {
		if _, stderr, code := h.run(t, append([]string{"tenants", "products", "contoso"}, args...)...); code != 1 || !strings.Contains(stderr, says) {
			t.Errorf("%v: %d %s", args, code, stderr)
		}
	}
	if out := h.must(t, "tenants", "products", "contoso", "-o", "csv"); !strings.HasPrefix(out, "tenant,product,name,group,licensed,active\n") {
		t.Errorf("csv:\n%s", out)
	}
}
