package house

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// The service account that simulated admins delegate their domains to, and its number.
const (
	serviceAccount  = "rollcall@rollcall-demo.iam.gserviceaccount.com"
	serviceClientID = "104857600000000002026"
	keyBits         = 2048 // as Google makes them
)

// Account is a service account with its key in a file, as Google's console lets an operator download it.
type Account struct {
	file   string
	public string // PEM
}

// OpenAccount reads the key in a file, which it makes where there is none.
func OpenAccount(file string) (Account, error) {
	public, err := publicKey(file)
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeKeyFile(file); err == nil {
			public, err = publicKey(file)
		}
	}
	if err != nil {
		return Account{}, fmt.Errorf("key of a service account: %w", err)
	}
	return Account{file: file, public: public}, nil
}

// Admin is the admin of a customer in whose name its directory is read.
func Admin(domain string) string { return "admin@" + domain }

// App is the account as a customer has delegated to it.
func (a Account) App(domain string) control.App {
	return control.App{
		ClientID: serviceClientID, ServiceAccount: serviceAccount, PublicKey: a.public,
		Scopes: control.DefaultScopes(), Admins: []control.Admin{{Address: Admin(domain)}},
	}
}

// Credential is the account as the customer's record refers to it.
func (a Account) Credential(domain string) tenant.Credential {
	return tenant.Credential{
		Kind: tenant.GoogleKeyFile, ClientID: serviceClientID, ServiceAccount: serviceAccount, Subject: Admin(domain), File: a.file,
	}
}

// keyFile is a service account's key as Google hands it out.
// Source: cloud.google.com/iam/docs/keys-create-delete, the JSON of a created key.
type keyFile struct {
	Type         string `json:"type"`
	PrivateKeyID string `json:"private_key_id"`
	PrivateKey   string `json:"private_key"` // PEM, PKCS #8
	ClientEmail  string `json:"client_email"`
	ClientID     string `json:"client_id"`
	TokenURI     string `json:"token_uri"`
}

func makeKeyFile(path string) error {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	body, err := json.MarshalIndent(keyFile{ //nolint:gosec // G101: a key that was made just now, for the simulator
		Type: "service_account", PrivateKeyID: "demo", ClientEmail: serviceAccount, ClientID: serviceClientID,
		PrivateKey: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		TokenURI:   "https://oauth2.googleapis.com/token",
	}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, body, 0o600)
}

// publicKey returns the PEM of the public half of the key in a file.
func publicKey(path string) (string, error) {
	body, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	var file keyFile
	if err := json.Unmarshal(body, &file); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	block, _ := pem.Decode([]byte(file.PrivateKey))
	if block == nil {
		return "", fmt.Errorf("%s holds no private key", path)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return "", fmt.Errorf("read the key in %s: %w", path, err)
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return "", fmt.Errorf("%s holds no RSA key", path)
	}
	der, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), nil
}
