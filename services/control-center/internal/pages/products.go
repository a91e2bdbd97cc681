package pages

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/rollcall-hq/rollcall/services/internal/connect"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// setProduct gives the tenant a product that the form describes, new or in the place of what it was.
func (p *Pages) setProduct(w http.ResponseWriter, r *http.Request, s *scope) error {
	field := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	return p.changeProducts(w, r, s, connect.ChangeProducts{Set: []tenant.Product{{
		ID: field("product"), Name: field("name"), Group: field("group"), Licensed: strings.Fields(field("licensed")), Active: strings.Fields(field("active")),
	}}})
}

// addProduct gives the tenant one that Rollcall knows by itself.
func (p *Pages) addProduct(w http.ResponseWriter, r *http.Request, s *scope) error {
	shipped, known := tenant.ShippedProduct(r.PostFormValue("product"))
	if !known {
		return errNotFound
	}
	return p.changeProducts(w, r, s, connect.ChangeProducts{Set: []tenant.Product{shipped}})
}

func (p *Pages) removeProduct(w http.ResponseWriter, r *http.Request, s *scope) error {
	id := r.PostFormValue("product")
	if _, has := s.Tenant.Product(id); has {
		return p.changeProducts(w, r, s, connect.ChangeProducts{Remove: []string{id}})
	}
	if slices.ContainsFunc(s.State.Products, func(was ledger.ProductState) bool { return was.ID == id }) { // by the same form, sent before
		return goOn(w, r, s.Path()+"/settings", saidDone)
	}
	return errNotFound
}

// changeProducts has a receiver change which products the tenant has. What would be wrong with them is said before.
func (p *Pages) changeProducts(w http.ResponseWriter, r *http.Request, s *scope, wanted connect.ChangeProducts) error {
	wanted.Tenant, wanted.By = s.Tenant.ID, s.Who.ID
	changed := s.Tenant
	err := tenant.ChangeProducts(&changed, wanted.Set, wanted.Remove)
	switch {
	case errors.Is(err, tenant.ErrNoProducts):
		return p.refuse(w, r, s, "A tenant has at least one product.")
	case err != nil:
		return p.refuse(w, r, s, sentence(err.Error()))
	}
	_, err = p.deps.Receivers.ChangeProducts(r.Context(), s.Tenant.Provider, wanted)
	p.note(r, s, "products", "", err)
	switch {
	case errors.Is(err, tenant.ErrNoProduct), errors.Is(err, tenant.ErrNoProducts), errors.Is(err, connect.ErrInvalid):
		return p.refuse(w, r, s, "Somebody else has changed the products meanwhile. Below is how it stands now.")
	case err != nil:
		return p.showSettings(w, r, s, http.StatusConflict, []notice{p.receiverTrouble(r, s, err)})
	}
	return goOn(w, r, s.Path()+"/settings", saidDone)
}
