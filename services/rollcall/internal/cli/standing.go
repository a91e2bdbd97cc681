package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// standing is what keeps a tenant's licenses from simply following its directory.
type standing struct {
	Frozen       bool       `json:"frozen"`               // nothing is revoked
	Paused       bool       `json:"paused"`               // nothing is decided
	Disconnected bool       `json:"disconnected"`         // the directory is not followed
	Licenses     string     `json:"licenses,omitempty"`   // of one that is disconnected: kept or revoked
	Restoring    bool       `json:"restoring"`            // nothing is decided until the directory is read completely
	StaleSince   time.Time  `json:"stale_since,omitzero"` // something that was said of it was given up, and it was not read completely since
	Degraded     *degraded  `json:"degraded,omitempty"`   // what keeps the directory from being followed as it should be
	Held         []openHeld `json:"held,omitempty"`       // that wait, or are being carried out
}

// degraded is what keeps a tenant's directory from being followed as it should be.
type degraded struct {
	Class  string    `json:"class"`
	Since  time.Time `json:"since"`
	Check  string    `json:"check,omitempty"`
	Detail string    `json:"detail"`
	Action string    `json:"action"`
}

// openHeld names a held change that has not ended.
type openHeld struct {
	Product string `json:"product"`
	Held    string `json:"held,omitempty"` // none while its first list is being made
	Kind    string `json:"kind"`
	State   string `json:"state"`
}

func standingOf(t ledger.Tenant, held []ledger.HeldChange, connections map[string]ledger.Connection) *standing {
	s := &standing{Frozen: t.Frozen, Paused: t.Paused, Disconnected: !t.Follows(), Restoring: t.Restoring, StaleSince: t.StaleSince}
	switch t.Disconnected {
	case ledger.LicensesKept:
		s.Licenses = "kept"
	case ledger.LicensesEnded:
		s.Licenses = "revoked"
	}
	if c := connections[t.Name]; c.Degraded() {
		s.Degraded = &degraded{Class: c.Class, Since: c.Since, Check: c.Check, Detail: c.Detail, Action: c.Action}
	}
	for _, h := range held {
		if h.Tenant == t.Name {
			item := heldItemOf(h)
			s.Held = append(s.Held, openHeld{Product: item.Product, Held: item.Held, Kind: item.Kind, State: item.State})
		}
	}
	return s
}

// standingIn reads where one tenant stands.
func standingIn(ctx context.Context, r *ledger.Reader, t ledger.Tenant) (*standing, error) {
	held, err := r.HeldChanges(ctx, t.Name, false)
	if err != nil {
		return nil, err
	}
	connections, err := r.Degraded(ctx)
	return standingOf(t, held, connections), err
}

// standings reads where all tenants stand, by name. Without a ledger at hand it is nil: a note says so, for it is no reason
// not to tell what the registry knows.
func (a *app) standings(ctx context.Context, named string) map[string]*standing {
	all := map[string]*standing{}
	err := a.withReader(ctx, named, func(r *ledger.Reader) error {
		tenants, err := r.Tenants(ctx)
		if err != nil {
			return err
		}
		held, err := r.HeldChanges(ctx, "", false)
		if err != nil {
			return err
		}
		connections, err := r.Degraded(ctx)
		for name, t := range tenants {
			all[name] = standingOf(t, held, connections)
		}
		return err
	})
	if err != nil {
		_, _ = fmt.Fprintf(a.stderr, "note: whether a tenant is frozen, paused or degraded, or has held changes, cannot be told without its ledger: %v\n", err)
		return nil
	}
	return all
}

// words are a tenant's standing for a table.
func (s *standing) words() string {
	if s == nil {
		return "-"
	}
	var words []string
	for _, w := range []struct {
		so   bool
		word string
	}{
		{s.Disconnected, "DISCONNECTED"},
		{s.Frozen, "FROZEN"},
		{s.Paused, "PAUSED"},
		{s.Restoring, "RESTORING"},
		{!s.StaleSince.IsZero(), "STALE"},
		{s.Degraded != nil, "DEGRADED"},
		{len(s.Held) > 0, fmt.Sprintf("%d HELD", len(s.Held))},
	} {
		if w.so {
			words = append(words, w.word)
		}
	}
	if len(words) == 0 {
		return "followed"
	}
	return strings.Join(words, ", ")
}

// notices say loudly what somebody must know who looks at a tenant or one of its users.
func (s *standing) notices(tenant string) string {
	if s == nil {
		return ""
	}
	var b strings.Builder
	say := func(so bool, format string, args ...any) {
		if so {
			_, _ = fmt.Fprintf(&b, format+"\n", args...)
		}
	}
	say(s.Disconnected, "%s is DISCONNECTED: its directory is not followed, and its licenses are %s.", tenant, s.Licenses)
	say(s.Frozen, "%s is FROZEN: nothing is revoked until \"rollcall unfreeze --tenant %s\".", tenant, tenant)
	say(s.Paused, "%s is PAUSED: nothing is decided until \"rollcall tenants resume %s\".", tenant, tenant)
	say(s.Restoring, "%s is RESTORING: nothing is decided until its directory has been read completely.", tenant)
	say(!s.StaleSince.IsZero(), "%s is STALE since %s: something that was said of it was given up, see \"rollcall dead-letters list --tenant %s\"; the full read that is ordered makes up for it.",
		tenant, s.StaleSince.UTC().Format(time.RFC3339), tenant)
	if d := s.Degraded; d != nil {
		say(true, "%s is DEGRADED (%s) since %s: %s", tenant, d.Class, d.Since.UTC().Format(time.RFC3339), d.Detail)
		say(true, "What to do: %s", d.Action)
	}
	for _, h := range s.Held {
		switch h.State {
		case string(ledger.HeldListing):
			say(true, "A change of %s (%s) is about to be HELD: its list is being made.", h.Product, h.Kind)
		case string(ledger.HeldApproved):
			say(true, "%s of %s is being carried out: \"rollcall held show %s --tenant %s\".", h.Held, h.Product, h.Held, tenant)
		default:
			say(true, "%s of %s is HELD: \"rollcall held show %s --tenant %s\".", h.Held, h.Product, h.Held, tenant)
		}
	}
	return b.String()
}
