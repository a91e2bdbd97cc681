package graphreceiver_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	graphreceiver "github.com/rollcall-hq/rollcall/services/graph-receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/service/servicetest"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

func TestMain(m *testing.M) { bustest.VerifyNoLeaks(m) }

const (
	contosoID  = "9f4a1c2e-0000-4000-8000-000000000001"
	fabrikamID = "9f4a1c2e-0000-4000-8000-000000000002"
	tailspinID = "9f4a1c2e-0000-4000-8000-000000000003" // disconnected
)

// intake takes Graph's pushes, for tenants whose directories do not answer.
type intake struct{ *servicetest.Intake }

func start(t testing.TB) intake {
	t.Helper()
	var tenants []tenant.Tenant
	for id, directoryID := range map[string]string{"contoso": contosoID, "fabrikam": fabrikamID, "tailspin": tailspinID} {
		tenants = append(tenants, tenant.Tenant{
			ID: id, Provider: directory.Entra, DirectoryID: directoryID, Domain: id + ".com", Products: []tenant.Product{tenant.SecureShare()},
			Credential: tenant.Credential{Kind: tenant.ClientSecret, ClientID: "app", Env: "NO_SUCH_SECRET"},
			Endpoints:  tenant.Endpoints{API: "https://127.0.0.1:1/v1.0", Authority: "https://127.0.0.1:1"}, Disconnected: id == "tailspin",
		})
	}
	return intake{servicetest.Start(t, graphreceiver.New, graphreceiver.NotificationPath, tenants...)}
}

// secret is the clientState of a tenant's subscription, as JSON.
func (in intake) secret(tenantID string) string {
	return strconv.Quote(in.Secret(directory.Entra, tenantID, "c1"))
}

// item is one of Graph's: state is JSON, and rest is put into the group's resourceData.
func item(subscription, directoryID, state, group, rest string) string {
	return fmt.Sprintf(`{"changeType":"updated","clientState":%s,"resource":"Groups/%s","resourceData":{"@odata.type":"#Microsoft.Graph.Group",`+
		`"@odata.id":"Groups/%s","id":%q,"organizationId":%q%s},"subscriptionExpirationDateTime":"2026-12-02T11:00:00+00:00","subscriptionId":%q,"tenantId":%q}`,
		state, group, group, group, directoryID, rest, subscription, directoryID)
}

func (in intake) good() string { return item("s1", contosoID, in.secret("contoso"), "g1", "") }

// with is a good item whose members@delta is the given.
func (in intake) with(members string) string {
	return item("s1", contosoID, in.secret("contoso"), "g1", `,"members@delta":[`+members+`]`)
}

func (in intake) send(method, target, contentType, body string) int {
	in.T.Helper()
	return in.Do(method, target, http.Header{"Content-Type": {contentType}}, body)
}

func (in intake) post(body string) int {
	return in.send(http.MethodPost, in.URL, "application/json; charset=utf-8", body)
}

func (in intake) push(items ...string) int {
	return in.post(`{"value":[` + strings.Join(items, ",") + `]}`)
}

// shake sends a handshake and checks what is echoed.
func (in intake) shake(token string) int {
	in.T.Helper()
	status, echo := in.Ask(http.MethodPost, in.URL+"?validationToken="+url.QueryEscape(token), nil, "")
	if status == http.StatusOK && echo != token {
		in.T.Errorf("echoed %q, want %q", echo, token)
	}
	return status
}

func (in intake) lifecycle() string {
	return fmt.Sprintf(`{"subscriptionId":"s1","subscriptionExpirationDateTime":"2026-12-02T11:00:00Z","tenantId":%q,"clientState":%s,"lifecycleEvent":"reauthorizationRequired"}`,
		contosoID, in.secret("contoso"))
}

// cases are the rows of the table, by their names. They run in the order of the table, on one service.
func (in intake) cases() map[string]func() int {
	const added, removed = `{"id":"u1"}`, `{"id":"u1","@removed":"deleted"}`
	forged := strconv.Quote("v1.k1.contoso.c1.AAAAAAAAAAAAAAAAAAAAAAAAAAA")
	another := func() string { return item("s2", fabrikamID, in.secret("fabrikam"), "g9", "") }
	return map[string]func() int{
		"handshake": func() int {
			return in.shake("Validation: Testing client application reachability for subscription Request-Id: 1+2/3=")
		},
		"handshake with markup in its token":               func() int { return in.shake("<script>alert(1)</script>") },
		"good item":                                        func() int { return in.push(in.good()) },
		"the same change twice in one request":             func() int { return in.push(in.good(), in.good()) },
		"several subscriptions and tenants in one request": func() int { return in.push(in.good(), another()) },
		"forged clientState":                               func() int { return in.push(item("s1", contosoID, forged, "g1", "")) },
		"clientState null":                                 func() int { return in.push(item("s1", contosoID, "null", "g1", "")) },
		"clientState missing": func() int {
			return in.push(strings.Replace(in.good(), `"clientState"`, `"nothing"`, 1))
		},
		"unknown subscription, clientState proved": func() int {
			return in.push(item("never-seen", contosoID, in.secret("contoso"), "g1", ""))
		},
		"unknown subscription, clientState not proved": func() int { return in.push(item("never-seen", contosoID, forged, "g1", "")) },
		"foreign tenant":                        func() int { return in.push(item("s1", fabrikamID, in.secret("contoso"), "g1", "")) },
		"tenant that is not connected":          func() int { return in.push(item("s1", contosoID, in.secret("nobody"), "g1", "")) },
		"tenant that is disconnected":           func() int { return in.push(item("s1", tailspinID, in.secret("tailspin"), "g1", "")) },
		"good and bad items in one request":     func() int { return in.push(item("s1", contosoID, forged, "g1", ""), another(), `"no object"`) },
		"item with fields of a wrong type":      func() int { return in.push(strings.Replace(in.good(), `"s1"`, `7`, 1)) },
		"lifecycle item without resource":       func() int { return in.push(in.lifecycle()) },
		"member added and removed in one array": func() int { return in.push(in.with(added + "," + removed)) },
		"@removed as a string":                  func() int { return in.push(in.with(removed)) },
		"@removed as an object":                 func() int { return in.push(in.with(`{"id":"u1","@removed":{"reason":"deleted"}}`)) },
		"no items":                              func() int { return in.push() },
		"wrong content type":                    func() int { return in.send(http.MethodPost, in.URL, "text/html", `{"value":[`+in.good()+`]}`) },
		"broken JSON":                           func() int { return in.post(`{"value":[` + in.good()) },
		"JSON without a list of items":          func() int { return in.post(`{"values":{}}`) },
		"5 MB":                                  func() int { return in.post(`{"value":[` + strings.Repeat(" ", 5_000_000) + in.good() + `]}`) },
		"slow body":                             in.Slow,
		"not POST":                              func() int { return in.send(http.MethodPut, in.URL, "application/json", `{"value":[`+in.good()+`]}`) },
		"another path": func() int {
			return in.send(http.MethodPost, in.URL+"/more", "application/json", `{"value":[`+in.good()+`]}`)
		},
		"tenants not known yet":          func() int { return start(in.T).push(in.good()) },
		"NATS away":                      func() int { return in.push(in.good()) },
		"sent again after NATS was away": func() int { return in.push(in.good()) },
	}
}

func TestEveryCaseOfTheTable(t *testing.T) {
	t.Parallel()
	in := start(t)
	in.Run()
	in.Play("Pushes of Microsoft Graph", in.cases())
}
