package graph

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/simulator"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

const simulatedSecret = "hunter2-of-contoso"

// simulated is a simulator with the tenant contoso, and a directory that is connected to it.
type simulated struct {
	*control.Client
	provider  *Provider
	tenant    tenant.Tenant
	directory receiver.Directory
	key       *rsa.PrivateKey // of the app's certificate and of its federated issuer
	cert      []byte          // PEM
	folder    string
}

func simulate(t *testing.T, settings control.Settings) *simulated {
	t.Helper()
	return simulateOn(t, settings, clock.System(), clock.System())
}

// simulateOn has clocks of ours and of the provider's.
func simulateOn(t *testing.T, settings control.Settings, ours, theirs clock.Clock) *simulated {
	t.Helper()
	p, err := New(Config{}, Deps{Clock: ours})
	if err != nil {
		t.Fatal(err)
	}
	s := &simulated{folder: t.TempDir(), provider: p}
	t.Cleanup(s.provider.Close)
	server, err := simulator.New(simulator.Config{DataDir: t.TempDir(), AllowLoopbackHTTP: true, PageSize: settings.PageSize}, simulator.Deps{Clock: theirs})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("the simulator: %v", err)
		}
	})
	if s.Client, err = control.NewWithCA(server.URL(), server.CAFile()); err != nil {
		t.Fatal(err)
	}
	s.makeKey(t)
	made, err := s.PutTenant(t.Context(), control.Tenant{ID: "contoso", Domains: []string{"contoso.com", "contoso.net"}, App: s.app()})
	if err != nil {
		t.Fatal(err)
	}
	s.tenant = tenant.Tenant{
		ID: "contoso", Provider: directory.Entra, DirectoryID: made.DirectoryID, Domain: "contoso.com",
		Credential: tenant.Credential{Kind: tenant.ClientSecret, ClientID: "1b7f6a52-8f0c-4c0e-9c2e-3a5d8e0b7c21", File: s.write(t, "secret", simulatedSecret)},
		Endpoints:  tenant.Endpoints{API: server.URL() + "/v1.0", Authority: server.URL(), CAFile: server.CAFile()},
	}
	s.directory = s.connect(t, s.tenant)
	return s
}

func (s *simulated) app() control.App {
	public, err := x509.MarshalPKIXPublicKey(&s.key.PublicKey)
	if err != nil {
		panic(err) // an RSA key that was just made
	}
	return control.App{
		ClientID: "1b7f6a52-8f0c-4c0e-9c2e-3a5d8e0b7c21", Secret: simulatedSecret, Certificate: string(s.cert),
		Federated: []control.Federated{{
			Issuer: "https://issuer.example", Subject: "system:serviceaccount:rollcall:receiver",
			PublicKey: string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})),
		}},
	}
}

func (s *simulated) connect(t *testing.T, as tenant.Tenant) receiver.Directory {
	t.Helper()
	d, err := s.provider.Connect(as)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (s *simulated) write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(s.folder, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (s *simulated) makeKey(t *testing.T) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "rollcall"}, NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	s.key, s.cert = key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// certificateFile is the certificate with its key, as an operator keeps it.
func (s *simulated) certificateFile(t *testing.T) string {
	t.Helper()
	private, err := x509.MarshalPKCS8PrivateKey(s.key)
	if err != nil {
		t.Fatal(err)
	}
	return s.write(t, "app.pem", string(s.cert)+string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
}

// federatedToken is what a platform such as Kubernetes writes into the workload's file.
func (s *simulated) federatedToken(t *testing.T, subject string) string {
	t.Helper()
	part := func(v any) string {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	now := time.Now().Unix()
	signed := part(map[string]any{"alg": "RS256", "typ": "JWT"}) + "." + part(map[string]any{
		"iss": "https://issuer.example", "sub": subject, "aud": []string{"api://AzureADTokenExchange"},
		"iat": now, "nbf": now - 10, "exp": now + 3600, "jti": rand.Text(),
	})
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, s.key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func must(t *testing.T, c control.Change, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return c.ID
}

// drain reads a feed from a cursor to its end.
func drain(t *testing.T, d receiver.Directory, feed receiver.Feed, cursor string) ([]directory.Observation, string) {
	t.Helper()
	var all []directory.Observation
	for range 1000 {
		p, err := d.Changes(t.Context(), feed, cursor)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.SetAside) > 0 || len(p.Unclear) > 0 {
			t.Errorf("%s: set aside %v, unclear %v", feed.Kind, p.SetAside, p.Unclear)
		}
		all = append(all, p.Observations...)
		if cursor = p.Cursor; !p.More {
			return all, cursor
		}
	}
	t.Fatalf("%s: no end", feed.Kind)
	return nil, ""
}
