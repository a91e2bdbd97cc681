package simulator_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google/externalaccount"
	"golang.org/x/oauth2/jwt"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/signed"
)

// TestWorkspaceKeyFile signs in as Google's own library does with a key file.
func TestWorkspaceKeyFile(t *testing.T) {
	t.Parallel()
	c := initech(t, simulator.Config{}, nil)
	file := jwt.Config{
		Email: serviceAccount, Subject: initechAdmin, Scopes: control.DefaultScopes(), TokenURL: c.server.URL() + "/token",
		PrivateKey: pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(c.key)}),
	}
	token, err := file.TokenSource(context.WithValue(t.Context(), oauth2.HTTPClient, c.http)).Token()
	if err != nil {
		t.Fatal(err)
	}
	if left := time.Until(token.Expiry); left < 58*time.Minute || left > time.Hour {
		t.Errorf("the token lives %s", left)
	}
	c.token = token.AccessToken
	c.read("users/" + initechAdmin)
}

// issuer is a workload's own identity provider: it hands out one token.
type issuer string

func (i issuer) SubjectToken(context.Context, externalaccount.SupplierOptions) (string, error) {
	return string(i), nil
}

const poolProvider = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/rollcall"

// TestWorkspaceKeyless signs in without a key: a workload's token is exchanged, and IAM signs for the service account.
func TestWorkspaceKeyless(t *testing.T) {
	t.Parallel()
	c := initech(t, simulator.Config{}, nil)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	must(c.control.PutTenant(t.Context(), control.Tenant{
		ID: "initech", Provider: directory.GoogleWorkspace, Domains: []string{"initech.com"},
		App: control.App{ServiceAccount: serviceAccount, Federated: []control.Federated{{
			Issuer: "https://issuer.example", Subject: "rollcall", Audience: poolProvider, PublicKey: publicPEM(t, key),
		}}},
	}))(t)
	claims, _ := json.Marshal(object{"iss": "https://issuer.example", "sub": "rollcall", "aud": poolProvider, "exp": time.Now().Add(time.Hour).Unix()})
	exchange := func(token string) (*oauth2.Token, error) {
		source, err := externalaccount.NewTokenSource(context.WithValue(t.Context(), oauth2.HTTPClient, c.http), externalaccount.Config{
			Audience: poolProvider, SubjectTokenType: "urn:ietf:params:oauth:token-type:jwt", TokenURL: c.server.URL() + "/v1/token",
			Scopes: []string{"https://www.googleapis.com/auth/cloud-platform"}, SubjectTokenSupplier: issuer(token),
		})
		if err != nil {
			t.Fatal(err)
		}
		return source.Token()
	}
	if _, err := exchange(must(signed.Sign(string(claims), "k", c.key))(t)); err == nil || !strings.Contains(err.Error(), "invalid_grant") {
		t.Errorf("a token that somebody else signed: %v", err)
	}
	caller, err := exchange(must(signed.Sign(string(claims), "k", key))(t))
	if err != nil {
		t.Fatal(err)
	}
	status, out := c.signJWT(serviceAccount, caller.AccessToken)
	if status != http.StatusOK {
		t.Fatal(status, out)
	}
	if status, out = c.grant(out["signedJwt"].(string)); status != http.StatusOK {
		t.Fatal(status, out)
	}
	c.token = out["access_token"].(string)
	c.read("users/" + initechAdmin)
	if status, out := c.signJWT("other@vendor-project.iam.gserviceaccount.com", caller.AccessToken); status != http.StatusForbidden {
		t.Errorf("for another account: %d %v", status, out)
	}
	if status, _ := c.signJWT(serviceAccount, c.token); status != http.StatusUnauthorized {
		t.Errorf("with a token of the admin APIs: %d", status)
	}
}

func TestWorkspaceCallerToken(t *testing.T) {
	t.Parallel()
	c := initech(t, simulator.Config{}, nil)
	if status, out := c.signJWT(serviceAccount, "a caller's token"); status != http.StatusOK {
		t.Errorf("%d %v", status, out)
	}
	if status, _ := c.signJWT(serviceAccount, "another"); status != http.StatusUnauthorized {
		t.Errorf("an unknown token: %d", status)
	}
}

// signJWT asks IAM to sign the usual claims.
func (c *customer) signJWT(account, bearer string) (int, object) {
	c.t.Helper()
	payload, _ := json.Marshal(object{
		"iss": account, "sub": initechAdmin, "aud": "https://oauth2.googleapis.com/token", "scope": control.ScopeUsers,
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	})
	body, _ := json.Marshal(object{"payload": string(payload)})
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.server.URL()+"/v1/projects/-/serviceAccounts/"+account+":signJwt", bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+bearer)
	res, err := c.http.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	var out object
	decode(c.t, res, &out)
	return res.StatusCode, out
}
