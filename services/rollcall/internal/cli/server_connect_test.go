package cli_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/config"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// receiving is a house whose receiver has an application of its own, to which the admin of the directory has not consented.
func receiving(t *testing.T) *house {
	t.Helper()
	sim := newSimulator(t)
	cfg := settings(t, 50*time.Millisecond)
	cfg.Entra = config.Entra{
		ClientID: appID, Credential: string(tenant.ClientSecret), CredentialFile: fileOf(t, "only-the-simulator-knows"),
		API: sim.URL() + "/v1.0", Authority: sim.URL(), CAFile: sim.CAFile(),
	}
	h := startIn(t, cfg, sim)
	made, err := h.client.PutTenant(t.Context(), control.Tenant{
		ID: "contoso", Domains: []string{"contoso.com"},
		App: control.App{
			ClientID: appID, Secret: "only-the-simulator-knows", Unconsented: true, Redirects: []string{h.httpURL + "/connect/entra/callback"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	h.directory = made.DirectoryID
	return h
}

// consent accepts at an address, as an admin does in a browser, and returns where that leads.
func (h *house) consent(t *testing.T, address string) *url.URL {
	t.Helper()
	ca, err := os.ReadFile(h.simulator.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	client := &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	at := parsed(t, address)
	form := at.Query()
	form.Set("decision", "accept")
	at.RawQuery = ""
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at.String(), strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	to, err := res.Location()
	if err != nil {
		t.Fatalf("%d: %v", res.StatusCode, err)
	}
	return to
}

// TestADirectoryIsConnectedOverAServer once its admin has consented at the address that the first try tells.
func TestADirectoryIsConnectedOverAServer(t *testing.T) {
	t.Parallel()
	h := receiving(t)
	add := []string{"tenants", "add", "contoso", "--directory-id", h.directory, "--connected-by", "admin@contoso.com", "--key", "ticket-1"}
	if _, told, code := h.visitor(t, "--role", "tenant-admin", "--tenant", "contoso").run(t, add...); code != 1 || !strings.Contains(told, "(forbidden)") {
		t.Errorf("as an admin: %d %s", code, told)
	}
	v := h.visitor(t, "--role", "operator")
	_, told, code := v.run(t, add...)
	address := regexp.MustCompile(`consent is given at (\S+)`).FindStringSubmatch(told)
	if code != 1 || !strings.Contains(told, "AADSTS700016") || !strings.Contains(told, "(not-consented)") || address == nil {
		t.Fatalf("before consent: %d %s", code, told)
	}
	if to := h.consent(t, address[1]); !strings.HasPrefix(to.String(), h.httpURL+"/connect/entra/callback?") {
		t.Errorf("consent leads back to %s", to)
	}
	first := v.must(t, add...)
	if again := v.must(t, add...); again != first || !strings.Contains(first, "connected\n\ntenant               contoso\n") {
		t.Errorf("%s\nthe same again:\n%s", first, again)
	}
	h.awaitTruth(t)
	if _, told, code := v.run(t, append(add, "--product", "drive")...); code != 1 || !strings.Contains(told, "(idempotency-key-used)") {
		t.Errorf("another one under the key: %d %s", code, told)
	}
	if _, told, code := v.run(t, add[:len(add)-2]...); code != 1 || !strings.Contains(told, "(tenant-exists)") {
		t.Errorf("under no key: %d %s", code, told)
	}
	for flag, says := range map[string]string{
		"--secret-file=hush": "--secret-file: with --server", "--products-file=x.yaml": "--products-file: with --server", "--by=ada": "whose token it is",
		"--key=a/b": "--key",
	} {
		if _, told, code := v.run(t, append(add, flag)...); code != 2 || !strings.Contains(told, says) || strings.Contains(told, "hush") {
			t.Errorf("%s: %d %s", flag, code, told)
		}
	}
}
