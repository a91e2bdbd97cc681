package googleauth

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/signed"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/traffic"
)

const account = "rollcall@vendor-project.iam.gserviceaccount.com"

// newPlatform makes a platform with one customer, the key of whose service account is returned too.
func newPlatform(t testing.TB, now time.Time) (*Platform, *rsa.PrivateKey) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(store.Config{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	err = s.PutTenant(store.Tenant{
		ID: "initech", Provider: directory.GoogleWorkspace, DirectoryID: "C03az79cb", Domains: []string{"initech.com"},
		App: store.App{
			ClientID: "12345", ServiceAccount: account, Scopes: []string{"a", "b"}, Admins: []store.Admin{{Address: "admin@initech.com"}},
			PublicKey: string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddUsers("C03az79cb", []*store.User{{ID: "1", UPN: "admin@initech.com"}}); err != nil {
		t.Fatal(err)
	}
	return New(Config{Tenants: s, Secret: []byte("secret"), Now: func() time.Time { return now }, Meter: traffic.NewMeter(), Faults: traffic.NewFaults(clock.System())}), key
}

func post(h http.Handler, path, contentType, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const form = "application/x-www-form-urlencoded"

// FuzzAssertion holds that nothing but what the account's key signed gets an access token, and nothing but a token of
// ours is one.
func FuzzAssertion(f *testing.F) {
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	p, key := newPlatform(f, now)
	h := p.Handler()
	claims, _ := json.Marshal(map[string]any{
		"iss": account, "sub": "admin@initech.com", "aud": audiences[0], "scope": "a b", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	})
	good, err := signed.Sign(string(claims), "k", key)
	if err != nil {
		f.Fatal(err)
	}
	w := post(h, TokenPath, form, url.Values{"grant_type": {assertionGrants[0]}, "assertion": {good}}.Encode())
	var answered struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answered); err != nil || answered.Token == "" {
		f.Fatalf("%d %s", w.Code, w.Body)
	}
	for _, seed := range []string{good, answered.Token, good[:len(good)-4], "..", "eyJhbGciOiJub25lIn0.e30.", "ya29.a.b.c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		w := post(h, TokenPath, form, url.Values{"grant_type": {assertionGrants[0]}, "assertion": {text}}.Encode())
		if (w.Code == http.StatusOK) != (text == good) || w.Code >= 500 {
			t.Fatalf("%q: %d %s", text, w.Code, w.Body)
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header["Authorization"] = []string{"Bearer " + text}
		if c, err := p.Caller(r); (err == nil) != (text == answered.Token) || err == nil && c.May("USERS_RETRIEVE", "a") != nil {
			t.Fatalf("%q as a token: %v", text, err)
		}
	})
}

// FuzzKeyless holds that the exchange and IAM give nothing to whoever makes up a body.
func FuzzKeyless(f *testing.F) {
	p, _ := newPlatform(f, time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))
	h := p.Handler()
	f.Add("grant_type=urn:ietf:params:oauth:grant-type:token-exchange&audience=a&subject_token=a.b.c&subject_token_type=t", "token")
	f.Add(`{"payload":"{}"}`, "ya29.eyJhbGciOiJub25lIn0.e30.")
	f.Fuzz(func(t *testing.T, body, bearer string) {
		if w := post(h, ExchangePath, form, body); w.Code/100 != 4 {
			t.Fatalf("exchange %q: %d %s", body, w.Code, w.Body)
		}
		for _, method := range []string{"signJwt", "generateAccessToken", ""} {
			if w := post(h, IAMPath+account+":"+method, "application/json", body, "Authorization", "Bearer "+bearer); w.Code != http.StatusUnauthorized {
				t.Fatalf("%s %q: %d %s", method, body, w.Code, w.Body)
			}
		}
	})
}
