package cli

import (
	"context"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/answer"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/seats"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// What commands ask, and what they order. Each is answered in two ways: by NATS and the ledger themselves, and with --server by
// the HTTP API of a Control Center. What is printed of the answers is the same.

// directories tells of tenants.
type directories interface {
	List(ctx context.Context) ([]shownTenant, error)
	Show(ctx context.Context, id string) (shownTenant, error)
}

// productKnower says what a tenant's product gives to whom.
type productKnower interface {
	ProductOf(ctx context.Context, tenantID, productID string) (tenant.Product, error)
}

// stateKnower says what is known of a tenant and its products.
type stateKnower interface {
	Tenant(ctx context.Context, name string) (ledger.TenantState, error)
}

// decisions tells of one user.
type decisions interface {
	stateKnower
	Decide(ctx context.Context, q answer.Question) (answer.Decision, ledger.UserState, error)
	FindUser(ctx context.Context, tenantID, ref string) (ledger.UserState, error)
	// Periods are the times in which a decision held, the first one first.
	Periods(ctx context.Context, tenantID string, u ledger.UserState, product string) ([]period, error)
	// Behind adds to what held at a moment what was in force then, and what had led to its cause.
	Behind(ctx context.Context, e *explainedAt) error
}

// licensees tells who is licensed: now, where at is zero.
type licensees interface {
	stateKnower
	Licenses(ctx context.Context, tenantID, product string, at time.Time, each func(ledger.License) error) error
}

// holds tells of held changes.
type holds interface {
	HeldChanges(ctx context.Context, tenantID string, closed bool) ([]ledger.HeldChange, error)
	HeldChange(ctx context.Context, tenantID, product, ref string) (ledger.HeldChange, error)
	// EachHeldLine reads a list, up to a limit where there is one, and returns how many lines it read.
	EachHeldLine(ctx context.Context, h ledger.HeldChange, limit int, each func(ledger.HeldLine) error) (int, error)
	// Names tells of those of the users whom it knows.
	Names(ctx context.Context, tenantID string, users []string) (map[string]ledger.UserState, error)
}

// seatsKnower tells how seats stand.
type seatsKnower interface {
	stateKnower
	// Line is who waits for a seat, the next one first, up to a limit, and how many do.
	Line(ctx context.Context, tenantID, product string, after int64, limit int) ([]ledger.InLine, int, error)
	Standing(ctx context.Context, t ledger.TenantState) (*answer.Standing, error)
	// Days tells how they were used, from one day to another that is included.
	Days(ctx context.Context, tenantID, product string, from, to time.Time) (seats.Report, error)
}

// settingsKnower tells how a tenant's changes are treated.
type settingsKnower interface {
	Settings(ctx context.Context, tenantID string) (settingsShown, error)
}

// source is all that is asked of a ledger.
type source interface {
	decisions
	licensees
	holds
	seatsKnower
	settingsKnower
}

// everywhere gives a command to many tenants.
type everywhere interface {
	// TenantNames are the tenants that there are, or the one that is named.
	TenantNames(ctx context.Context, only string) ([]string, error)
	// OrderAll gives the same command to several tenants: one that is slow to answer delays no other.
	OrderAll(ctx context.Context, g given, tenants []string, data any) []settled
}

// orders gives commands.
type orders interface {
	productKnower
	everywhere
	// Order gives a command, one of event's …Requested types, and waits for its answer.
	Order(ctx context.Context, g given, tenantID string, data any) (event.Answered, error)
	// Disconnect has a directory followed no longer, and returns the id of the command.
	Disconnect(ctx context.Context, g given, tenantID string, data event.DisconnectRequested) (string, error)
	// Erase has a disconnected one forgotten, and returns the id of the command.
	Erase(ctx context.Context, g given, tenantID string, data event.EraseRequested) (string, error)
	// ChangeProducts changes which products a tenant has, where something is named, and returns it as it is then.
	ChangeProducts(ctx context.Context, tenantID string, set []tenant.Product, remove []string) (tenant.Tenant, error)
	// Refresh asks for a complete read.
	Refresh(ctx context.Context, g given, tenantID string, preview bool) (refreshing, error)
}

// refreshing is a refresh that was asked for.
type refreshing struct {
	id string // of the command, and of the snapshot that answers it
	// follow shows how far it is, and waits for the end.
	follow func(ctx context.Context, p *progress) (event.RefreshCompleted, error)
}
