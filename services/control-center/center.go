// Package controlcenter is the service for people and programs that ask who is licensed, and why: an HTTP API, the question
// "may this user?", and pages. It reads the ledger and changes nothing itself: what somebody orders is a command on LEDGER_IN.
package controlcenter

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/connecting"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/notice"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/session"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// Config says how the Control Center is reached, and by whom.
type Config struct {
	// PublicURL is where people and programs reach it, without a path: https://rollcall.example.com.
	PublicURL string
	// AccessFile says who may sign in; empty: nobody.
	AccessFile string
	// NoticesFile says who is told what happens; empty: nobody.
	NoticesFile string
	// DevelopmentLogin lets anybody who reaches the listener sign in as anybody.
	DevelopmentLogin bool
	// TrustedProxy says that all requests come through a proxy that writes X-Forwarded-For.
	TrustedProxy bool
}

// Tenants tells what a tenant is. An id that it does not know is tenant.ErrNotFound.
type Tenants interface {
	Get(ctx context.Context, id string) (tenant.Tenant, error)
}

// Deps are the parts that a Center works with; all are needed.
type Deps struct {
	Bus     *bus.Bus
	Ledger  *ledger.Reader
	Tenants Tenants
	Logger  *slog.Logger
	Clock   clock.Clock
	Metrics prometheus.Registerer
}

// Center is the Control Center.
type Center struct {
	cfg       Config
	deps      Deps
	mux       *http.ServeMux
	guard     *access.Guard // around whatever says something of a tenant
	sessions  *session.Manager
	notices   *notice.Notifier // nil: nobody is told who does not watch
	connector *connecting.Connector
	books
	workers []func(ctx context.Context) error // until ctx ends, see Run
}

// New makes a Center, whose Handler answers at once.
func New(ctx context.Context, cfg Config, deps Deps) (*Center, error) {
	if deps.Bus == nil || deps.Ledger == nil || deps.Tenants == nil || deps.Logger == nil || deps.Clock == nil || deps.Metrics == nil {
		return nil, errors.New("the Control Center needs a bus, a ledger, tenants, a logger, a clock and metrics")
	}
	c := &Center{cfg: cfg, deps: deps, mux: http.NewServeMux()}
	for _, mount := range []func(context.Context) error{c.mountAccess, c.mountNotices, c.openBooks, c.openConnector, c.mountAPI, c.mountPages} {
		if err := mount(ctx); err != nil {
			return nil, err
		}
	}
	if err := c.mountAuthZEN(); err != nil {
		return nil, err
	}
	return c, nil
}

// Handler serves everything that the Control Center has.
func (c *Center) Handler() http.Handler { return access.Secure(c.cfg.PublicURL, c.mux) }

// Run works until ctx ends: it follows what is new, for those who watch and for those who do not, and clears up.
func (c *Center) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, work := range c.workers {
		group.Go(func() error { return work(ctx) })
	}
	return group.Wait()
}
