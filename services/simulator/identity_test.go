package simulator_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/simulator"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// azure are the options with which azidentity speaks to the simulator.
func (s *sim) azure() policy.ClientOptions {
	return policy.ClientOptions{
		Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: s.server.URL() + "/"},
		Transport: s.http,
		Retry:     policy.RetryOptions{MaxRetries: -1},
	}
}

// works asks for a token and reads users with it.
func (s *sim) works(cred azcore.TokenCredential) error {
	s.t.Helper()
	token, err := cred.GetToken(context.Background(), policy.TokenRequestOptions{Scopes: []string{"https://graph.microsoft.com/.default"}})
	if err != nil {
		return err
	}
	s.token = token.Token
	s.get("/users")
	return nil
}

func TestClientSecret(t *testing.T) {
	t.Parallel()
	s := contoso(t, simulator.Config{})
	cred := func(tenant, secret string) azcore.TokenCredential {
		return must(azidentity.NewClientSecretCredential(tenant, clientID, secret, &azidentity.ClientSecretCredentialOptions{
			ClientOptions: s.azure(), DisableInstanceDiscovery: true,
		}))(t)
	}
	for _, tenant := range []string{s.tenant.DirectoryID, "contoso.com"} {
		if err := s.works(cred(tenant, secret)); err != nil {
			t.Errorf("%s: %v", tenant, err)
		}
	}
	if err := s.works(cred(s.tenant.DirectoryID, "wrong")); err == nil || !strings.Contains(err.Error(), "AADSTS7000215") {
		t.Errorf("wrong secret: %v", err)
	}
	if err := s.works(cred(clientID, secret)); err == nil || !strings.Contains(err.Error(), "AADSTS90002") {
		t.Errorf("unknown tenant: %v", err)
	}
}

func TestCertificate(t *testing.T) {
	t.Parallel()
	s := contoso(t, simulator.Config{})
	key := must(rsa.GenerateKey(rand.Reader, 2048))(t)
	issue := func(serial int64) *x509.Certificate {
		template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "app"}, NotAfter: time.Now().Add(time.Hour)}
		der := must(x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key))(t)
		return must(x509.ParseCertificate(der))(t)
	}
	registered := issue(1)
	s.tenant.App.Certificate = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: registered.Raw}))
	must(s.control.PutTenant(t.Context(), s.tenant))(t)
	cred := func(cert *x509.Certificate, key crypto.PrivateKey) azcore.TokenCredential {
		return must(azidentity.NewClientCertificateCredential(s.tenant.DirectoryID, clientID, []*x509.Certificate{cert}, key,
			&azidentity.ClientCertificateCredentialOptions{ClientOptions: s.azure(), DisableInstanceDiscovery: true}))(t)
	}
	if err := s.works(cred(registered, key)); err != nil {
		t.Error(err)
	}
	if err := s.works(cred(issue(2), key)); err == nil || !strings.Contains(err.Error(), "AADSTS700027") {
		t.Errorf("a certificate that is not registered: %v", err)
	}
	other := must(rsa.GenerateKey(rand.Reader, 2048))(t)
	forged := *registered
	forged.PublicKey = &other.PublicKey
	if err := s.works(cred(&forged, other)); err == nil || !strings.Contains(err.Error(), "AADSTS700027") {
		t.Errorf("another key: %v", err)
	}
}

func TestWorkloadIdentity(t *testing.T) {
	t.Parallel()
	s := contoso(t, simulator.Config{})
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	public := must(x509.MarshalPKIXPublicKey(&key.PublicKey))(t)
	s.tenant.App.Federated = []control.Federated{{
		Issuer: "https://kubernetes.example", Subject: "system:serviceaccount:rollcall:receiver",
		PublicKey: string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})),
	}}
	must(s.control.PutTenant(t.Context(), s.tenant))(t)
	works := func(subject string, signer *ecdsa.PrivateKey) error {
		file := filepath.Join(t.TempDir(), "token")
		token := sign(t, signer, object{
			"iss": "https://kubernetes.example", "sub": subject, "aud": []string{"api://AzureADTokenExchange"}, "exp": time.Now().Add(time.Hour).Unix(),
		})
		if err := os.WriteFile(file, []byte(token), 0o600); err != nil {
			t.Fatal(err)
		}
		return s.works(must(azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
			ClientOptions: s.azure(), DisableInstanceDiscovery: true, TenantID: s.tenant.DirectoryID, ClientID: clientID, TokenFilePath: file,
		}))(t))
	}
	if err := works("system:serviceaccount:rollcall:receiver", key); err != nil {
		t.Error(err)
	}
	if err := works("system:serviceaccount:other:receiver", key); err == nil || !strings.Contains(err.Error(), "AADSTS700213") {
		t.Errorf("another subject: %v", err)
	}
	other := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	if err := works("system:serviceaccount:rollcall:receiver", other); err == nil || !strings.Contains(err.Error(), "AADSTS700027") {
		t.Errorf("another key: %v", err)
	}
}

// sign makes a JWT as a Kubernetes issuer does.
func sign(t *testing.T, key *ecdsa.PrivateKey, claims object) string {
	t.Helper()
	enc := base64.RawURLEncoding
	signed := enc.EncodeToString([]byte(`{"alg":"ES256","kid":"k"}`)) + "." + enc.EncodeToString(must(json.Marshal(claims))(t))
	sum := sha256.Sum256([]byte(signed))
	r, v, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	var raw [64]byte
	r.FillBytes(raw[:32])
	v.FillBytes(raw[32:])
	return signed + "." + enc.EncodeToString(raw[:])
}

func TestTokenErrors(t *testing.T) {
	t.Parallel()
	s := contoso(t, simulator.Config{})
	good := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {clientID}, "client_secret": {secret}, "scope": {"https://graph.microsoft.com/.default"},
	}
	for name, c := range map[string]struct {
		field, value string
		status       int
		kind         string
		code         float64
	}{
		"secret":    {"client_secret", "wrong", 401, "invalid_client", 7000215},
		"no secret": {"client_secret", "", 401, "invalid_client", 7000216},
		"app":       {"client_id", "other", 400, "unauthorized_client", 700016},
		"no app":    {"client_id", "", 400, "invalid_request", 900144},
		"grant":     {"grant_type", "password", 400, "unsupported_grant_type", 70003},
		"scope":     {"scope", "User.Read", 400, "invalid_scope", 1002012},
	} {
		form := url.Values{}
		for k, v := range good {
			form[k] = v
		}
		form.Set(c.field, c.value)
		res, err := s.http.PostForm(s.server.URL()+"/"+s.tenant.DirectoryID+"/oauth2/v2.0/token", form)
		if err != nil {
			t.Fatal(err)
		}
		var body object
		decode(t, res, &body)
		if res.StatusCode != c.status || body["error"] != c.kind || !cmp.Equal(body["error_codes"], []any{c.code}) {
			t.Errorf("%s: %d %v", name, res.StatusCode, body)
		}
		for _, field := range []string{"error_description", "timestamp", "trace_id", "correlation_id"} {
			if body[field] == "" || body[field] == nil {
				t.Errorf("%s: no %s", name, field)
			}
		}
	}
}

func TestTokensExpire(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Now())
	s := start(t, simulator.Config{}, fake)
	s.putTenant()
	s.get("/users")
	fake.Advance(3599 * time.Second)
	status, out, _ := s.call(http.MethodGet, "/users", nil)
	if message, _ := out["error"].(object)["message"].(string); status != http.StatusUnauthorized || !strings.Contains(message, "expired") {
		t.Errorf("%d %v", status, out)
	}
}
