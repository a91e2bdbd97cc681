// Package workspacetest gives tests the service account that simulated Google Workspace customers delegate to.
package workspacetest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// The service account, and its number.
const (
	address  = "rollcall@rollcall-tests.iam.gserviceaccount.com"
	clientID = "104857600000000002026"
)

// Account is a service account with a key file.
type Account struct {
	KeyFile string
	public  string // PEM
}

// keys are made once for a package's tests: it takes as long as some of them.
var keys = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// New writes a key file that goes with the test.
func New(tb testing.TB) *Account {
	tb.Helper()
	key, err := keys()
	if err != nil {
		tb.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		tb.Fatal(err)
	}
	a := &Account{KeyFile: filepath.Join(tb.TempDir(), "key.json"), public: block("PUBLIC KEY", public)}
	if err := os.WriteFile(a.KeyFile, file(tb, key), 0o600); err != nil {
		tb.Fatal(err)
	}
	return a
}

// Replace writes a key into the file that no customer knows.
func (a *Account) Replace(tb testing.TB) {
	tb.Helper()
	if err := os.WriteFile(a.KeyFile, Stranger(tb), 0o600); err != nil {
		tb.Fatal(err)
	}
}

// Stranger is a key file of a key that no customer knows.
func Stranger(tb testing.TB) []byte {
	tb.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		tb.Fatal(err)
	}
	return file(tb, key)
}

// file is the key as Google hands it out.
func file(tb testing.TB, key *rsa.PrivateKey) []byte {
	tb.Helper()
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	body, err := json.Marshal(map[string]string{
		"type": "service_account", "private_key_id": "test", "private_key": block("PRIVATE KEY", private),
		"client_email": address, "client_id": clientID, "token_uri": "https://oauth2.googleapis.com/token",
	})
	if err != nil {
		tb.Fatal(err)
	}
	return body
}

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// Admin is the customer's admin in whose name its directory is read.
func Admin(domain string) string { return "admin@" + domain }

// App is the account as a customer has delegated to it.
func (a *Account) App() control.App {
	return control.App{ClientID: clientID, ServiceAccount: address, PublicKey: a.public}
}

// Credential is the account as the customer's record refers to it.
func (a *Account) Credential(domain string) tenant.Credential {
	return tenant.Credential{
		Kind: tenant.GoogleKeyFile, ClientID: clientID, ServiceAccount: address, Subject: Admin(domain), File: a.KeyFile,
	}
}
