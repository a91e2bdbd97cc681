package answer

import (
	"context"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// Standing is what keeps a tenant's licenses from simply following its directory.
type Standing struct {
	Frozen       bool      `json:"frozen"`               // nothing is revoked
	Paused       bool      `json:"paused"`               // nothing is decided
	Disconnected bool      `json:"disconnected"`         // the directory is not followed
	Licenses     string    `json:"licenses,omitempty"`   // of one that is disconnected: kept or revoked
	Restoring    bool      `json:"restoring"`            // nothing is decided until the directory is read completely
	StaleSince   time.Time `json:"stale_since,omitzero"` // something that was said of it was given up, and it was not read completely since
	Degraded     *Degraded `json:"degraded,omitempty"`   // what keeps the directory from being followed as it should be
	// Credential is when what proves Rollcall to the directory ends, where that is known.
	Credential *Credential `json:"credential,omitempty"`
	Held       []OpenHeld  `json:"held,omitempty"` // that wait, or are being carried out
}

// Credential is when what proves Rollcall to a directory ends.
type Credential struct {
	Expires time.Time `json:"expires"`
	// What ends, and what to do about it; "" where it does not end soon.
	Detail string `json:"detail,omitempty"`
	Action string `json:"action,omitempty"`
}

// EndsSoon reports whether it is time to do something about it.
func (c *Credential) EndsSoon() bool { return c != nil && c.Action != "" }

// Degraded is what keeps a tenant's directory from being followed as it should be.
type Degraded struct {
	Class  string    `json:"class"`
	Since  time.Time `json:"since"`
	Check  string    `json:"check,omitempty"`
	Detail string    `json:"detail"`
	Action string    `json:"action"`
}

// OpenHeld names a held change that has not ended.
type OpenHeld struct {
	Product string `json:"product"`
	Held    string `json:"held,omitempty"` // none while its first list is being made
	Kind    string `json:"kind"`
	State   string `json:"state"`
}

// Standings says where tenants stand.
type Standings struct {
	held        []ledger.HeldChange
	connections map[string]ledger.Connection
	credentials map[string]ledger.Credential
}

// StandingsIn reads where all tenants stand, or one.
func StandingsIn(ctx context.Context, r *ledger.Reader, tenant string) (s Standings, err error) {
	if s.held, err = r.HeldChanges(ctx, tenant, false); err != nil {
		return s, err
	}
	if s.connections, err = r.Degraded(ctx); err != nil {
		return s, err
	}
	s.credentials, err = r.Credentials(ctx)
	return s, err
}

// Of says where a tenant stands.
func (all Standings) Of(t ledger.Tenant) *Standing {
	s := &Standing{Frozen: t.Frozen, Paused: t.Paused, Disconnected: !t.Follows(), Restoring: t.Restoring, StaleSince: t.StaleSince}
	switch t.Disconnected {
	case ledger.LicensesKept:
		s.Licenses = "kept"
	case ledger.LicensesEnded:
		s.Licenses = "revoked"
	}
	if c := all.connections[t.Name]; c.Degraded() {
		s.Degraded = &Degraded{Class: c.Class, Since: c.Since, Check: c.Check, Detail: c.Detail, Action: c.Action}
	}
	s.Credential = CredentialOf(all.credentials[t.Name])
	for _, h := range all.held {
		if h.Tenant != t.Name {
			continue
		}
		item := OpenHeld{Product: h.ProductID, Held: h.Ref, Kind: string(h.Kind), State: string(h.State)}
		if h.State == ledger.HeldListing {
			item.Held = ""
		}
		s.Held = append(s.Held, item)
	}
	return s
}

// CredentialOf is when a credential ends; nil where that is not known.
func CredentialOf(c ledger.Credential) *Credential {
	if c.Expires.IsZero() {
		return nil
	}
	return &Credential{Expires: c.Expires, Detail: c.Detail, Action: c.Action}
}

// StandingIn reads where one tenant stands.
func StandingIn(ctx context.Context, r *ledger.Reader, t ledger.Tenant) (*Standing, error) {
	all, err := StandingsIn(ctx, r, t.Name)
	if err != nil {
		return nil, err
	}
	return all.Of(t), nil
}
