package connect_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/connect"
	"github.com/rollcall-hq/rollcall/services/internal/erase"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// holding is a house whose registry has northwind, of Entra, and initech, of Google: the receiver that answers is Entra's.
func holding(t *testing.T) *house {
	t.Helper()
	h := open(t, connect.Application{}) // to change what is stored none is needed
	initech := stored(connect.Wanted{Tenant: "initech", Provider: directory.GoogleWorkspace, DirectoryID: "C03az79cb"}, false)
	initech.Credential = tenant.Credential{Kind: tenant.GoogleImpersonation, ServiceAccount: "reader@vendor.iam.gserviceaccount.com", Subject: "admin@initech.com"}
	for _, one := range []tenant.Tenant{stored(northwind(), false), initech} {
		if err := h.registry.Add(t.Context(), one); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// has is what is stored of a tenant.
func (h *house) has(id string) tenant.Tenant {
	h.t.Helper()
	one, err := h.registry.Get(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return one
}

func TestATenantIsDisconnected(t *testing.T) {
	t.Parallel()
	h := holding(t)
	want := h.has("northwind")
	want.Disconnected = true
	for range 2 { // the same again is done alike
		if err := h.client.Disconnect(t.Context(), directory.Entra, connect.Disconnect{Tenant: "northwind", By: "ada"}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, h.has("northwind")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	if !strings.Contains(h.said(), "tenant=northwind by=ada") {
		t.Errorf("the log does not tell who: %s", h.said())
	}
}

// What is changed is a tenant of the receiver's own provider, and nothing else that the registry has.
func TestOnlyTenantsOfTheProviderAreChanged(t *testing.T) {
	t.Parallel()
	h := holding(t)
	if _, err := h.registry.Change(t.Context(), "initech", tenant.Disconnect); err != nil { // it could be erased
		t.Fatal(err)
	}
	before := h.has("initech")
	for name, c := range map[string]struct {
		tenant, by string
		want       error
	}{
		"of another provider":    {"initech", "ada", connect.ErrNoTenant},
		"none":                   {"fabrikam", "ada", connect.ErrNoTenant},
		"a claim of a directory": {"directory.entra." + northwindID, "ada", connect.ErrInvalid},
		"no name":                {"", "ada", connect.ErrInvalid},
		"nobody asks":            {"northwind", "", connect.ErrInvalid},
		"an address asks":        {"northwind", "ada@northwind.com", connect.ErrInvalid},
	} {
		if err := h.client.Disconnect(t.Context(), directory.Entra, connect.Disconnect{Tenant: c.tenant, By: c.by}); !errors.Is(err, c.want) {
			t.Errorf("%s: disconnect: %v, want %v", name, err, c.want)
		}
		if _, err := h.client.ChangeProducts(t.Context(), directory.Entra, connect.ChangeProducts{Tenant: c.tenant, By: c.by, Set: []tenant.Product{tenant.Email()}}); !errors.Is(err, c.want) {
			t.Errorf("%s: products: %v, want %v", name, err, c.want)
		}
		want := c.want
		if name == "none" { // what is left of one that is gone is removed
			want = nil
		}
		if err := h.client.Erase(t.Context(), directory.Entra, connect.Erase{Tenant: c.tenant, Confirm: c.tenant, By: c.by}); !errors.Is(err, want) {
			t.Errorf("%s: erase: %v, want %v", name, err, want)
		}
	}
	if diff := cmp.Diff(before, h.has("initech")); diff != "" || h.has("northwind").Disconnected || len(h.has("northwind").Products) != 1 {
		t.Errorf("something was changed all the same: %s", diff)
	}
	if err := h.client.Disconnect(t.Context(), directory.GoogleWorkspace, connect.Disconnect{Tenant: "initech", By: "ada"}); !errors.Is(err, connect.ErrNoReceiver) {
		t.Errorf("where no receiver runs: %v", err)
	}
	if strings.Contains(h.said(), "@northwind.com") {
		t.Errorf("the log tells an address: %s", h.said())
	}
}

func TestProductsAreChanged(t *testing.T) {
	t.Parallel()
	h := holding(t)
	ask := func(w connect.ChangeProducts) ([]tenant.Product, error) {
		t.Helper()
		w.Tenant, w.By = "northwind", "ada"
		return h.client.ChangeProducts(t.Context(), directory.Entra, w)
	}
	drive := tenant.Drive()
	drive.Group = "drivers"
	want := []tenant.Product{drive, tenant.Email()}
	for range 2 {
		has, err := ask(connect.ChangeProducts{Set: want})
		if diff := cmp.Diff(want, has); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
	if _, err := ask(connect.ChangeProducts{Remove: []string{"drive"}}); err != nil {
		t.Error(err)
	}
	twin := tenant.SecureShare()
	twin.Group = "Virtru-Email-provisioning-group"
	own := tenant.Product{ID: "own", Name: "Own", Group: "own@northwind.com", Licensed: []string{"own.use"}}
	for name, c := range map[string]struct {
		w    connect.ChangeProducts
		want error
	}{
		"what it has not":          {connect.ChangeProducts{Remove: []string{"drive"}}, tenant.ErrNoProduct},
		"the last one":             {connect.ChangeProducts{Remove: []string{"email"}}, tenant.ErrNoProducts},
		"a group of two":           {connect.ChangeProducts{Set: []tenant.Product{twin}}, connect.ErrInvalid},
		"an address":               {connect.ChangeProducts{Set: []tenant.Product{own}}, connect.ErrInvalid},
		"the last one, another in": {connect.ChangeProducts{Remove: []string{"email"}, Set: []tenant.Product{{ID: "x"}}}, connect.ErrInvalid},
	} {
		if _, err := ask(c.w); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if diff := cmp.Diff([]tenant.Product{tenant.Email()}, h.has("northwind").Products); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if strings.Contains(h.said(), "@northwind.com") {
		t.Errorf("the log repeats what was asked for: %s", h.said())
	}
}

// What somebody else stores at the same time is not lost.
func TestChangesAtTheSameTime(t *testing.T) {
	t.Parallel()
	h := holding(t)
	var group sync.WaitGroup
	for _, p := range []tenant.Product{tenant.SecureShare(), tenant.Email()} {
		group.Go(func() {
			if _, err := h.client.ChangeProducts(t.Context(), directory.Entra, connect.ChangeProducts{Tenant: "northwind", By: "ada", Set: []tenant.Product{p}}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Go(func() {
		if err := h.client.Disconnect(t.Context(), directory.Entra, connect.Disconnect{Tenant: "northwind", By: "ada"}); err != nil {
			t.Error(err)
		}
	})
	group.Wait()
	if one := h.has("northwind"); len(one.Products) != 3 || !one.Disconnected {
		t.Errorf("%+v", one)
	}
}

// A tenant is erased when it is disconnected and its name was typed: its record goes, the claim of its directory, and what NATS keeps.
func TestATenantIsErased(t *testing.T) {
	t.Parallel()
	h := holding(t)
	cursors, err := h.bus.KeyValue(t.Context(), bus.BucketCursors)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"northwind.feeds", "initech.feeds"} {
		if _, err := cursors.Put(t.Context(), key, []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(confirm string) error {
		return h.client.Erase(t.Context(), directory.Entra, connect.Erase{Tenant: "northwind", Confirm: confirm, By: "olga"})
	}
	if err := ask("northwind"); !errors.Is(err, erase.ErrConnected) {
		t.Errorf("of one that is connected: %v", err)
	}
	if _, err := h.registry.Change(t.Context(), "northwind", tenant.Disconnect); err != nil {
		t.Fatal(err)
	}
	if err := ask("Northwind"); !errors.Is(err, connect.ErrInvalid) {
		t.Errorf("not confirmed: %v", err)
	}
	h.has("northwind")
	for range 2 { // the same again is done alike
		if err := ask("northwind"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.registry.Get(t.Context(), "northwind"); !errors.Is(err, tenant.ErrNotFound) {
		t.Errorf("it is there: %v", err)
	}
	if _, err := cursors.Get(t.Context(), "northwind.feeds"); err == nil {
		t.Error("its cursors are there")
	}
	if _, err := cursors.Get(t.Context(), "initech.feeds"); err != nil {
		t.Errorf("those of another: %v", err)
	}
	heir := stored(northwind(), false)
	heir.ID = "heir"
	if err := h.registry.Add(t.Context(), heir); err != nil {
		t.Errorf("its directory is not free: %v", err)
	}
	if !strings.Contains(h.said(), "tenant=northwind by=olga") {
		t.Errorf("the log does not tell who: %s", h.said())
	}
}
