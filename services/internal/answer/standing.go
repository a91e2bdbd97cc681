package answer

import (
	"context"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// Standing is what keeps a tenant's licenses from simply following its directory.
type Standing struct {
	Frozen       bool       `json:"frozen"`               // nothing is revoked
	Paused       bool       `json:"paused"`               // nothing is decided
	Disconnected bool       `json:"disconnected"`         // the directory is not followed
	Licenses     string     `json:"licenses,omitempty"`   // of one that is disconnected: kept or revoked
	Restoring    bool       `json:"restoring"`            // nothing is decided until the directory is read completely
	StaleSince   time.Time  `json:"stale_since,omitzero"` // something that was said of it was given up, and it was not read completely since
	Degraded     *Degraded  `json:"degraded,omitempty"`   // what keeps the directory from being followed as it should be
	Held         []OpenHeld `json:"held,omitempty"`       // that wait, or are being carried out
}

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

// StandingOf says where a tenant stands: held has those of all tenants, connections the state of each.
func StandingOf(t ledger.Tenant, held []ledger.HeldChange, connections map[string]ledger.Connection) *Standing {
	s := &Standing{Frozen: t.Frozen, Paused: t.Paused, Disconnected: !t.Follows(), Restoring: t.Restoring, StaleSince: t.StaleSince}
	switch t.Disconnected {
	case ledger.LicensesKept:
		s.Licenses = "kept"
	case ledger.LicensesEnded:
		s.Licenses = "revoked"
	}
	if c := connections[t.Name]; c.Degraded() {
		s.Degraded = &Degraded{Class: c.Class, Since: c.Since, Check: c.Check, Detail: c.Detail, Action: c.Action}
	}
	for _, h := range held {
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

// StandingIn reads where one tenant stands.
func StandingIn(ctx context.Context, r *ledger.Reader, t ledger.Tenant) (*Standing, error) {
	held, err := r.HeldChanges(ctx, t.Name, false)
	if err != nil {
		return nil, err
	}
	connections, err := r.Degraded(ctx)
	return StandingOf(t, held, connections), err
}
