package simulator_test

import (
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/simulator"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

const back = "https://rollcall.example.com/connect/entra/callback"

// consent is a directory whose admin has not consented yet.
type consent struct {
	*sim
	clock *clock.Fake
	path  string
	ask   url.Values
}

func newConsent(t *testing.T) *consent {
	t.Helper()
	fake := clock.NewFake(time.Now())
	s := start(t, simulator.Config{}, fake)
	s.tenant = must(s.control.PutTenant(t.Context(), control.Tenant{
		ID: "northwind", Name: "Northwind", Domains: []string{"northwind.com"},
		App: control.App{ClientID: clientID, Secret: secret, Redirects: []string{back}, Unconsented: true},
	}))(t)
	s.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &consent{sim: s, clock: fake, path: "/" + s.tenant.DirectoryID + "/v2.0/adminconsent", ask: url.Values{
		"client_id": {clientID}, "scope": {"https://graph.microsoft.com/.default"}, "redirect_uri": {back}, "state": {"a state"},
	}}
}

// signIn is what the token endpoint says to the application.
func (c *consent) signIn() error {
	return c.works(must(azidentity.NewClientSecretCredential(c.tenant.DirectoryID, clientID, secret,
		&azidentity.ClientSecretCredentialOptions{ClientOptions: c.azure(), DisableInstanceDiscovery: true}))(c.t))
}

// decide answers on the page, and returns where the browser is sent.
func (c *consent) decide(decision string) url.Values {
	c.t.Helper()
	form := url.Values{"decision": {decision}}
	for name, values := range c.ask {
		form[name] = values
	}
	res := must(c.http.PostForm(c.server.URL()+c.path, form))(c.t)
	defer func() { _ = res.Body.Close() }()
	to, err := res.Location()
	if err != nil || res.StatusCode != http.StatusFound || !strings.HasPrefix(to.String(), back+"?") {
		c.t.Fatalf("%d to %v, %v", res.StatusCode, to, err)
	}
	return to.Query()
}

func TestAdminConsent(t *testing.T) {
	t.Parallel()
	c := newConsent(t)
	if err := c.signIn(); err == nil || !strings.Contains(err.Error(), "AADSTS700016") {
		t.Fatalf("before consent: %v", err)
	}
	res := must(c.http.Get(c.server.URL() + c.path + "?" + c.ask.Encode()))(t)
	page := must(io.ReadAll(res.Body))(t)
	_ = res.Body.Close()
	for _, part := range []string{"admin@northwind.com", "User.Read.All", ">Accept<", ">Cancel<"} {
		if !strings.Contains(string(page), part) {
			t.Errorf("the page lacks %q:\n%s", part, page)
		}
	}
	if got := c.decide("cancel"); got.Get("admin_consent") != "True" || got.Get("error") != "consent_required" || got.Get("state") != "a state" ||
		!strings.HasPrefix(got.Get("error_description"), "AADSTS65004: ") || got.Has("tenant") {
		t.Errorf("cancelled: %v", got)
	}
	if err := c.signIn(); err == nil || !strings.Contains(err.Error(), "AADSTS700016") {
		t.Errorf("after it was cancelled: %v", err)
	}
	if err := c.control.PutSettings(t.Context(), control.Settings{ConsentLag: time.Minute}); err != nil {
		t.Fatal(err)
	}
	if got := c.decide("accept"); got.Get("admin_consent") != "True" || got.Has("error") || got.Get("tenant") != c.tenant.DirectoryID || got.Get("scope") != c.ask.Get("scope") {
		t.Errorf("accepted: %v", got)
	}
	if err := c.signIn(); err == nil || !strings.Contains(err.Error(), "AADSTS700016") {
		t.Errorf("before the consent has arrived: %v", err)
	}
	c.clock.Advance(time.Minute)
	if err := c.signIn(); err != nil {
		t.Errorf("with consent: %v", err)
	}
	// Consent grants what the application asks for, also where some of it was taken away.
	if err := c.control.SetPermissions(t.Context(), "northwind", []string{}); err != nil {
		t.Fatal(err)
	}
	c.decide("accept")
	all := must(c.control.Tenants(t.Context()))(t)
	if !slices.Equal(all[0].App.Permissions, control.DefaultPermissions()) || all[0].App.Unconsented {
		t.Errorf("granted: %+v", all[0].App)
	}
}

// What is not in order is told on the page, and the browser is sent nowhere.
func TestAdminConsentGoesNowhereElse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*consent)
		says   string
	}{
		"another place":     {func(c *consent) { c.ask.Set("redirect_uri", back+"/x") }, "AADSTS50011"},
		"another app":       {func(c *consent) { c.ask.Set("client_id", "other") }, "AADSTS700016"},
		"no app":            {func(c *consent) { c.ask.Del("client_id") }, "AADSTS900144"},
		"no scope":          {func(c *consent) { c.ask.Del("scope") }, "AADSTS900144"},
		"another directory": {func(c *consent) { c.path = "/11111111-0000-0000-0000-000000000000/v2.0/adminconsent" }, "AADSTS90002"},
	} {
		one := newConsent(t)
		c.change(one)
		for _, send := range []func() (*http.Response, error){
			func() (*http.Response, error) {
				return one.http.Get(one.server.URL() + one.path + "?" + one.ask.Encode())
			},
			func() (*http.Response, error) {
				return one.http.PostForm(one.server.URL()+one.path, url.Values{"decision": {"accept"}, "client_id": one.ask["client_id"], "scope": one.ask["scope"], "redirect_uri": one.ask["redirect_uri"]})
			},
		} {
			res := must(send())(t)
			page := must(io.ReadAll(res.Body))(t)
			_ = res.Body.Close()
			if res.StatusCode != http.StatusBadRequest || !strings.Contains(string(page), c.says) || res.Header.Get("Location") != "" {
				t.Errorf("%s: %d %s", name, res.StatusCode, page)
			}
		}
	}
}
