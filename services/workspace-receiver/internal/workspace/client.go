package workspace

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	admin "google.golang.org/api/admin/directory/v1"
	reports "google.golang.org/api/admin/reports/v1"
	"google.golang.org/api/option"

	"github.com/rollcall-hq/rollcall/services/internal/receiver/remote"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/workspace-receiver/internal/googleauth"
)

// scopes are the least that works: nothing can be changed with them.
var scopes = []string{admin.AdminDirectoryUserReadonlyScope, admin.AdminDirectoryGroupReadonlyScope, reports.AdminReportsAuditReadonlyScope}

// Scopes are what a customer's admin delegates.
func Scopes() []string { return slices.Clone(scopes) }

// customer stands for the customer whose admin we act as.
const customer = "my_customer"

// client sends requests to one tenant's Workspace. A call is one request, or a token's and one.
type client struct {
	directory *admin.Service
	reports   *reports.Service
	source    *googleauth.Source
	timeout   time.Duration
}

func (p *Provider) client(t tenant.Tenant, scopes []string) (*client, error) {
	base, err := remote.Base(cmp.Or(t.Endpoints.API, p.cfg.API))
	if err != nil {
		return nil, fmt.Errorf("workspace API: %w", err)
	}
	pool, err := p.pools.Transport(t.Endpoints.CAFile)
	if err != nil {
		return nil, err
	}
	source, err := googleauth.New(
		googleauth.Config{Credential: t.Credential, Scopes: scopes, Authority: t.Endpoints.Authority},
		googleauth.Deps{
			Transport: remote.Observed{Next: pool, Route: googleauth.Route, Tell: p.deps.Observe},
			LookupEnv: p.deps.LookupEnv, Clock: p.deps.Clock,
		})
	if err != nil {
		return nil, err
	}
	c := &client{source: source, timeout: p.cfg.Timeout}
	options := []option.ClientOption{
		option.WithEndpoint(base.String() + "/"),
		option.WithHTTPClient(&http.Client{
			Transport: &answers{next: signed{source, remote.Observed{Next: pool, Route: remote.Route, Tell: p.deps.Observe}}},
		}),
		// The SDK's own logger writes bodies and tokens down when an environment variable tells it to.
		option.WithLogger(slog.New(slog.DiscardHandler)),
	}
	// The contexts are for finding credentials, of which there is nothing to find.
	if c.directory, err = admin.NewService(context.Background(), options...); err != nil {
		return nil, fmt.Errorf("directory API: %w", err)
	}
	if c.reports, err = reports.NewService(context.Background(), options...); err != nil {
		return nil, fmt.Errorf("reports API: %w", err)
	}
	return c, nil
}

// send runs one call of the SDK's and returns the answer's bytes. Its route is a template; doing is for errors.
func (c *client) send(ctx context.Context, doing, route string, call func(context.Context) error) ([]byte, error) {
	ctx, cancel := context.WithTimeout(remote.WithRoute(ctx, route), c.timeout)
	defer cancel()
	ctx, answer := withAnswer(ctx)
	if err := call(ctx); err != nil {
		return nil, c.wrap(doing, err)
	}
	return answer.body, nil
}
