package tenant

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
)

// Product is what a tenant's users are licensed for.
type Product struct {
	ID    string `json:"id"    yaml:"id"` // [a-z0-9-]
	Name  string `json:"name"  yaml:"name"`
	Group string `json:"group" yaml:"group"` // local part of the provisioning group's address
	// Licensed are the actions that a licensed user may take; Active those of every active user.
	Licensed []string `json:"licensed" yaml:"licensed"`
	Active   []string `json:"active"   yaml:"active"`
}

// SecureShare is the first product, with what its licensed and its other active users may do.
func SecureShare() Product {
	return Product{
		ID: "secure-share", Name: "Secure Share", Group: "virtru-secure-share-provisioning-group",
		Licensed: []string{"share.initiate", "request.initiate"},
		Active:   []string{"share.receive", "request.respond"},
	}
}

// Drive is an example: a licensed user opens a shared drive to others and invites them; any active user works in one to
// which a licensed user has invited.
func Drive() Product {
	return Product{
		ID: "drive", Name: "Drive", Group: "virtru-drive-provisioning-group",
		Licensed: []string{"drive.initiate", "drive.invite"},
		Active:   []string{"drive.receive", "drive.respond"},
	}
}

// Email is an example: a licensed user sends protected mail and takes it back; any active user reads and answers it.
func Email() Product {
	return Product{
		ID: "email", Name: "Email", Group: "virtru-email-provisioning-group",
		Licensed: []string{"email.initiate", "email.revoke"},
		Active:   []string{"email.receive", "email.respond"},
	}
}

// Shipped are the products that Rollcall knows by itself.
func Shipped() []Product { return []Product{SecureShare(), Drive(), Email()} }

var (
	localPart = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,62}$`)
	action    = regexp.MustCompile(`^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+$`)
)

// ProductFault is what is wrong with one field of a product, for whoever filled it in.
type ProductFault struct {
	Product string // id
	Field   string // as in YAML: id, name, group, licensed or active
	Want    string
}

func (f *ProductFault) Error() string { return fmt.Sprintf("product %q: %s", f.Product, f.Want) }

// ProductFaults are those that an error of ChangeProducts, ReadProducts or Tenant.Validate holds.
func ProductFaults(err error) (all []*ProductFault) {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range several.Unwrap() {
			all = append(all, ProductFaults(one)...)
		}
		return all
	}
	if f, ok := errors.AsType[*ProductFault](err); ok {
		all = append(all, f)
	}
	return all
}

// validate returns every fault.
func (p Product) validate() (faults []error) {
	add := func(field, format string, args ...any) {
		faults = append(faults, &ProductFault{p.ID, field, fmt.Sprintf(format, args...)})
	}
	if !event.ValidSlug(p.ID) {
		add("id", "want as id 1 to 40 of a-z, 0-9 and hyphen")
	}
	if p.Name == "" || len(p.Name) > 100 || strings.ContainsFunc(p.Name, unicode.IsControl) {
		add("name", "want a name of at most 100 letters")
	}
	if !localPart.MatchString(p.Group) {
		add("group", "group %q: want the local part of its group's address, without @", p.Group)
	}
	if len(p.Licensed) == 0 {
		add("licensed", "want at least one action that licensed users may take")
	}
	seen := map[string]bool{}
	for i, a := range slices.Concat(p.Licensed, p.Active) {
		field := "licensed"
		if i >= len(p.Licensed) {
			field = "active"
		}
		if !action.MatchString(a) {
			add(field, "action %q: want words of a-z, 0-9 and hyphen with dots between, such as share.initiate", a)
		}
		if seen[a] {
			add(field, "action %q is named twice", a)
		}
		seen[a] = true
	}
	return faults
}

// validateProducts returns every fault of products that one tenant is to have. Two of them must not have one group: whoever
// made it for one would limit the other unawares. A customer who wants them together nests one group in both of theirs.
func validateProducts(products []Product) (faults []error) {
	ids, groups := map[string]bool{}, map[string]string{}
	for _, p := range products {
		faults = append(faults, p.validate()...)
		if ids[p.ID] {
			faults = append(faults, &ProductFault{p.ID, "id", "named twice"})
			continue
		}
		ids[p.ID] = true
		group := directory.Address(p.Group)
		if other, taken := groups[group]; taken && group != "" {
			faults = append(faults, &ProductFault{
				p.ID, "group", fmt.Sprintf("product %q has the group %s already; nest one group in the groups of both instead", other, group),
			})
		}
		groups[group] = p.ID
	}
	return faults
}

// ChangeProducts takes products away from a tenant, then gives it those that it is to have: new ones, or others in the place of what
// they were. It keeps the rest. Errors: ErrNoProduct, ErrNoProducts, and what else is wrong with the tenant then, see Tenant.Validate.
func ChangeProducts(t *Tenant, set []Product, remove []string) error {
	t.Products = slices.Clone(t.Products) // they may be others' too
	for _, id := range remove {
		i := slices.IndexFunc(t.Products, func(p Product) bool { return p.ID == id })
		if i < 0 {
			return fmt.Errorf("%w: %s has no product %q", ErrNoProduct, t.ID, id)
		}
		t.Products = slices.Delete(t.Products, i, i+1)
	}
	for _, p := range set {
		if i := slices.IndexFunc(t.Products, func(q Product) bool { return q.ID == p.ID }); i >= 0 {
			t.Products[i] = p
		} else {
			t.Products = append(t.Products, p)
		}
	}
	return t.Validate()
}

// ReadProducts reads products from YAML: a list under "products". It returns every fault at once.
func ReadProducts(body []byte) ([]Product, error) {
	var file struct {
		Products []Product `yaml:"products"`
	}
	decoder := yaml.NewDecoder(bytes.NewReader(body))
	decoder.KnownFields(true)
	var faults []error
	var fields *yaml.TypeError
	switch err := decoder.Decode(&file); {
	case errors.As(err, &fields): // the rest was read
		for _, fault := range fields.Errors {
			faults = append(faults, errors.New(fault))
		}
	case err != nil && !errors.Is(err, io.EOF):
		return nil, fmt.Errorf("it is no YAML: %w", err)
	}
	if len(file.Products) == 0 && len(faults) == 0 {
		return nil, errors.New("want at least one product in a list under \"products\"")
	}
	if faults = append(faults, validateProducts(file.Products)...); len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return file.Products, nil
}
