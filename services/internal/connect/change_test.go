package connect_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/connect"
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
	}
	if diff := cmp.Diff(before, h.has("initech")); diff != "" || h.has("northwind").Disconnected {
		t.Errorf("something was changed all the same: %s", diff)
	}
	if err := h.client.Disconnect(t.Context(), directory.GoogleWorkspace, connect.Disconnect{Tenant: "initech", By: "ada"}); !errors.Is(err, connect.ErrNoReceiver) {
		t.Errorf("where no receiver runs: %v", err)
	}
	if strings.Contains(h.said(), "@northwind.com") {
		t.Errorf("the log tells an address: %s", h.said())
	}
}
