package pages

import (
	"net/http"
	"time"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/internal/answer"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// tenantRow is one tenant of the list.
type tenantRow struct {
	tenant.Tenant
	AsOf   time.Time
	Badges []badge
}

// tenants lists what the principal sees, or goes on to it where there is no choice.
func (p *Pages) tenants(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	who, known := access.From(ctx)
	if !known {
		return errNotFound
	}
	all, err := p.deps.Tenants.List(ctx)
	if err != nil {
		return err
	}
	states, err := p.deps.Ledger.Tenants(ctx)
	if err != nil {
		return err
	}
	standings, err := answer.StandingsIn(ctx, p.deps.Ledger, "")
	if err != nil {
		return err
	}
	var rows []tenantRow
	for _, t := range all {
		if !who.Sees(t.ID) {
			continue
		}
		state, read := states[t.ID]
		row := tenantRow{Tenant: t, AsOf: answer.AsOf(ledger.TenantState{Tenant: state})}
		if !read || !state.Ready() {
			row.Badges = []badge{{"info", "refresh", "First sync running"}}
		} else {
			row.Badges = standingBadges(standings.Of(state))
		}
		rows = append(rows, row)
	}
	if len(rows) == 1 {
		http.Redirect(w, r, "/tenants/"+rows[0].ID, http.StatusSeeOther)
		return nil
	}
	return p.show(w, r, http.StatusOK, "tenants", frame{Title: "Tenants", Who: who, Body: rows})
}

// standingBadges say in a word each what keeps a tenant's licenses from following its directory.
func standingBadges(s *answer.Standing) (all []badge) {
	for _, b := range []struct {
		so bool
		badge
	}{
		{s.Disconnected, badge{"bad", "x", "Disconnected"}},
		{s.Degraded != nil, badge{"bad", "stop", "Degraded"}},
		{s.Credential.EndsSoon(), badge{"warn", "clock", "Credential ends"}},
		{s.Frozen, badge{"info", "snow", "Frozen"}},
		{s.Paused, badge{"warn", "pause", "Paused"}},
		{s.Restoring, badge{"info", "refresh", "Restoring"}},
		{!s.StaleSince.IsZero(), badge{"warn", "warn", "Stale"}},
		{len(s.Held) > 0, badge{"warn", "inbox", count(len(s.Held), "held change", "held changes")}},
	} {
		if b.so {
			all = append(all, b.badge)
		}
	}
	if all == nil {
		all = []badge{{"good", "check", "Followed"}}
	}
	return all
}
