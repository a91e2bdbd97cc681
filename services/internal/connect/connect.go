// Package connect is how the Control Center has a directory connected, and what is in the registry of it changed. It holds no
// credential and may not write the registry of tenants; receivers hold and may. So it asks a receiver of the provider, by request and
// reply on core NATS: what an admin is shown, whether everything that is needed is there, to store the tenant once it is, and to
// change one that is stored. A request names a directory and an admin of it, or a tenant, never a file or an address of a server:
// those are the receiver's own configuration.
package connect

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/command"
	"github.com/rollcall-hq/rollcall/services/internal/erase"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// Subject is where receivers of a provider are asked.
func Subject(p directory.Provider) string { return "connect." + string(p) }

// Application is the one by which a receiver connects new tenants.
type Application struct {
	Credential tenant.Credential // without Subject, which is the customer's
	Endpoints  tenant.Endpoints
	Shown      Shown
}

// Shown is what of an application an admin sees. There is no secret in it.
type Shown struct {
	ClientID string `json:"client_id"`
	// Scopes are what the admin consents to or delegates.
	Scopes []string `json:"scopes"`
	// Authority is the https address at which an admin consents in a browser, "" where the provider has none.
	Authority string `json:"authority,omitempty"`
}

// Wanted is a directory that somebody wants to connect.
type Wanted struct {
	Tenant      string             `json:"tenant"` // short name
	Provider    directory.Provider `json:"provider"`
	DirectoryID string             `json:"directory_id"`
	// ConnectedBy is the address of the admin who connects it. Its domain is where the provisioning groups are looked for.
	ConnectedBy string `json:"connected_by"`
	// Subject is the address of the admin in whose name the directory is read, where the provider has such; empty means ConnectedBy.
	Subject string `json:"subject,omitempty"`
	// Products are ids of shipped ones. None: the first one, or what a tenant has that is connected again.
	Products []string `json:"products,omitempty"`
	// Key is the idempotency key under which it is asked for, and By who asks, see event.ValidActor. A check needs neither.
	Key string `json:"key,omitempty"`
	By  string `json:"by,omitempty"`
}

// Under reports whether a tenant was connected under the key.
func (w Wanted) Under(t tenant.Tenant) bool { return w.Key != "" && w.Key == t.Connected.Key }

// Request is what is kept of it with the tenant; zero where it has no key.
func (w Wanted) Request() tenant.Request {
	if w.Key == "" {
		return tenant.Request{}
	}
	sum := sha256.Sum256([]byte(strings.Join(slices.Concat(
		[]string{w.Tenant, string(w.Provider), w.DirectoryID, w.ConnectedBy, w.Reader(), w.By}, w.Products,
	), "\n")))
	return tenant.Request{Key: w.Key, Digest: base64.RawURLEncoding.EncodeToString(sum[:])}
}

// Fault is what is wrong with one field, for whoever filled it in. It does not repeat what was given.
type Fault struct{ Field, Want string }

// Faults are all that can be seen without asking anybody.
func (w Wanted) Faults() (all []Fault) {
	add := func(so bool, field, want string) {
		if so {
			all = append(all, Fault{field, want})
		}
	}
	add(!event.ValidSlug(w.Tenant), "tenant", "want 1 to 40 of a-z, 0-9 and hyphen")
	add(len(tenant.CredentialKinds(w.Provider)) == 0, "provider", "want one that is known")
	add(!tenant.ValidDirectoryID(w.Provider, w.DirectoryID), "directory_id", map[directory.Provider]string{
		directory.Entra:           "want the tenant id, such as 9f4a1c2e-5d1b-4c55-9d53-0f3f6f0a9a11",
		directory.GoogleWorkspace: "want the customer id, such as C03az79cb",
	}[w.Provider])
	add(!validAddress(w.ConnectedBy), "connected_by", "want an address such as admin@contoso.com")
	add(w.Subject != "" && (!validAddress(w.Subject) || w.Provider != directory.GoogleWorkspace), "subject", "want an address such as admin@contoso.com, or none")
	add(slices.ContainsFunc(w.Products, func(id string) bool { _, known := tenant.ShippedProduct(id); return !known }), "products", "want products that are shipped")
	return all
}

func validAddress(s string) bool {
	admin, err := mail.ParseAddress(s)
	return err == nil && admin.Address == s && directory.Address(s) == s && len(s) <= 254 && strings.Contains(directory.Domain(s), ".")
}

// Domain is the connecting domain.
func (w Wanted) Domain() string { return directory.Domain(w.ConnectedBy) }

// Reader is the address of the admin in whose name the directory is read, "" where the provider has none such.
func (w Wanted) Reader() string {
	switch {
	case w.Provider != directory.GoogleWorkspace:
		return ""
	case w.Subject == "":
		return w.ConnectedBy
	}
	return w.Subject
}

// with is the tenant that is wanted, as an application reads it.
func (w Wanted) with(a Application, now time.Time) (tenant.Tenant, error) {
	if faults := w.Faults(); len(faults) > 0 {
		return tenant.Tenant{}, fmt.Errorf("%s: %s", faults[0].Field, faults[0].Want)
	}
	if w.Key != "" && !command.ValidKey(w.Key) || w.By != "" && !event.ValidActor(w.By) {
		return tenant.Tenant{}, errors.New("want an idempotency key, and who asks")
	}
	t := tenant.Tenant{
		ID: w.Tenant, Provider: w.Provider, DirectoryID: w.DirectoryID, Domain: w.Domain(),
		Credential: a.Credential, Endpoints: a.Endpoints, CreatedAt: now.UTC(), Connected: w.Request(),
	}
	t.Credential.Subject = w.Reader()
	for _, id := range w.Products {
		p, _ := tenant.ShippedProduct(id)
		t.Products = append(t.Products, p)
	}
	if len(t.Products) == 0 {
		t.Products = []tenant.Product{tenant.SecureShare()}
	}
	return t, t.Validate()
}

// Disconnect is a tenant whose directory somebody wants to have followed no longer. What becomes of its licenses is the worker's,
// which hears of it before.
type Disconnect struct {
	Tenant string `json:"tenant"`
	By     string `json:"by"` // who asked, see event.ValidActor
}

// ChangeProducts says which products a tenant is to have, or to have otherwise than they are, and which no longer. It keeps those
// that are not named.
type ChangeProducts struct {
	Tenant string           `json:"tenant"`
	Set    []tenant.Product `json:"set,omitempty"`
	Remove []string         `json:"remove,omitempty"` // ids
	By     string           `json:"by"`               // who asked, see event.ValidActor
}

// Erase is a tenant that somebody wants to have forgotten. What is known of its people is the worker's to forget, which hears of it before.
type Erase struct {
	Tenant string `json:"tenant"`
	// Confirm is the name once more, as somebody has typed it.
	Confirm string `json:"confirm"`
	By      string `json:"by"` // who asked, see event.ValidActor
}

// What can keep a receiver from doing what it is asked for.
var (
	ErrNoReceiver    = errors.New("no receiver of the provider runs")
	ErrNoApplication = errors.New("the receivers of the provider are told of no application by which to connect tenants")
	ErrInvalid       = errors.New("the request says what cannot be")
	ErrNoTenant      = errors.New("the receivers of the provider know no tenant of that name")
	ErrExists        = errors.New("a tenant of that name is there already")
	ErrAnother       = errors.New("another directory had this name before")
	ErrTaken         = errors.New("the directory is connected already, under another name")
	ErrNotProved     = errors.New("not everything that is needed is there")
	ErrFailed        = errors.New("the receiver could not do it")
)

// codes are the errors as they go over the wire.
var codes = map[string]error{
	"no-application": ErrNoApplication, "invalid": ErrInvalid, "exists": ErrExists, "taken": ErrTaken, "not-proved": ErrNotProved, "failed": ErrFailed,
	"no-such-tenant": ErrNoTenant, "no-such-product": tenant.ErrNoProduct, "no-products": tenant.ErrNoProducts,
	"connected": erase.ErrConnected,
}

func codeOf(err error) string {
	for code, known := range codes {
		if errors.Is(err, known) {
			return code
		}
	}
	return "failed"
}

// The verbs.
const (
	describe   = "describe"
	check      = "check"
	add        = "add"
	disconnect = "disconnect"
	products   = "products"
	forget     = "erase"
)

// request has beside the verb what that verb takes.
type request struct {
	Verb       string         `json:"verb"`
	Wanted     Wanted         `json:"wanted,omitzero"`     // of check and add
	Disconnect Disconnect     `json:"disconnect,omitzero"` // of disconnect
	Products   ChangeProducts `json:"products,omitzero"`   // of products
	Erase      Erase          `json:"erase,omitzero"`      // of erase
}

type answer struct {
	Code  string `json:"code,omitempty"` // of codes; "" where it was done
	Shown *Shown `json:"shown,omitempty"`
	Proof *Proof `json:"proof,omitempty"`
	Again bool   `json:"again,omitempty"`
	// Products are those that the tenant has by now.
	Products []tenant.Product `json:"products,omitempty"`
}
