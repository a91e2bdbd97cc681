package graph

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	kiota "github.com/microsoft/kiota-abstractions-go"
	kiotaazure "github.com/microsoft/kiota-authentication-azure-go"
	kiotahttp "github.com/microsoft/kiota-http-go"
	kiotajson "github.com/microsoft/kiota-serialization-json-go"
	core "github.com/microsoftgraph/msgraph-sdk-go-core"
	"github.com/microsoftgraph/msgraph-sdk-go/subscriptions"

	"github.com/rollcall-hq/rollcall/services/graph-receiver/internal/entraid"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/remote"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// client sends requests to one tenant's Graph. A call is one request, or a token's and one: the SDK's own retries are
// left out, as they would hide throttling from the lane and could make a subscription twice.
type client struct {
	base       *url.URL
	timeout    time.Duration
	adapter    *core.GraphRequestAdapterBase
	credential *entraid.Credential
	scopes     []string // of its tokens
}

// client builds the SDK's request adapter by hand: its root package would bring the whole of Graph.
func (p *Provider) client(t tenant.Tenant, base *url.URL) (*client, error) {
	pool, err := p.pools.Transport(t.Endpoints.CAFile)
	if err != nil {
		return nil, err
	}
	credential, err := entraid.New(
		entraid.Config{DirectoryID: t.DirectoryID, Authority: t.Endpoints.Authority, Credential: t.Credential},
		entraid.Deps{Transport: remote.Observed{Next: pool, Route: authorityRoute, Tell: p.deps.Observe}, LookupEnv: p.deps.LookupEnv, Clock: p.deps.Clock},
	)
	if err != nil {
		return nil, err
	}
	// A host that is not named here would be sent no token, without an error.
	scopes, hosts := []string{scopeOf(base)}, []string{base.Hostname()}
	auth, err := kiotaazure.NewAzureIdentityAuthenticationProviderWithScopesAndValidHostsAndObservabilityOptionsAndIsCaeEnabled(
		credential, scopes, hosts, kiotaazure.ObservabilityOptions{}, false)
	if err != nil {
		return nil, err
	}
	adapter, err := core.NewGraphRequestAdapterBaseWithParseNodeFactoryAndSerializationWriterFactoryAndHttpClient(
		auth, core.GraphClientOptions{}, kiotajson.NewJsonParseNodeFactory(), kiotajson.NewJsonSerializationWriterFactory(), p.httpClient(pool))
	if err != nil {
		return nil, err
	}
	adapter.SetBaseUrl(base.String())
	return &client{base: base, timeout: p.cfg.Timeout, adapter: adapter, credential: credential, scopes: scopes}, nil
}

// Scope is what an application asks for at an API, PublicAPI where it is empty: all that is registered of it there.
func Scope(api string) (string, error) {
	base, err := parseAPI(cmp.Or(api, PublicAPI))
	if err != nil {
		return "", err
	}
	return scopeOf(base), nil
}

func scopeOf(base *url.URL) string { return "https://" + base.Host + "/.default" }

// httpClient has the SDK's middleware but for retries, redirects (a token is for one host) and compression (bodies are
// smaller than a packet). The order is ours; the SDK's own is random.
func (p *Provider) httpClient(pool http.RoundTripper) *http.Client {
	return &http.Client{
		Transport: kiotahttp.NewCustomTransportWithParentTransport(
			answers{remote.Observed{Next: pool, Route: remote.Route, Tell: p.deps.Observe}},
			core.NewGraphTelemetryHandler(&core.GraphClientOptions{}), kiotahttp.NewUserAgentHandler()),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// get sends one GET through the adapter and returns the body. It refuses an address that is not the API's.
func (c *client) get(ctx context.Context, route, address string, headers ...[2]string) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil || !c.owns(address) {
		return nil, errForeign
	}
	ctx, cancel := context.WithTimeout(remote.WithRoute(ctx, route), c.timeout)
	defer cancel()
	info := kiota.NewRequestInformation()
	info.Method = kiota.GET
	info.SetUri(*u)
	info.Headers.Add("Accept", "application/json")
	for _, h := range headers {
		info.Headers.Add(h[0], h[1])
	}
	body, err := c.adapter.SendPrimitive(ctx, info, "[]byte", nil)
	if err != nil {
		return nil, err
	}
	if body, ok := body.([]byte); ok {
		return body, nil
	}
	return nil, errEmpty
}

var (
	errEmpty   = errors.New("the answer is empty")
	errForeign = errors.New("the link leads to another host than the API")
)

// owns reports whether a link is the API's own, so that it may be sent a token.
func (c *client) owns(link string) bool { return remote.Owns(c.base, link) }

// subscriptions returns the SDK's builder.
func (c *client) subscriptions() *subscriptions.SubscriptionsRequestBuilder {
	return subscriptions.NewSubscriptionsRequestBuilderInternal(map[string]string{"baseurl": c.base.String()}, c.adapter)
}

// query encodes parameters as OData wants them: names with their $, spaces as %20. It takes names and values in turn.
func query(pairs ...string) string {
	var b strings.Builder
	for i := 0; i+1 < len(pairs); i += 2 {
		b.WriteByte("?&"[min(i, 1)])
		b.WriteString(pairs[i] + "=" + strings.ReplaceAll(url.QueryEscape(pairs[i+1]), "+", "%20"))
	}
	return b.String()
}

// quote makes an OData string literal.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
