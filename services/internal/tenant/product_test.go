package tenant_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
	"pgregory.net/rapid"

	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

func TestShippedProductsAreValid(t *testing.T) {
	t.Parallel()
	all := contoso()
	all.Products = tenant.Shipped()
	if err := all.Validate(); err != nil {
		t.Error(err)
	}
	for _, p := range tenant.Shipped() {
		if p.Group != "virtru-"+p.ID+"-provisioning-group" {
			t.Errorf("%s has the group %s", p.ID, p.Group)
		}
	}
}

func TestReadProducts(t *testing.T) {
	t.Parallel()
	got, err := tenant.ReadProducts([]byte(`
products:
  - id: vault
    name: Vault
    group: acme-vault
    licensed: [vault.open]
    active: [vault.read, vault.list-all]
  - {id: mail, name: Mail, group: acme-mail, licensed: [mail.send]}
`))
	want := []tenant.Product{
		{ID: "vault", Name: "Vault", Group: "acme-vault", Licensed: []string{"vault.open"}, Active: []string{"vault.read", "vault.list-all"}},
		{ID: "mail", Name: "Mail", Group: "acme-mail", Licensed: []string{"mail.send"}},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("(-want +got), %v:\n%s", err, diff)
	}
}

// TestProductsAreReadAsTheyAreWritten, whatever they are called.
func TestProductsAreReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := tenant.Shipped()
		for i := range want {
			want[i].Name = rapid.StringMatching(`[ -~äé€\x{202e}]{1,30}`).Draw(t, "name")
			want[i].Group += rapid.StringMatching(`[A-Za-z0-9._+-]{0,10}`).Draw(t, "group")
		}
		body, err := yaml.Marshal(map[string][]tenant.Product{"products": want})
		if err != nil {
			t.Fatal(err)
		}
		got, err := tenant.ReadProducts(body)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Fatalf("%v (-want +got):\n%s", err, diff)
		}
	})
}

func TestReadProductsTellsEveryFault(t *testing.T) {
	t.Parallel()
	for body, faults := range map[string][]string{
		"":             {"at least one product"},
		"products: []": {"at least one product"},
		"\tproducts":   {"no YAML"},
		"products: [{id: a, name: A, group: g, licensed: [a.b]}]\nprodcts: []": {"prodcts"},
		`
products:
  - {id: A B, name: "", group: g@contoso.com, licensed: [], owner: me}
  - {id: mail, name: Mail, group: g, licensed: [mail.send, send, mail.send], active: [mail.send]}
  - {id: mail, name: Mail, group: h, licensed: [mail.send]}
  - {id: drive, name: Drive, group: G, licensed: [drive.open]}
`: {
			"owner", `"A B": want as id`, `"A B": want a name`, `group "g@contoso.com"`, `"A B": want at least one action`,
			`action "send"`, `action "mail.send" is named twice`, `"mail": named twice`, `product "mail" has the group g already; nest`,
		},
	} {
		_, err := tenant.ReadProducts([]byte(body))
		if err == nil {
			t.Errorf("%q: no fault", body)
			continue
		}
		for _, part := range faults {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q: want %q: %v", body, part, err)
			}
		}
	}
}

func TestChangesAtTheSameTimeAllCount(t *testing.T) {
	t.Parallel()
	r := tenant.NewRegistry(bucket(t))
	ctx := t.Context()
	if err := r.Add(ctx, contoso()); err != nil {
		t.Fatal(err)
	}
	have := func(p tenant.Product) func(*tenant.Tenant) error {
		return func(t *tenant.Tenant) error { t.Products = append(t.Products, p); return nil }
	}
	calls := 0
	_, err := r.Change(ctx, "contoso", func(one *tenant.Tenant) error {
		if calls++; calls == 1 { // somebody else is faster
			if _, err := r.Change(ctx, "contoso", have(tenant.Drive())); err != nil {
				return err
			}
		}
		return have(tenant.Email())(one)
	})
	if err != nil || calls != 2 {
		t.Errorf("changed in %d goes, %v", calls, err)
	}
	stored, err := r.Get(ctx, "contoso")
	if diff := cmp.Diff([]tenant.Product{tenant.SecureShare(), tenant.Drive(), tenant.Email()}, stored.Products); diff != "" || err != nil {
		t.Errorf("products (-want +got), %v:\n%s", err, diff)
	}
}

func TestChangeKeepsWhatItMust(t *testing.T) {
	t.Parallel()
	r := tenant.NewRegistry(bucket(t))
	ctx := t.Context()
	if err := r.Add(ctx, contoso()); err != nil {
		t.Fatal(err)
	}
	boom := errors.New("boom")
	for want, do := range map[error]func(*tenant.Tenant) error{
		boom:                     func(t *tenant.Tenant) error { t.Disconnected = true; return boom },
		tenant.ErrDirectoryFixed: func(t *tenant.Tenant) error { t.DirectoryID = "other"; return nil },
	} {
		if _, err := r.Change(ctx, "contoso", do); !errors.Is(err, want) {
			t.Errorf("want %v: %v", want, err)
		}
	}
	if _, err := r.Change(ctx, "contoso", func(t *tenant.Tenant) error { t.Products = nil; return nil }); err == nil || !strings.Contains(err.Error(), "at least one") {
		t.Errorf("no product: %v", err)
	}
	if _, err := r.Change(ctx, "fabrikam", func(*tenant.Tenant) error { return nil }); !errors.Is(err, tenant.ErrNotFound) {
		t.Errorf("nobody: %v", err)
	}
	stored, err := r.Get(ctx, "contoso")
	if diff := cmp.Diff(contoso(), stored); diff != "" || err != nil {
		t.Errorf("changed after all (-want +got), %v:\n%s", err, diff)
	}
	changed, err := r.Change(ctx, "contoso", func(t *tenant.Tenant) error { t.Disconnected = true; return nil })
	if stored, _ = r.Get(ctx, "contoso"); err != nil || !changed.Disconnected || !stored.Disconnected {
		t.Errorf("disconnected: %+v, %v", stored, err)
	}
}
