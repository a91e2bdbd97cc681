package simulator_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/simulator"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

const (
	clientID = "11111111-2222-3333-4444-555555555555"
	secret   = "a secret for tests"
)

// sim is a running simulator with the tenant contoso.
type sim struct {
	t       *testing.T
	server  *simulator.Server
	control *control.Client
	http    *http.Client
	tenant  control.Tenant
	stop    func()
	token   string
}

func start(t *testing.T, cfg simulator.Config, c clock.Clock) *sim {
	t.Helper()
	server, err := simulator.New(cfg, simulator.Deps{Logger: slog.New(slog.DiscardHandler), Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	pem, err := os.ReadFile(server.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	s := &sim{t: t, server: server, http: &http.Client{Transport: transport}}
	s.control = control.New(server.URL(), s.http)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	s.stop = sync.OnceFunc(func() {
		transport.CloseIdleConnections()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(s.stop)
	return s
}

// contoso starts a simulator and makes the tenant.
func contoso(t *testing.T, cfg simulator.Config) *sim {
	t.Helper()
	s := start(t, cfg, nil)
	s.putTenant()
	return s
}

func (s *sim) putTenant() {
	s.t.Helper()
	s.tenant = must(s.control.PutTenant(s.t.Context(), control.Tenant{
		ID: "contoso", Name: "Contoso", Domains: []string{"contoso.com", "contoso.co.uk"},
		App: control.App{ClientID: clientID, Secret: secret, Permissions: append(control.DefaultPermissions(), "GroupMember.ReadWrite.All")},
	}))(s.t)
}

// must fails the test on an error: must(f())(t).
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (s *sim) signIn() {
	s.t.Helper()
	res, err := s.http.PostForm(s.server.URL()+"/"+s.tenant.DirectoryID+"/oauth2/v2.0/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {clientID}, "client_secret": {secret},
		"scope": {"https://graph.microsoft.com/.default"},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	var body struct {
		Token string `json:"access_token"`
	}
	decode(s.t, res, &body)
	s.token = body.Token
}

type object = map[string]any

// call sends a Graph request; path may be a whole link. Headers are name, value pairs.
func (s *sim) call(method, path string, body any, headers ...string) (int, object, http.Header) {
	s.t.Helper()
	if s.token == "" {
		s.signIn()
	}
	if !strings.HasPrefix(path, "https://") {
		path = s.server.URL() + "/v1.0" + path
	}
	var reader io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			s.t.Fatal(err)
		}
		reader = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, path, reader)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := s.http.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	var out object
	if res.StatusCode != http.StatusNoContent {
		decode(s.t, res, &out)
	} else {
		_ = res.Body.Close()
	}
	return res.StatusCode, out, res.Header
}

// get is call for a GET that must be answered 200.
func (s *sim) get(path string, headers ...string) object {
	s.t.Helper()
	status, out, _ := s.call(http.MethodGet, path, nil, headers...)
	if status != http.StatusOK {
		s.t.Fatalf("GET %s: %d %v", path, status, out)
	}
	return out
}

// pages follows next links to the end and returns all values and the delta link, if there is one.
func (s *sim) pages(path string) (values []object, delta string, pages int) {
	s.t.Helper()
	for path != "" {
		out := s.get(path)
		pages++
		for _, v := range out["value"].([]any) {
			values = append(values, v.(object))
		}
		path, _ = out["@odata.nextLink"].(string)
		delta, _ = out["@odata.deltaLink"].(string)
		if path != "" && delta != "" {
			s.t.Fatal("a page has both links")
		}
	}
	return values, delta, pages
}

func decode(t *testing.T, res *http.Response, out any) {
	t.Helper()
	defer func() { _ = res.Body.Close() }()
	if err := json.NewDecoder(res.Body).Decode(out); err != nil {
		t.Fatalf("%s %s: %v", res.Request.Method, res.Request.URL.Path, err)
	}
	_, _ = io.Copy(io.Discard, res.Body) // so that the connection is used again
}

func (s *sim) user(name string) string {
	s.t.Helper()
	return must(s.control.AddUser(s.t.Context(), "contoso", control.NewUser{Address: name + "@contoso.com", Name: name}))(s.t).ID
}

func (s *sim) group(g control.NewGroup) string {
	s.t.Helper()
	return must(s.control.AddGroup(s.t.Context(), "contoso", g))(s.t).ID
}

func ids(values []object) []string {
	var out []string
	for _, v := range values {
		out = append(out, v["id"].(string))
	}
	return out
}

func code(out object) string {
	e, _ := out["error"].(object)
	c, _ := e["code"].(string)
	return c
}
