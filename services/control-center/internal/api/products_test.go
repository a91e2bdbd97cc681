package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/api/openapi"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/centertest"
)

func (h *house) products(body string) centertest.Answer {
	return h.Do(centertest.Admin, http.MethodPatch, rows["changeProducts"].path, body)
}

// TestProductsAreChanged all at once, and the same again is answered alike.
func TestProductsAreChanged(t *testing.T) {
	t.Parallel()
	h := newHouse(t, patience)
	if a := h.products(productsBody); statusAndCode(a) != "503 no-receiver" {
		t.Errorf("without a receiver: %+v", a)
	}
	h.Receive()
	const body = `{"remove":["drive"],"set":[{"id":"vault","name":"Vault","group":"acme-vault","licensed_actions":["vault.open"],"active_actions":["vault.read"]}]}`
	first := h.products(body)
	if again := h.products(body); first.Status != http.StatusOK || again.Status != first.Status || again.Body != first.Body {
		t.Errorf("%+v, %+v", first, again)
	}
	var has openapi.ProductList
	first.JSON(t, &has)
	want := openapi.ProductDefinition{ID: "vault", Name: "Vault", Group: "acme-vault", LicensedActions: []string{"vault.open"}, ActiveActions: []string{"vault.read"}}
	if diff := cmp.Diff(want, has.Items[len(has.Items)-1]); diff != "" || len(has.Items) != 2 || len(h.stored(t).Products) != 2 {
		t.Errorf("%d (-want +got):\n%s", len(has.Items), diff)
	}
}

// TestProductsThatCannotBe are refused as a whole, each with what is wrong.
func TestProductsThatCannotBe(t *testing.T) {
	t.Parallel()
	h := newHouse(t, patience)
	h.Receive()
	before := h.stored(t).Products
	for body, want := range map[string]string{
		`{}`:                                  "400 invalid-request",
		`{"remove":["nothing"]}`:              "404 no-such-product",
		`{"remove":["secure-share","drive"]}`: "409 last-product",
		strings.Replace(productsBody, "acme-vault", "acme@contoso.com", 1):   "400 invalid-request",
		strings.Replace(productsBody, "acme-vault", before[1].Group, 1):      "400 invalid-request",
		strings.Replace(productsBody, "vault.open", "everything", 1):         "400 invalid-request",
		strings.Replace(productsBody, `["vault.open"]`, `["a.b","a.b"]`, 1):  "400 invalid-request",
		strings.Replace(productsBody, `"id":"vault"`, `"id":"a.b"`, 1):       "400 invalid-request",
		strings.Replace(productsBody, `"id":"vault"`, `"id":"v","x":"y"`, 1): "400 invalid-request",
	} {
		if a := h.products(body); statusAndCode(a) != want || strings.Contains(a.Body, "@") {
			t.Errorf("%s: %+v, want %s", body, a, want)
		}
	}
	var p openapi.Problem
	h.products(strings.Replace(productsBody, "acme-vault", before[1].Group, 1)).JSON(t, &p)
	if len(p.Faults) != 1 || p.Faults[0].Where != "body:/set" || !strings.Contains(p.Faults[0].Message, "has the group") {
		t.Errorf("%+v", p)
	}
	if diff := cmp.Diff(before, h.stored(t).Products); diff != "" {
		t.Errorf("something was changed all the same (-want +got):\n%s", diff)
	}
}
