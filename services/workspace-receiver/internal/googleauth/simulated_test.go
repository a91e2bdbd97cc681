package googleauth

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/remote"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/simulator"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/workspace-receiver/internal/googleauth/googleauthtest"
)

// simulated is a simulator with the customer initech, whose service account has a key and a federated identity.
type simulated struct {
	*bundle
	*control.Client
	url, caFile string
	pools       remote.Pools
}

func simulate(t *testing.T) *simulated {
	t.Helper()
	s := &simulated{bundle: setup(t)}
	server, err := simulator.New(simulator.Config{}, simulator.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	t.Cleanup(func() {
		s.pools.Close()
		stop()
		if err := <-done; err != nil {
			t.Errorf("the simulator: %v", err)
		}
	})
	s.url, s.caFile = server.URL(), server.CAFile()
	if s.Client, err = control.NewWithCA(s.url, s.caFile); err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&s.Key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
	if _, err := s.PutTenant(t.Context(), control.Tenant{
		ID: "initech", Provider: directory.GoogleWorkspace, Domains: []string{"initech.com"},
		App: control.App{
			ServiceAccount: googleauthtest.ServiceAccount, PublicKey: text,
			Federated: []control.Federated{{Issuer: "https://issuer.example", Subject: "receiver", PublicKey: text}},
		},
	}); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *simulated) source(t *testing.T, c tenant.Credential, scopes ...string) *Source {
	t.Helper()
	pool, err := s.pools.Transport(s.caFile)
	if err != nil {
		t.Fatal(err)
	}
	if c.Subject == "" {
		c.Subject = googleauthtest.Admin
	}
	c.ServiceAccount = googleauthtest.ServiceAccount
	source, err := New(Config{Credential: c, Scopes: scopes, Authority: s.url}, Deps{Transport: pool})
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// platformToken is what a platform such as Kubernetes writes into the workload's file.
func (s *simulated) platformToken(t *testing.T, subject string) string {
	t.Helper()
	now := time.Now().Unix()
	payload, err := json.Marshal(map[string]any{
		"iss": "https://issuer.example", "sub": subject, "aud": "https://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/p",
		"iat": now, "nbf": now - 10, "exp": now + 3600,
	})
	if err != nil {
		t.Fatal(err)
	}
	return googleauthtest.Sign(s.Key, payload)
}

func TestSimulated(t *testing.T) {
	t.Parallel()
	s := simulate(t)
	key := s.write(t, "key.json", googleauthtest.KeyFile(t, s.Key))
	strange := s.write(t, "strange.json", googleauthtest.KeyFile(t, googleauthtest.NewKey(t)))
	federated := func(name, subject string) string {
		return s.write(t, name+".json", googleauthtest.Federated(t, s.write(t, name, s.platformToken(t, subject))))
	}
	for name, c := range map[string]struct {
		credential tenant.Credential
		scopes     []string
		want       *Error // nil: a token
	}{
		"keyless":           {tenant.Credential{Kind: tenant.GoogleImpersonation, File: federated("good", "receiver")}, control.DefaultScopes(), nil},
		"key file":          {tenant.Credential{Kind: tenant.GoogleKeyFile, File: key}, control.DefaultScopes(), nil},
		"a strange key":     {tenant.Credential{Kind: tenant.GoogleKeyFile, File: strange}, control.DefaultScopes(), &Error{Step: Delegation, Status: 400, Code: "invalid_grant", Reason: Signature}},
		"a strange subject": {tenant.Credential{Kind: tenant.GoogleImpersonation, File: federated("bad", "other")}, control.DefaultScopes(), &Error{Step: Federation, Status: 400, Code: "invalid_grant"}},
		"an unknown admin": {
			tenant.Credential{Kind: tenant.GoogleKeyFile, File: key, Subject: "nobody@initech.com"},
			control.DefaultScopes(),
			&Error{Step: Delegation, Status: 400, Code: "invalid_grant", Reason: Subject},
		},
		"a scope too many": {
			tenant.Credential{Kind: tenant.GoogleKeyFile, File: key},
			[]string{"https://www.googleapis.com/auth/drive"},
			&Error{Step: Delegation, Status: 401, Code: "unauthorized_client"},
		},
		"no token file": {tenant.Credential{Kind: tenant.GoogleImpersonation, File: s.write(t, "none.json", googleauthtest.Federated(t, filepath.Join(s.dir, "gone")))}, []string{"s"}, &Error{}},
	} {
		token, err := s.source(t, c.credential, c.scopes...).Get(t.Context())
		got, answered := errors.AsType[*Error](err)
		switch {
		case c.want == nil && (err != nil || token.AccessToken == ""):
			t.Errorf("%s: %v", name, err)
		case c.want != nil && c.want.Status == 0 && (err == nil || answered):
			t.Errorf("%s: %v, want an error of our own", name, err)
		case c.want != nil && c.want.Status != 0 && (!answered || got.Error() != c.want.Error()):
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}
