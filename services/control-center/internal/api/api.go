// Package api is the HTTP API of the Control Center, as schemas/openapi.yaml describes it. Requests are checked against that
// document before anything is done: who may send them, what they say, and then what was generated from it calls one method for
// each operation.
package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/api/openapi"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/channels"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/connecting"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/problem"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/refresh"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/command"
	"github.com/rollcall-hq/rollcall/services/internal/connect"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// Tenants is the registry.
type Tenants interface {
	// Get returns one tenant. An id that it does not know is tenant.ErrNotFound.
	Get(ctx context.Context, id string) (tenant.Tenant, error)
	// List returns all tenants by id.
	List(ctx context.Context) ([]tenant.Tenant, error)
}

// Receivers are asked to change what is stored of a tenant; see connect.Client.
type Receivers interface {
	Disconnect(ctx context.Context, p directory.Provider, d connect.Disconnect) error
	Erase(ctx context.Context, p directory.Provider, e connect.Erase) error
	ChangeProducts(ctx context.Context, p directory.Provider, w connect.ChangeProducts) ([]tenant.Product, error)
}

// Config says how patient the API is.
type Config struct {
	// Patience is how long a request waits for the worker's answer to a command; zero: 5 seconds. Then it is told where to look.
	Patience time.Duration
}

// Deps are the parts that the API works with; all are needed.
type Deps struct {
	Ledger    *ledger.Reader
	Tenants   Tenants
	Bus       *bus.Bus
	Channels  *channels.Book
	Refreshes *refresh.Book
	Receivers Receivers
	Connector *connecting.Connector
	Clock     clock.Clock
	Logger    *slog.Logger
}

// API answers the requests of programs.
type API struct {
	cfg      Config
	deps     Deps
	commands *command.Client
	mux      *http.ServeMux
}

var _ openapi.StrictServerInterface = (*API)(nil)

// New makes the API. Its requests come with a principal, see access.From.
func New(cfg Config, deps Deps) (*API, error) {
	if cfg.Patience == 0 {
		cfg.Patience = 5 * time.Second
	}
	a := &API{cfg: cfg, deps: deps, commands: command.New(deps.Bus, deps.Clock), mux: http.NewServeMux()}
	operations, err := readOperations()
	if err != nil {
		return nil, err
	}
	r := &routes{api: a, operations: operations}
	openapi.HandlerWithOptions(openapi.NewStrictHandlerWithOptions(a, nil, openapi.StrictHTTPServerOptions{
		RequestErrorHandlerFunc: func(w http.ResponseWriter, r *http.Request, err error) {
			a.fail(w, r, invalid("body:", err.Error()))
		},
		ResponseErrorHandlerFunc: a.fail,
	}), openapi.StdHTTPServerOptions{
		BaseRouter:       r,
		ErrorHandlerFunc: func(w http.ResponseWriter, r *http.Request, err error) { a.fail(w, r, invalid("", err.Error())) },
	})
	a.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { problem.New(problem.NotFound, "").Write(w) })
	return a, r.complete()
}

// Handler serves everything under /api/v1/.
func (a *API) Handler() http.Handler { return a.mux }

// fail answers with a problem. What nobody has thought of is logged: those who asked are not told what it says.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problem.Of(err)
	if p.Code == problem.Internal {
		a.deps.Logger.ErrorContext(r.Context(), "a request to the API has failed", "route", r.Pattern, "error", err)
	}
	p.Write(w)
}

// tenant finds a tenant in the registry.
func (a *API) tenant(ctx context.Context, id string) (tenant.Tenant, error) {
	t, err := a.deps.Tenants.Get(ctx, id)
	if errors.Is(err, tenant.ErrNotFound) {
		err = problem.New(problem.NoSuchTenant, "")
	}
	return t, err
}

// product finds a product of a tenant in the registry.
func (a *API) product(ctx context.Context, tenantID, productID string) (tenant.Product, error) {
	t, err := a.tenant(ctx, tenantID)
	if err != nil {
		return tenant.Product{}, err
	}
	p, found := t.Product(productID)
	if !found {
		return p, problem.New(problem.NoSuchProduct, "")
	}
	return p, nil
}

// by names who sends the request in a command.
func by(ctx context.Context) string {
	p, _ := access.From(ctx)
	return p.ID
}

// invalid is a request of which one thing is wrong.
func invalid(where, message string) *problem.Problem {
	p := problem.New(problem.InvalidRequest, "")
	p.Faults = []problem.Fault{{Where: where, Message: message}}
	return p
}
