package graph

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

func provider(t testing.TB) *Provider {
	t.Helper()
	p, err := New(Config{}, Deps{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestHandshake(t *testing.T) {
	t.Parallel()
	p := provider(t)
	for _, c := range []struct {
		method, query string
		handled       bool
		status        int
		body          string
	}{
		{"POST", "?validationToken=Validation%3a+Testing+client+application+reachability+for+subscription+Request-Id%3a+1c", true, 200, "Validation: Testing client application reachability for subscription Request-Id: 1c"},
		{"POST", "?tenant=contoso&validationToken=a%2Bb%3D%3D%26%22", true, 200, `a+b==&"`},
		{"POST", "?validationToken=%3Cscript%3Ealert(1)%3C/script%3E", true, 400, ""},
		{"POST", "?validationToken=", true, 400, ""},
		{"POST", "?validationToken=" + strings.Repeat("a", 2049), true, 400, ""},
		{"POST", "?validationToken=" + strings.Repeat("a", 2048), true, 200, strings.Repeat("a", 2048)},
		{"POST", "", false, 200, ""},
		{"GET", "?validationToken=a", false, 200, ""},
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), c.method, "/graph"+c.query, http.NoBody)
		if handled := p.Handshake(w, r); handled != c.handled || w.Code != c.status || w.Body.String() != c.body {
			t.Errorf("%s %s: handled %v, %d %q", c.method, c.query, handled, w.Code, w.Body)
		}
		if h := w.Header(); c.handled && (h.Get("Content-Type") != "text/plain; charset=utf-8" || h.Get("X-Content-Type-Options") != "nosniff") {
			t.Errorf("%s: headers %v", c.query, h)
		}
	}
}

func FuzzHandshake(f *testing.F) {
	f.Add("Validation: Testing 1c")
	f.Add("<b>")
	f.Fuzz(func(t *testing.T, token string) {
		w := httptest.NewRecorder()
		r := &http.Request{Method: http.MethodPost, URL: &url.URL{Path: "/", RawQuery: url.Values{"validationToken": {token}}.Encode()}}
		if !provider(t).Handshake(w, r) {
			t.Fatal("not handled")
		}
		if got := w.Body.String(); w.Code == http.StatusOK && got != token || strings.ContainsAny(got, "<>") || w.Code != http.StatusOK && got != "" {
			t.Fatalf("%q: %d %q", token, w.Code, got)
		}
	})
}

func TestParse(t *testing.T) {
	t.Parallel()
	p := provider(t)
	got, err := p.Parse(nil, []byte(`{"value":[{"changeType":"updated","clientState":"c","resource":"Users/u1","subscriptionId":"s","tenantId":"t"},
		{"lifecycleEvent":"missed","subscriptionId":"s2","tenantId":"t"},5]}`))
	if err != nil {
		t.Fatal(err)
	}
	if got[2].Fault == nil {
		t.Error("a number is taken for a notification")
	}
	want := []receiver.Notification{
		{DirectoryID: "t", ChannelID: "s", Secret: "c", Resource: "user", ID: "u1", Change: "updated"},
		{DirectoryID: "t", ChannelID: "s2", News: receiver.PushesMissed},
	}
	if diff := cmp.Diff(want, got[:2]); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if _, err := p.Parse(nil, []byte(`[]`)); err == nil {
		t.Error("a body without notifications is accepted")
	}
	if p.Name() != directory.Entra {
		t.Error(p.Name())
	}
}

func TestConnectRefuses(t *testing.T) {
	t.Parallel()
	p := provider(t)
	noPEM := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(noPEM, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	good := tenant.Credential{Kind: tenant.ClientSecret, ClientID: "app", Env: "NONE"}
	for name, bad := range map[string]tenant.Tenant{
		"plain http":  {Credential: good, Endpoints: tenant.Endpoints{API: "http://127.0.0.1/v1.0"}},
		"a query":     {Credential: good, Endpoints: tenant.Endpoints{API: "https://g.example/v1.0?x=1"}},
		"a user":      {Credential: good, Endpoints: tenant.Endpoints{API: "https://u:p@g.example/v1.0"}},
		"no CA file":  {Credential: good, Endpoints: tenant.Endpoints{CAFile: noPEM + "x"}},
		"no PEM":      {Credential: good, Endpoints: tenant.Endpoints{CAFile: noPEM}},
		"no kind":     {Credential: tenant.Credential{}},
		"other kinds": {Credential: tenant.Credential{Kind: "static-token"}},
	} {
		if _, err := p.Connect(bad); err == nil {
			t.Errorf("%s: connected", name)
		}
	}
	if _, err := p.Connect(tenant.Tenant{Credential: good}); err != nil {
		t.Errorf("%v: connecting sends and reads nothing", err)
	}
	if _, err := New(Config{API: "graph.microsoft.com"}, Deps{}); err == nil {
		t.Error("an API without a scheme is accepted")
	}
}

func BenchmarkParse(b *testing.B) {
	const item = `{"changeType":"updated","clientState":"5b2c9a0e7f3d4c1b8a6e","resource":"Users/632f6bb2-0000-0000-0000-000000000001","resourceData":{"@odata.type":"#Microsoft.Graph.User","@odata.id":"Users/632f6bb2-0000-0000-0000-000000000001","id":"632f6bb2-0000-0000-0000-000000000001","organizationId":"7d96d549-0000-0000-0000-000000000000","eventTime":"2022-05-24T22:24:31.3062901Z","sequenceNumber":637890782713062901},"subscriptionExpirationDateTime":"2022-05-24T23:21:19.3554403+00:00","subscriptionId":"092ba742-0000-0000-0000-000000000000","tenantId":"7d96d549-0000-0000-0000-000000000000"},`
	p := provider(b)
	for _, items := range []int{1, 10, 100} {
		b.Run(strconv.Itoa(items), func(b *testing.B) {
			body := []byte(`{"value":[` + strings.TrimSuffix(strings.Repeat(item, items), ",") + `]}`)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Parse(nil, body); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*items), "ns/item")
		})
	}
}
