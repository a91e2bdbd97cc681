package pages_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/connect"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// selling is contoso, with a receiver, an admin who asks, and two products.
func selling(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.house("contoso", tenant.SecureShare(), tenant.Drive())
	w.receives(directory.Entra, connect.Shown{})
	w.as(admin)
	return w
}

// ids are the products that the registry has.
func (w *world) ids() (all []string) {
	for _, p := range w.stored("contoso").Products {
		all = append(all, p.ID)
	}
	return all
}

const settingsPath = "/tenants/contoso/settings"

// saved wants a form to have been obeyed.
func (w *world) saved(path string, fields ...string) {
	w.t.Helper()
	if a := w.post(settingsPath+path, fields...); a.status != http.StatusSeeOther || a.header.Get("Location") != settingsPath+"?said=done" {
		w.t.Errorf("%s: %d to %q\n%s", path, a.status, a.header.Get("Location"), plain(a.body))
	}
}

func TestProductsAreChanged(t *testing.T) {
	t.Parallel()
	w := selling(t)
	has(t, w.page(settingsPath), "Add Email", "With another group nothing changes before all of its members are known; then the change is held until somebody approves it.", "Remove Drive")
	for range 2 { // the same form again is answered alike
		w.saved("/products/add", "product", "email")
	}
	for range 2 {
		w.saved("/products/remove", "product", "drive")
	}
	w.saved("/products", "product", "vault", "name", `Vault: "Gold" <1>`, "group", "acme-vault", "licensed", " vault.open  vault.close ", "active", "")
	share := tenant.SecureShare()
	share.Group = "sharers"
	w.saved("/products", "product", "secure-share", "name", share.Name, "group", "sharers", "licensed", "share.initiate request.initiate", "active", "share.receive request.respond")
	want := []tenant.Product{share, tenant.Email(), {ID: "vault", Name: `Vault: "Gold" <1>`, Group: "acme-vault", Licensed: []string{"vault.open", "vault.close"}, Active: []string{}}}
	if diff := cmp.Diff(want, w.stored("contoso").Products); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	has(t, w.page(settingsPath), "sharers@contoso.com", "No longer products", "Add Drive", "Vault: &#34;Gold&#34; &lt;1&gt;")
}

func TestProductsThatCannotBe(t *testing.T) {
	t.Parallel()
	w := selling(t)
	before := w.stored("contoso").Products
	form := func(change ...string) []string {
		fields := []string{"product", "vault", "name", "Vault", "group", "acme-vault", "licensed", "vault.open"}
		for i := 0; i < len(change); i += 2 {
			fields[slices.Index(fields, change[i])+1] = change[i+1]
		}
		return fields
	}
	for says, fields := range map[string][]string{
		"has the group":                 form("group", tenant.Drive().Group),
		"without @":                     form("group", "acme@contoso.com"),
		"Want as id":                    form("product", "Vault 1"),
		"Want a name":                   form("name", " "),
		"Want at least one action":      form("licensed", " "),
		"want words of a-z, 0-9":        form("licensed", "everything"),
		"&#34;vault.open&#34; is named": form("licensed", "vault.open vault.open"),
	} {
		a := w.post(settingsPath+"/products", fields...)
		if a.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", says, a.status)
		}
		has(t, a.body, "It was not done", says)
	}
	for path, product := range map[string]string{"/products/add": "vault", "/products/remove": "vault"} {
		if a := w.post(settingsPath+path, "product", product); a.status != http.StatusNotFound {
			t.Errorf("%s of what there is not: %d", path, a.status)
		}
	}
	w.as(auditor)
	for path, fields := range map[string][]string{"/products": form(), "/products/add": {"product", "email"}, "/products/remove": {"product", "drive"}} {
		if a := w.post(settingsPath+path, fields...); a.status != http.StatusForbidden {
			t.Errorf("%s as an auditor: %d", path, a.status)
		}
	}
	lacks(t, w.page(settingsPath), "Remove Drive", "Add Email", "Another product")
	if diff := cmp.Diff(before, w.stored("contoso").Products); diff != "" {
		t.Errorf("something was changed all the same (-want +got):\n%s", diff)
	}
	w.as(admin)
	w.saved("/products/remove", "product", "drive")
	has(t, w.page(settingsPath), "It is the only product")
	has(t, w.post(settingsPath+"/products/remove", "product", "secure-share").body, "A tenant has at least one product.")
	if diff := cmp.Diff([]string{"secure-share"}, w.ids()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What somebody has typed stays in its form, open, with what is wrong at each field; the other forms show what is stored.
func TestWhatWasTypedStays(t *testing.T) {
	t.Parallel()
	w := selling(t)
	own := w.post(settingsPath+"/products", "form", "own.", "product", "drive", "name", "Vault <2>", "group", "acme@contoso.com", "licensed", "vault.open Vault", "active", "vault")
	has(t, own.body, "What is wrong is said at each field.", `<details id="own" open>`, `name="product" required pattern="[a-z0-9\-]{1,40}" autocomplete="off" value="drive"`,
		`value="Vault &lt;2&gt;">`, `value="acme@contoso.com" aria-describedby="group-hint-own." aria-invalid="true" autofocus`,
		`value="vault.open Vault" aria-describedby="licensed-hint-own." aria-invalid="true"`, `value="vault" aria-describedby="active-hint-own." aria-invalid="true"`,
		`<details id="change-drive">`, `value="Drive"`)
	other := w.post(settingsPath+"/products", "product", "drive", "name", "", "group", "drivers", "licensed", "drive.open", "active", "")
	has(t, other.body, `<details id="change-drive" open>`, `<details id="own">`, `<details id="change-secure-share">`, "Want a name of at most 100 letters.",
		`aria-describedby="name-hint-drive" aria-invalid="true"`, `value="drivers" aria-describedby="group-hint-drive">`, `value="drive.open"`)
	if own.status != http.StatusUnprocessableEntity || other.status != http.StatusUnprocessableEntity {
		t.Errorf("%d, %d", own.status, other.status)
	}
	// One that was removed meanwhile can still be had.
	w.saved("/products/remove", "product", "drive")
	gone := w.post(settingsPath+"/products", "product", "drive", "name", "", "group", "drivers", "licensed", "drive.open", "active", "")
	has(t, gone.body, `<details id="own" open>`, `value="drivers"`)
}

// Without a receiver nothing is changed, and the page says whom to tell.
func TestProductsWithoutAReceiver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.house("contoso", tenant.SecureShare())
	a := w.post(settingsPath+"/products/add", "product", "email")
	has(t, a.body, "none for this kind runs at the moment", "Tell whoever runs Rollcall")
	if a.status != http.StatusConflict || len(w.ids()) != 1 {
		t.Errorf("%d, %v", a.status, w.ids())
	}
	typed := w.post(settingsPath+"/products", "product", "vault", "name", "Vault", "group", "acme-vault", "licensed", "vault.open", "active", "")
	has(t, typed.body, "none for this kind runs at the moment", `<details id="own" open>`, `value="acme-vault"`)
}
