// Package store keeps simulated directories: tenants with their users, groups, memberships and subscriptions, and a log
// of everything that changed under a rising version. It knows no provider's protocol.
//
// With a folder it is durable: every mutation is one line of a journal, written before it takes effect, so that a killed
// process loses at most the line it was writing.
package store

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// What can be wrong with a mutation. Every error that the store returns for its caller's fault wraps one of them.
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("exists already")
	ErrInvalid  = errors.New("not valid")
)

// Tenant is one directory and the app that may read it.
type Tenant struct {
	ID string `json:"id"` // short name
	// Provider says whose directory it plays; empty means Entra.
	Provider    directory.Provider `json:"provider,omitempty"`
	DirectoryID string             `json:"directory_id"` // GUID, or Workspace's customer id; the key everywhere below
	Name        string             `json:"name"`
	Domains     []string           `json:"domains"` // lower case; the first is the default
	App         App                `json:"app"`
	// TokenGeneration is raised to void every delta token given out.
	TokenGeneration int `json:"token_generation,omitempty"`
}

// App is an application that the tenant consented to.
type App struct {
	ClientID    string      `json:"client_id"`
	Secret      string      `json:"secret,omitempty"`
	Certificate string      `json:"certificate,omitempty"` // PEM
	Federated   []Federated `json:"federated,omitempty"`
	Permissions []string    `json:"permissions"` // granted, as soon as somebody has consented

	// Redirects are where a browser may be sent back to; Asks are the permissions that consent grants.
	Redirects   []string  `json:"redirects,omitempty"`
	Asks        []string  `json:"asks,omitempty"`
	Unconsented bool      `json:"unconsented,omitempty"` // the directory does not know the app
	ConsentedAt time.Time `json:"consented_at,omitzero"` // by its admin, in a browser

	// What follows is Workspace's: the service account that stands for the app, and what the customer delegated to it.
	ServiceAccount string   `json:"service_account,omitempty"` // its address
	PublicKey      string   `json:"public_key,omitempty"`      // PEM, of its key file
	CallerToken    string   `json:"caller_token,omitempty"`    // a bearer token of a caller that may sign as the service account
	Scopes         []string `json:"scopes,omitempty"`
	Admins         []Admin  `json:"admins,omitempty"` // who may be impersonated
}

// Federated is a federated identity credential of an app.
type Federated struct {
	Issuer    string `json:"issuer"`
	Subject   string `json:"subject"`
	Audience  string `json:"audience"`
	PublicKey string `json:"public_key,omitempty"` // PEM
}

// User is one account. Values that the store hands out are shared: do not change them.
type User struct {
	ID       string    `json:"id"`
	Seq      uint64    `json:"seq,omitempty"` // order of creation within the tenant
	Name     string    `json:"name"`
	Given    string    `json:"given,omitempty"`
	Surname  string    `json:"surname,omitempty"`
	UPN      string    `json:"upn"`
	Mail     string    `json:"mail,omitempty"`
	Proxies  []string  `json:"proxies,omitempty"` // "SMTP:" before the primary address, "smtp:" before others
	Disabled bool      `json:"disabled,omitempty"`
	Guest    bool      `json:"guest,omitempty"`
	Created  time.Time `json:"created"`
	Deleted  time.Time `json:"deleted,omitzero"` // soft-deleted since

	// Archived, the times and the reason are Workspace's. The store sets the times.
	Archived    bool      `json:"archived,omitempty"`
	ArchivedAt  time.Time `json:"archived_at,omitzero"`
	SuspendedAt time.Time `json:"suspended_at,omitzero"`
	Suspension  string    `json:"suspension,omitempty"` // why, e.g. ADMIN
}

// Group is one group. Values that the store hands out are shared: do not change them.
type Group struct {
	ID      string              `json:"id"`
	Seq     uint64              `json:"seq,omitempty"`
	Name    string              `json:"name"`
	Mail    string              `json:"mail,omitempty"`
	Proxies []string            `json:"proxies,omitempty"`
	Kind    directory.GroupKind `json:"kind"`
	Dynamic bool                `json:"dynamic,omitempty"`
	Hidden  bool                `json:"hidden,omitempty"` // membership is hidden from readers without the right for it
	Created time.Time           `json:"created"`
	Deleted time.Time           `json:"deleted,omitzero"`
}

// Live reports whether the user is not soft-deleted.
func (u *User) Live() bool { return u.Deleted.IsZero() }

// Live reports whether the group is not soft-deleted.
func (g *Group) Live() bool { return g.Deleted.IsZero() }

// Addresses returns every address of the user, normalized, each once.
func (u *User) Addresses() []string { return addresses(append([]string{u.UPN, u.Mail}, u.Proxies...)) }

// Addresses returns every address of the group, normalized, each once.
func (g *Group) Addresses() []string { return addresses(append([]string{g.Mail}, g.Proxies...)) }

func addresses(raw []string) []string {
	out := make([]string, 0, len(raw))
	for _, r := range raw {
		if a := directory.Address(r); a != "" && !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

// Subscription is one change notification subscription of Graph, or one notification channel of Workspace.
type Subscription struct {
	ID           string    `json:"id"`
	AppID        string    `json:"app_id"`
	Resource     string    `json:"resource"`              // as given
	ResourceID   string    `json:"resource_id,omitempty"` // Workspace's opaque id of what the channel watches
	Subject      string    `json:"subject,omitempty"`     // who Workspace's channel was made as
	Payload      bool      `json:"payload,omitempty"`     // Workspace's pushes have a body
	ChangeType   string    `json:"change_type"`
	URL          string    `json:"url"`
	LifecycleURL string    `json:"lifecycle_url,omitempty"`
	ClientState  string    `json:"client_state,omitempty"`
	TLSVersion   string    `json:"tls_version,omitempty"`
	Expires      time.Time `json:"expires"`
	Created      time.Time `json:"created"`
	Since        uint64    `json:"since"`            // the tenant's version when it was made; set by the store
	Stopped      time.Time `json:"stopped,omitzero"` // Workspace's channel was stopped, and pushes may go on for a while
}

// Covers reports whether the subscription watches the object: resource is "users" or "groups".
func (s *Subscription) Covers(resource, id string) bool {
	path := strings.ToLower(strings.Trim(s.Resource, "/"))
	return path == resource || path == resource+"/"+id || path == resource+"/"+id+"/members"
}

// Wants reports whether the subscription asked for the change type, "updated" or "deleted".
func (s *Subscription) Wants(change string) bool {
	return slices.Contains(strings.Split(strings.ReplaceAll(s.ChangeType, " ", ""), ","), change)
}
