package demo

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/datadir"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// The service account that the simulated admin delegated the domain to, and its number.
const (
	serviceAccount  = "rollcall@rollcall-demo.iam.gserviceaccount.com"
	serviceClientID = "104857600000000002026"
	keyBits         = 2048 // as Google makes them
)

// workspace is Google Workspace, read through the Directory and Reports APIs. The members of a watched group are listed
// again and again there, whatever happens, so only lists of all users and of all groups are none of a single user's.
func workspace() provider {
	return provider{
		kind: directory.GoogleWorkspace, label: "Workspace",
		lists:  []string{"GET admin/users", "GET admin/groups"},
		enroll: enrollWorkspace, fill: fillWorkspace,
	}
}

// enrollWorkspace keeps the service account's key in the file that Google's console lets an operator download.
func enrollWorkspace(c company, dir *datadir.Dir) (control.App, tenant.Credential, error) {
	path := dir.Join(c.id + ".key.json")
	public, err := publicKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeKeyFile(path); err == nil {
			public, err = publicKey(path)
		}
	}
	if err != nil {
		return control.App{}, tenant.Credential{}, fmt.Errorf("service account key of the demo: %w", err)
	}
	admin := "admin@" + c.domain
	app := control.App{
		ClientID: serviceClientID, ServiceAccount: serviceAccount, PublicKey: public,
		Scopes: control.DefaultScopes(), Admins: []control.Admin{{Address: admin}},
	}
	return app, tenant.Credential{
		Kind: tenant.GoogleKeyFile, ClientID: serviceClientID, ServiceAccount: serviceAccount, Subject: admin, File: absolute(path),
	}, nil
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

// fillWorkspace uploads a file of members in the Admin console. The log that Google keeps of that names neither the group nor
// the members.
func fillWorkspace(ctx context.Context, c company, _ tenant.Tenant, group string, users []string) error {
	_, err := c.client.Via(control.ViaBulkUpload).AddMembers(ctx, c.id, group, users...)
	return err
}
