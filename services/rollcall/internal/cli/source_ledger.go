package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/answer"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/seats"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// asking gives work who answers: the server that was named, or else a ledger.
func (a *app) asking(ctx context.Context, named string, work func(source) error) error {
	if a.server.named() {
		r, err := a.remote()
		if err != nil {
			return err
		}
		return work(r)
	}
	return a.withReader(ctx, named, func(r *ledger.Reader) error { return work(inLedger{r}) })
}

// ordering gives work who takes orders: the server that was named, or else the stream of commands.
func (a *app) ordering(work func(orders) error) error {
	if a.server.named() {
		r, err := a.remote()
		if err != nil {
			return err
		}
		return work(r)
	}
	return a.withBus(func(b *bus.Bus) error { return work(onBus{a, b}) })
}

// withDirectories gives work who knows the tenants; from is the ledger that knows where they stand.
func (a *app) withDirectories(from string, work func(directories) error) error {
	if a.server.named() {
		r, err := a.remote()
		if err != nil {
			return err
		}
		return work(r)
	}
	return a.withBus(func(b *bus.Bus) error { return work(inRegistry{a, b, from}) })
}

// inLedger answers from a ledger.
type inLedger struct{ *ledger.Reader }

func (l inLedger) Decide(ctx context.Context, q answer.Question) (answer.Decision, ledger.UserState, error) {
	return answer.Decide(ctx, l.Reader, q)
}

func (l inLedger) Periods(ctx context.Context, tenantID string, u ledger.UserState, product string) ([]period, error) {
	found, err := l.History(ctx, u, product)
	if err != nil {
		return nil, err
	}
	periods := make([]period, len(found))
	for i, p := range found {
		path, err := answer.Steps(ctx, l.Reader, tenantID, p.Path)
		if err != nil {
			return nil, err
		}
		periods[i] = period{From: p.From, Licensed: p.Licensed, Reason: p.Reason, Path: path, Cause: p.Cause, Sequence: p.Sequence}
		if !p.To.IsZero() {
			periods[i].To = &p.To
		}
	}
	return periods, nil
}

func (l inLedger) Behind(ctx context.Context, e *explainedAt) error {
	policy, found, err := l.PolicyAt(ctx, e.Tenant, e.Product, e.At)
	if err != nil {
		return err
	}
	if found {
		e.Mode, e.Group = policy.Mode, policy.Group
	}
	if e.From == nil {
		return nil
	}
	chains, err := l.Chains(ctx, e.Tenant)
	if err != nil {
		return err
	}
	e.Chain, err = chainOf(ctx, chains, e.Cause)
	return err
}

func (l inLedger) Licenses(ctx context.Context, tenantID, product string, at time.Time, each func(ledger.License) error) error {
	if at.IsZero() {
		at = time.Now()
	}
	return l.Reader.Licenses(ctx, tenantID, product, at, each)
}

func (l inLedger) EachHeldLine(ctx context.Context, h ledger.HeldChange, limit int, each func(ledger.HeldLine) error) (int, error) {
	return eachHeldLine(ctx, l.Reader, h, limit, each)
}

func (l inLedger) Standing(ctx context.Context, t ledger.TenantState) (*answer.Standing, error) {
	return answer.StandingIn(ctx, l.Reader, t.Tenant)
}

func (l inLedger) Days(ctx context.Context, tenantID, product string, from, to time.Time) (seats.Report, error) {
	return seats.Make(ctx, l.Reader, tenantID, product, from, to, time.Now())
}

func (l inLedger) Settings(ctx context.Context, tenantID string) (shown settingsShown, err error) {
	t, err := l.Tenant(ctx, tenantID)
	if err != nil {
		return shown, err
	}
	shown = settingsShown{Tenant: tenantID, Hold: event.HoldSettings{
		Flips: event.FlipsApply, Share: t.Hold.Guard.Share, Least: t.Hold.Guard.Least, ExpirySeconds: int(t.Hold.Expiry / time.Second),
	}}
	if t.Hold.Flips {
		shown.Hold.Flips = event.FlipsHold
	}
	shown.Standing, err = l.Standing(ctx, t)
	return shown, err
}

// onBus gives commands over NATS.
type onBus struct {
	app *app
	bus *bus.Bus
}

func (o onBus) Order(ctx context.Context, g given, tenantID string, data any) (event.Answered, error) {
	return o.app.order(ctx, o.bus, g, tenantID, data)
}

func (o onBus) ProductOf(ctx context.Context, tenantID, productID string) (tenant.Product, error) {
	registry, err := o.app.tenants(ctx, o.bus)
	if err != nil {
		return tenant.Product{}, err
	}
	t, err := registry.Get(ctx, tenantID)
	if err != nil {
		return tenant.Product{}, err
	}
	return productIn(t, productID)
}

// inRegistry tells of the tenants in the registry.
type inRegistry struct {
	app    *app
	bus    *bus.Bus
	ledger string // knows where they stand
}

func (r inRegistry) List(ctx context.Context) ([]shownTenant, error) {
	registry, err := r.app.tenants(ctx, r.bus)
	if err != nil {
		return nil, err
	}
	all, err := registry.List(ctx)
	if err != nil {
		return nil, err
	}
	standings := r.app.standings(ctx, r.ledger)
	shown := make([]shownTenant, len(all))
	for i, t := range all {
		shown[i] = shownTenant{Tenant: t, Credential: &t.Credential, Standing: standings[t.ID]}
	}
	return shown, nil
}

func (r inRegistry) Show(ctx context.Context, id string) (shownTenant, error) {
	shown, err := r.app.shownTenant(ctx, r.bus, id)
	if err != nil {
		return shown, err
	}
	shown.Standing = r.app.standings(ctx, r.ledger)[id]
	return shown, nil
}

// overAPI marks a command as one that the HTTP API can answer.
func overAPI(cmd *cobra.Command) *cobra.Command { return annotate(cmd, answersOverAPI) }
