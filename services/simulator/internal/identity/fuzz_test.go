package identity

import (
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator/internal/signed"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

// FuzzVerify holds that nothing but what was minted with the secret is an access token, and that no text breaks the
// reader of assertions.
func FuzzVerify(f *testing.F) {
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	good, err := signed.Seal(signed.Claims{Tenant: "t", App: "a", Expires: float64(now.Add(time.Hour).Unix())}, []byte("the secret"))
	if err != nil {
		f.Fatal(err)
	}
	other, _ := signed.Seal(signed.Claims{Tenant: "t", App: "a", Expires: float64(now.Add(time.Hour).Unix())}, []byte("another"))
	f.Add(good)
	f.Add(other)
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("eyJ4NXQiOiJhYmMiLCJhbGciOiJSUzI1NiJ9.eyJleHAiOjk5OTk5OTk5OTksImF1ZCI6WyJhIiwiYiJdfQ.AAAA")
	f.Add("..")
	p := New(Config{Secret: []byte("the secret"), Now: func() time.Time { return now }})
	app := store.App{ClientID: "a", Federated: []store.Federated{{Issuer: "i", Subject: "s", PublicKey: "none"}}}
	f.Fuzz(func(t *testing.T, token string) {
		if _, _, err := p.Verify(token); (err == nil) != (token == good) {
			t.Fatalf("%q: %v", token, err)
		}
		if checkAssertion(app, token, "https://host/t/oauth2/v2.0/token", now) == nil {
			t.Fatalf("%q is taken for an assertion", token)
		}
	})
}
