package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/answer"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// standings reads where all tenants stand, by name. Without a ledger at hand it is nil: a note says so, for it is no reason
// not to tell what the registry knows.
func (a *app) standings(ctx context.Context, named string) map[string]*answer.Standing {
	all := map[string]*answer.Standing{}
	err := a.withReader(ctx, named, func(r *ledger.Reader) error {
		tenants, err := r.Tenants(ctx)
		if err != nil {
			return err
		}
		standings, err := answer.StandingsIn(ctx, r, "")
		for name, t := range tenants {
			all[name] = standings.Of(t)
		}
		return err
	})
	if err != nil {
		_, _ = fmt.Fprintf(a.stderr, "note: whether a tenant is frozen, paused or degraded, or has held changes, cannot be told without its ledger: %v\n", err)
		return nil
	}
	return all
}

// standingWords are a tenant's standing for a table.
func standingWords(s *answer.Standing) string {
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
		{s.Credential.EndsSoon(), "CREDENTIAL ENDS"},
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

// standingNotices say loudly what somebody must know who looks at a tenant or one of its users.
func standingNotices(s *answer.Standing, tenant string) string {
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
	if c := s.Credential; c.EndsSoon() {
		say(true, "%s has a CREDENTIAL THAT ENDS: %s\nWhat to do: %s", tenant, c.Detail, c.Action)
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
