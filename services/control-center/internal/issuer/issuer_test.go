package issuer_test

import (
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/issuer"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
)

// serve starts an issuer with a certificate of its own, and returns its URL and a file with that.
func serve(t *testing.T, discovery func(url string) string) (url, caFile string) {
	t.Helper()
	var server *httptest.Server
	server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/.well-known/openid-configuration" {
			t.Errorf("asked for %s", r.URL.Path)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(discovery(server.URL)))
	}))
	t.Cleanup(server.Close)
	caFile = filepath.Join(t.TempDir(), "ca.pem")
	body := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(caFile, body, 0o600); err != nil {
		t.Fatal(err)
	}
	return server.URL, caFile
}

func document(url string) string {
	return fmt.Sprintf(`{"issuer":%[1]q,"authorization_endpoint":"%[1]s/a","token_endpoint":"%[1]s/t","jwks_uri":"%[1]s/k"}`, url)
}

func TestAnIssuerWithAPrivateCA(t *testing.T) {
	t.Parallel()
	url, caFile := serve(t, document)
	none := filepath.Join(t.TempDir(), "none.pem")
	if err := os.WriteFile(none, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	finder := issuer.NewFinder(clock.System())
	for file, want := range map[string]bool{caFile: true, "": false, none: false, none + "x": false} {
		found, err := finder.Find(t.Context(), url, file)
		if (err == nil) != want {
			t.Errorf("%s: %v", file, err)
		}
		if err == nil && found.URL != url {
			t.Errorf("%s is %s", url, found.URL)
		}
	}
}

// What an issuer says is bounded, and what it said once holds while it is away.
func TestWhatAnIssuerSays(t *testing.T) {
	t.Parallel()
	var answer func(url string) string
	url, caFile := serve(t, func(url string) string { return answer(url) })
	fake := clock.NewFake(time.Now())
	finder := issuer.NewFinder(fake)
	answer = func(url string) string { return strings.Repeat(" ", 2<<20) + document(url) }
	if _, err := finder.Find(t.Context(), url, caFile); err == nil {
		t.Error("an answer without an end was read")
	}
	answer = document
	fake.Advance(time.Minute)
	first, err := finder.Find(t.Context(), url, caFile)
	if err != nil {
		t.Fatal(err)
	}
	answer = func(string) string { return "{}" }
	for range 3 {
		fake.Advance(2 * time.Hour)
		if again, err := finder.Find(t.Context(), url, caFile); err != nil || again != first {
			t.Errorf("%v", err)
		}
	}
}

func TestErrorsSayNothingOfWhatWasSent(t *testing.T) {
	t.Parallel()
	for err, want := range map[string]string{
		`oidc: expected audience "rollcall" got ["ada@contoso.com"]`: "oidc: expected audience …]",
		"502 Bad Gateway: <html>\nsecret":                            "502 Bad Gateway: <html>",
		strings.Repeat("x", 300):                                     strings.Repeat("x", 200),
	} {
		if got := issuer.Plain(errors.New(err)).Error(); got != want {
			t.Errorf("%q", got)
		}
	}
}

func TestAnyTenant(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]bool{
		"https://login.microsoftonline.com/organizations/v2.0":                        true,
		"https://login.microsoftonline.us/common/v2.0":                                true,
		"https://login.microsoftonline.com/9f4a1c2e-5d1b-4c55-9d53-0f3f6f0a9a11/v2.0": false,
		"https://accounts.google.com":                                                 false,
		"https://x/common/v2.0/more":                                                  false,
		":":                                                                           false,
	} {
		if issuer.AnyTenant(url) != want {
			t.Errorf("%s", url)
		}
	}
}
