package tenant

import (
	"context"
	"errors"
	"regexp"
	"slices"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

var directoryIDs = map[directory.Provider]*regexp.Regexp{
	directory.Entra:           regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`),
	directory.GoogleWorkspace: regexp.MustCompile(`^C[0-9a-z]{6,20}$`),
}

// ValidDirectoryID reports whether an id is one as the provider gives: a GUID in small letters, or a customer id.
func ValidDirectoryID(p directory.Provider, id string) bool {
	form, known := directoryIDs[p]
	return known && form.MatchString(id)
}

// ShippedProduct is the shipped product with that id.
func ShippedProduct(id string) (Product, bool) {
	shipped := Shipped()
	i := slices.IndexFunc(shipped, func(p Product) bool { return p.ID == id })
	if i < 0 {
		return Product{}, false
	}
	return shipped[i], true
}

// Connect stores a new tenant, or connects one again that was disconnected: under the same name, of the same directory. Such a
// one keeps its products, unless named says that t's were chosen; before, where there is one, is called ahead of that, for
// whoever has to hear of it first. It returns what is stored, and whether it was there. Errors are those of Add.
func (r *Registry) Connect(ctx context.Context, t Tenant, named bool, before func(context.Context) error) (stored Tenant, again bool, err error) {
	exists := r.Add(ctx, t)
	if !errors.Is(exists, ErrExists) {
		return t, false, exists
	}
	if stored, err = r.Get(ctx, t.ID); err != nil {
		return t, false, err
	}
	if !stored.Disconnected || stored.Provider != t.Provider || stored.DirectoryID != t.DirectoryID {
		return t, false, exists
	}
	if before != nil {
		if err := before(ctx); err != nil {
			return t, false, err
		}
	}
	stored, err = r.Change(ctx, t.ID, func(stored *Tenant) error {
		kept, created := stored.Products, stored.CreatedAt
		*stored = t
		stored.CreatedAt = created
		if !named {
			stored.Products = kept
		}
		return nil
	})
	return stored, true, err
}

// Disconnect is the change of a tenant whose directory is to be followed no longer. It keeps its record, see Connect. Of one that is
// disconnected already nothing changes.
func Disconnect(t *Tenant) error {
	t.Disconnected = true
	return nil
}
