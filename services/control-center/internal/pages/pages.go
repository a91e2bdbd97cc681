// Package pages is what people see of the Control Center: pages that the server renders from the ledger, and that stay current
// while they are open. What somebody orders on them is a command on LEDGER_IN. Whoever sends a request is on its context
// already, and may be nobody that sees the tenant: that is answered as a tenant that does not exist.
package pages

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/channels"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/connecting"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/live"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/refresh"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/command"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// Tenants is the registry, to read.
type Tenants interface {
	Get(ctx context.Context, id string) (tenant.Tenant, error) // tenant.ErrNotFound
	List(ctx context.Context) ([]tenant.Tenant, error)         // by id
}

// Deps are what the pages work with; all but Notices, Receivers, Connector, Errands and Patience are needed.
type Deps struct {
	Ledger    *ledger.Reader
	Tenants   Tenants
	Channels  *channels.Book
	Refreshes *refresh.Book
	Bus       *bus.Bus
	Live      *live.Hub
	Notices   Notices // nil: nobody is told who does not watch
	// Receivers are for changing what is stored of tenants, Connector and Errands for connecting them; without them nobody does so
	// here.
	Receivers Receivers
	Connector *connecting.Connector
	Errands   Errands
	Clock     clock.Clock
	Logger    *slog.Logger
	// Patience is how long a page waits for what becomes of a command, before it says that it may take longer; zero: 10 seconds.
	Patience time.Duration
}

// Pages answers for the pages, and for what they are made of.
type Pages struct {
	deps     Deps
	commands *command.Client
	counts   *countBook
	assets   *assets
	pages    map[string]page
}

// New reads the templates and the assets, which are in the program.
func New(deps Deps) (*Pages, error) {
	if deps.Patience == 0 {
		deps.Patience = 10 * time.Second
	}
	p := &Pages{
		deps: deps, commands: command.New(deps.Bus, deps.Clock),
		counts: &countBook{ledger: deps.Ledger, clock: deps.Clock, known: map[string]knownCount{}},
	}
	var err error
	if p.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	p.pages, err = p.loadPages()
	return p, err
}

// Assets serves what pages are made of, GET /assets/{name}: to everybody, for there is nothing of anybody in it.
func (p *Pages) Assets() http.Handler { return p.assets }

// Handler serves everything else under "/".
func (p *Pages) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", p.serve(p.tenants))
	seen := func(pattern string, f func(http.ResponseWriter, *http.Request, *scope) error) {
		mux.Handle(pattern, p.serve(p.scoped(f)))
	}
	ordered := func(pattern string, f func(http.ResponseWriter, *http.Request, *scope) error) {
		mux.Handle("POST "+pattern, p.serve(p.scoped(commanded(f))))
	}
	seen("GET /tenants/{tenant}", p.overview)
	seen("GET /tenants/{tenant}/usage", p.usage)
	seen("GET /tenants/{tenant}/live", p.follow)
	seen("GET /tenants/{tenant}/users", p.users)
	seen("GET /tenants/{tenant}/users.csv", p.usersCSV)
	seen("GET /tenants/{tenant}/users/{user}", p.user)
	seen("GET /tenants/{tenant}/groups", p.groups)
	seen("GET /tenants/{tenant}/groups/{group}", p.group)
	seen("GET /tenants/{tenant}/activity", p.activity)
	seen("GET /tenants/{tenant}/held/{held}", p.held)
	seen("GET /tenants/{tenant}/connections", p.connections)
	seen("GET /tenants/{tenant}/refreshes/{refresh}", p.refresh)
	seen("GET /tenants/{tenant}/refreshes/{refresh}/progress", p.progress)
	seen("GET /tenants/{tenant}/settings", p.settings)
	ordered("/tenants/{tenant}/users/{user}/check", p.checkAgain)
	ordered("/tenants/{tenant}/held/{held}/approve", p.approve)
	ordered("/tenants/{tenant}/held/{held}/reject", p.reject)
	ordered("/tenants/{tenant}/refreshes", p.startRefresh)
	ordered("/tenants/{tenant}/settings/seats", p.setSeats)
	ordered("/tenants/{tenant}/settings/hold", p.setHold)
	ordered("/tenants/{tenant}/settings/standing", p.setStanding)
	ordered("/tenants/{tenant}/settings/notices/test", p.testNotices)
	if p.deps.Receivers != nil {
		seen("GET /tenants/{tenant}/disconnect", p.disconnectForm)
		ordered("/tenants/{tenant}/disconnect", p.disconnect)
		seen("GET /tenants/{tenant}/erase", p.eraseForm)
		ordered("/tenants/{tenant}/erase", p.erase)
		ordered("/tenants/{tenant}/settings/products", p.setProduct)
		ordered("/tenants/{tenant}/settings/products/add", p.addProduct)
		ordered("/tenants/{tenant}/settings/products/remove", p.removeProduct)
	}
	if p.connecting() {
		p.connectRoutes(mux)
	}
	mux.Handle("/", p.serve(func(http.ResponseWriter, *http.Request) error { return errNotFound }))
	return zipped(mux)
}

// scope is one tenant as one principal sees it, with what every page of it needs.
type scope struct {
	Tenant tenant.Tenant
	State  ledger.TenantState // without Users and Groups
	Known  bool               // whether the ledger has heard of it
	Who    access.Principal
	Mark   string // of the moment before State was read
	Now    time.Time
}

// Commands reports whether the principal may order something.
func (s *scope) Commands() bool { return s.Who.Commands(s.Tenant.ID) }

// Path is the address of a page of the tenant.
func (s *scope) Path() string { return "/tenants/" + s.Tenant.ID }

// Product returns how a product is called.
func (s *scope) Product(id string) string {
	if p, known := s.Tenant.Product(id); known {
		return p.Name
	}
	return id
}

// scoped finds the tenant of a request.
func (p *Pages) scoped(f func(http.ResponseWriter, *http.Request, *scope) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		id := r.PathValue("tenant")
		who, known := access.From(r.Context())
		if !known || !event.ValidSlug(id) || !who.Sees(id) {
			return errNotFound
		}
		s := &scope{Who: who, Mark: p.deps.Live.Mark(id), Now: p.deps.Clock.Now()}
		var err error
		s.Tenant, err = p.deps.Tenants.Get(r.Context(), id)
		if errors.Is(err, tenant.ErrNotFound) {
			return errNotFound
		}
		if err != nil {
			return err
		}
		s.State, err = p.deps.Ledger.TenantUncounted(r.Context(), id)
		if err != nil && !errors.Is(err, ledger.ErrNoTenant) {
			return err
		}
		s.Known = err == nil
		return f(w, r, s)
	}
}

// commanded lets only those order something who may.
func commanded(f func(http.ResponseWriter, *http.Request, *scope) error) func(http.ResponseWriter, *http.Request, *scope) error {
	return func(w http.ResponseWriter, r *http.Request, s *scope) error {
		if !s.Commands() {
			return errForbidden
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			return badRequest("The form could not be read.")
		}
		return f(w, r, s)
	}
}

// maxForm is far more than any form of ours has.
const maxForm = 64 << 10
