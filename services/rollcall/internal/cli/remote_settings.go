package cli

import (
	"context"
	"time"

	"github.com/oapi-codegen/runtime/types"
	"golang.org/x/sync/errgroup"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/apiclient"
	"github.com/rollcall-hq/rollcall/services/internal/seats"
)

// Settings tells how a tenant's changes are treated.
func (r *remote) Settings(ctx context.Context, tenantID string) (settingsShown, error) {
	s, err := apiclient.Read[apiclient.Settings](r.api.GetSettings(ctx, tenantID, nil))
	if err != nil {
		return settingsShown{}, err
	}
	t, err := apiclient.Read[apiclient.Tenant](r.api.GetTenant(ctx, tenantID, nil))
	return settingsShown{
		Tenant: tenantID, Standing: standingFrom(t.Standing),
		Hold: event.HoldSettings{Flips: string(s.Hold.Flips), Share: s.Hold.Share, Least: s.Hold.Least, ExpirySeconds: s.Hold.ExpirySeconds},
	}, err
}

func settingsPatch(d event.SettingsRequested) apiclient.SettingsPatch {
	p := apiclient.SettingsPatch{Paused: d.Paused, Frozen: d.Frozen}
	if h := d.Hold; h != nil {
		p.Hold = &apiclient.HoldPatch{Flips: apiclient.Flips(h.Flips), Share: h.Share, Least: h.Least, ExpirySeconds: h.ExpirySeconds}
	}
	return p
}

// TenantNames are the tenants that the token may see, or the one that is named: whether that is one is told by what is ordered.
func (r *remote) TenantNames(ctx context.Context, only string) (names []string, err error) {
	if only != "" {
		return []string{only}, nil
	}
	err = r.eachTenant(ctx, func(t apiclient.TenantSummary) error {
		names = append(names, t.ID)
		return nil
	})
	return names, err
}

// atOnce is to how many tenants a command goes at the same time.
const atOnce = 64

// OrderAll gives the command to several tenants at a time.
func (r *remote) OrderAll(ctx context.Context, g given, tenants []string, data any) []settled {
	all := make([]settled, len(tenants))
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i, name := range tenants {
		group.Go(func() error {
			all[i].Tenant = name
			if _, err := r.Order(ctx, g, name, data); err != nil {
				all[i].Error = err.Error()
				return nil //nolint:nilerr // it stands beside the tenant
			}
			all[i].Done = true
			return nil
		})
	}
	_ = group.Wait()
	return all
}

// Days tells how the seats of a product were used.
func (r *remote) Days(ctx context.Context, tenantID, product string, from, to time.Time) (seats.Report, error) {
	made, err := apiclient.Read[apiclient.SeatsDays](r.api.GetSeatsDays(ctx, tenantID, product, &apiclient.GetSeatsDaysParams{
		From: &types.Date{Time: from}, To: &types.Date{Time: to},
	}))
	if err != nil {
		return seats.Report{}, err
	}
	out := seats.Report{From: made.From, To: made.To, Peak: made.Peak, PeakAt: made.PeakAt, Over: made.Over, OverAt: made.OverAt}
	for _, d := range made.Days {
		out.Days = append(out.Days, seats.Day{
			Date: d.Date.Time, Used: d.Used, Peak: d.Peak, Over: d.Over, Seats: seatsFrom(apiclient.SeatsSet{Purchased: d.Purchased, Enforce: d.Enforce}),
		})
	}
	return out, nil
}
