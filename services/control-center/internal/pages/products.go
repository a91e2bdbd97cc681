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

// productForm is the form of one product, as it is stored or as somebody has filled it in.
type productForm struct {
	Form                              string // its product, or ownForm
	ID, Name, Group, Licensed, Active string
	Domain                            string            // of the group
	Typed                             bool              // by somebody, and not done
	Faults                            map[string]string // by field
}

// ownForm is the form of a product that is not there yet. No product has such an id.
const ownForm = "own."

func (s *scope) formOf(t tenant.Product) productForm {
	return productForm{
		Form: t.ID, ID: t.ID, Name: t.Name, Group: t.Group, Licensed: strings.Join(t.Licensed, " "), Active: strings.Join(t.Active, " "), Domain: s.Tenant.Domain,
	}
}

// setProduct gives the tenant a product that the form describes, new or in the place of what it was. What is not done stays in the
// form.
func (p *Pages) setProduct(w http.ResponseWriter, r *http.Request, s *scope) error {
	field := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	typed := productForm{
		Form: field("product"), ID: field("product"), Name: field("name"), Group: field("group"), Licensed: field("licensed"), Active: field("active"),
		Domain: s.Tenant.Domain, Typed: true,
	}
	if _, has := s.Tenant.Product(typed.ID); !has || field("form") == ownForm {
		typed.Form = ownForm
	}
	return p.changeProducts(w, r, s, typed, connect.ChangeProducts{Set: []tenant.Product{{
		ID: typed.ID, Name: typed.Name, Group: typed.Group, Licensed: strings.Fields(typed.Licensed), Active: strings.Fields(typed.Active),
	}}})
}

// addProduct gives the tenant one that Rollcall knows by itself.
func (p *Pages) addProduct(w http.ResponseWriter, r *http.Request, s *scope) error {
	shipped, known := tenant.ShippedProduct(r.PostFormValue("product"))
	if !known {
		return errNotFound
	}
	return p.changeProducts(w, r, s, productForm{}, connect.ChangeProducts{Set: []tenant.Product{shipped}})
}

func (p *Pages) removeProduct(w http.ResponseWriter, r *http.Request, s *scope) error {
	id := r.PostFormValue("product")
	if _, has := s.Tenant.Product(id); has {
		return p.changeProducts(w, r, s, productForm{}, connect.ChangeProducts{Remove: []string{id}})
	}
	if slices.ContainsFunc(s.State.Products, func(was ledger.ProductState) bool { return was.ID == id }) { // by the same form, sent before
		return goOn(w, r, s.Path()+"/settings", saidDone)
	}
	return errNotFound
}

// changeProducts has a receiver change which products the tenant has. What would be wrong with them is said before, at the fields of
// the form that was typed, where there is one.
func (p *Pages) changeProducts(w http.ResponseWriter, r *http.Request, s *scope, typed productForm, wanted connect.ChangeProducts) error {
	refuse := func(status int, n notice) error { return p.showTyped(w, r, s, status, typed, []notice{n}) }
	wanted.Tenant, wanted.By = s.Tenant.ID, s.Who.ID
	changed := s.Tenant
	if err := tenant.ChangeProducts(&changed, wanted.Set, wanted.Remove); err != nil {
		return refuse(http.StatusUnprocessableEntity, typed.refused(err))
	}
	_, err := p.deps.Receivers.ChangeProducts(r.Context(), s.Tenant.Provider, wanted)
	p.note(r, s, "products", "", err)
	switch {
	case errors.Is(err, tenant.ErrNoProduct), errors.Is(err, tenant.ErrNoProducts), errors.Is(err, connect.ErrInvalid):
		return refuse(http.StatusUnprocessableEntity, notDone("Somebody else has changed the products meanwhile. Below is how it stands now."))
	case err != nil:
		return refuse(http.StatusConflict, p.receiverTrouble(r, s, err))
	}
	return goOn(w, r, s.Path()+"/settings", saidDone)
}

// refused takes what is wrong with the product of the form to its fields, and returns the notice of it.
func (f *productForm) refused(err error) notice {
	if errors.Is(err, tenant.ErrNoProducts) {
		return notDone("A tenant has at least one product.")
	}
	faults := tenant.ProductFaults(err)
	for _, fault := range faults {
		if fault.Product != f.ID || !f.Typed {
			return notDone(sentence(err.Error()))
		}
	}
	if len(faults) == 0 {
		return notDone(sentence(err.Error()))
	}
	f.Faults = map[string]string{}
	for _, fault := range faults {
		f.Faults[fault.Field] = strings.TrimSpace(f.Faults[fault.Field] + " " + sentence(fault.Want))
	}
	return notDone("What is wrong is said at each field.")
}
