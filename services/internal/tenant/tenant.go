// Package tenant is the registry of connected directories, kept in the KV bucket "tenants": what a tenant is, which
// products it has, and where its credentials are found. It holds references to secrets, never a secret.
package tenant

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
)

// Tenant is one connected directory.
type Tenant struct {
	ID          string             `json:"id"` // [a-z0-9-], see event.ValidSlug
	Provider    directory.Provider `json:"provider"`
	DirectoryID string             `json:"directory_id"` // the provider's own id: Entra tenant id, Workspace customer id
	// ConnectedBy is the id-less name of the admin's domain: the provisioning groups live on it.
	Domain     string     `json:"domain"`
	Products   []Product  `json:"products"`
	Credential Credential `json:"credential"`
	Endpoints  Endpoints  `json:"endpoints,omitzero"`
	// Disconnected: the directory is no longer read, and the provider is asked to push nothing of it. The record stays, so
	// that nobody else takes the directory and the tenant can be connected again.
	Disconnected bool      `json:"disconnected,omitempty"`
	CreatedAt    time.Time `json:"created_at"`
	// Connected is the request by which it was connected, so that the same one, sent again, is known.
	Connected Request `json:"connected,omitzero"`
}

// Request is one that was sent under an idempotency key; zero: there was none.
type Request struct {
	Key    string `json:"key"`
	Digest string `json:"digest"` // of what it says
}

// GroupAddress is the address that makes a group the tenant's provisioning group for the product.
func (t Tenant) GroupAddress(p Product) string { return directory.Address(p.Group + "@" + t.Domain) }

// Product returns the product with that id.
func (t Tenant) Product(id string) (Product, bool) {
	for _, p := range t.Products {
		if p.ID == id {
			return p, true
		}
	}
	return Product{}, false
}

// Endpoints overrides where the provider is reached: national clouds, and the simulator. Empty fields mean the public cloud.
type Endpoints struct {
	API string `json:"api,omitempty"` // e.g. https://graph.microsoft.us/v1.0
	// Authority is where tokens come from, e.g. https://login.microsoftonline.us. At Google three hosts have a part in
	// that (oauth2, iamcredentials and sts.googleapis.com); all their requests go to it then.
	Authority string `json:"authority,omitempty"`
	CAFile    string `json:"ca_file,omitempty"` // PEM of a private CA that signs for the two above
}

// Validate returns every fault at once.
func (t Tenant) Validate() error {
	var errs []error
	if !event.ValidSlug(t.ID) {
		errs = append(errs, fmt.Errorf("id %q: want 1 to 40 of a-z, 0-9 and hyphen", t.ID))
	}
	if t.Provider != directory.Entra && t.Provider != directory.GoogleWorkspace {
		errs = append(errs, fmt.Errorf("provider %q: want %s or %s", t.Provider, directory.Entra, directory.GoogleWorkspace))
	}
	if !event.ValidToken(t.DirectoryID) {
		errs = append(errs, fmt.Errorf("directory id %q: want the provider's own id", t.DirectoryID))
	}
	if t.Domain == "" || directory.Address(t.Domain) != t.Domain {
		errs = append(errs, fmt.Errorf("domain %q: want the connecting admin's domain in lower case", t.Domain))
	}
	if len(t.Products) == 0 {
		errs = append(errs, ErrNoProducts)
	}
	errs = append(errs, validateProducts(t.Products)...)
	errs = append(errs, t.Credential.validate(t.Provider)...)
	for name, raw := range map[string]string{"api": t.Endpoints.API, "authority": t.Endpoints.Authority} {
		if u, err := url.Parse(raw); raw != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
			errs = append(errs, fmt.Errorf("endpoint %s: want an https URL", name))
		}
	}
	return errors.Join(errs...)
}
