package graph

import (
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

func TestCredentialEnd(t *testing.T) {
	t.Parallel()
	s := &simulated{folder: t.TempDir()}
	s.makeKey(t)
	block, _ := pem.Decode(s.cert)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	told := time.Date(2026, 12, 24, 9, 0, 0, 0, time.UTC)
	p, err := New(Config{}, Deps{})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		credential tenant.Credential
		want       receiver.CredentialEnd // its action in part
	}{
		"certificate": {
			tenant.Credential{Kind: tenant.Certificate, File: s.certificateFile(t)},
			receiver.CredentialEnd{At: cert.NotAfter, What: "The certificate of the application", Action: "Make a new certificate, add it under Entra admin center"},
		},
		"secret": {
			tenant.Credential{Kind: tenant.ClientSecret, Env: "SECRET", Expires: told},
			receiver.CredentialEnd{At: told, What: "The client secret of the application", Action: `"rollcall tenants credential contoso --expires DATE"`},
		},
		"secret of which nobody has told": {tenant.Credential{Kind: tenant.ClientSecret, Env: "SECRET"}, receiver.CredentialEnd{What: "The client secret of the application"}},
		"workload identity":               {tenant.Credential{Kind: tenant.WorkloadIdentity, File: "/token"}, receiver.CredentialEnd{}},
	} {
		got, err := p.CredentialEnd(tenant.Tenant{ID: "contoso", Credential: c.credential})
		if err != nil || !got.At.Equal(c.want.At) || got.What != c.want.What || !strings.Contains(got.Action, c.want.Action) || strings.ContainsAny(got.Action, "@") {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if _, err := p.CredentialEnd(tenant.Tenant{ID: "contoso", Credential: tenant.Credential{Kind: tenant.Certificate, File: "/nowhere"}}); err == nil {
		t.Error("a certificate that is not there has an end")
	}
}
