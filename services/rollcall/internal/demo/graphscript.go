package demo

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// graphScript fills groups as a customer's script does: through Graph's own API.
type graphScript struct {
	api        string
	credential *azidentity.ClientSecretCredential
	http       *http.Client
}

// Permission that the script needs beside Rollcall's, and the scope of a token for it.
const (
	writeMembers = "GroupMember.ReadWrite.All"
	graphScope   = "https://graph.microsoft.com/.default"
)

func newGraphScript(t tenant.Tenant) (*graphScript, error) {
	secret, err := os.ReadFile(t.Credential.File)
	if err != nil {
		return nil, fmt.Errorf("credential of the admin's script: %w", err)
	}
	pem, err := os.ReadFile(t.Endpoints.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read the simulator's CA: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("read the simulator's CA: there is no certificate")
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}}
	credential, err := azidentity.NewClientSecretCredential(t.DirectoryID, t.Credential.ClientID, string(secret), &azidentity.ClientSecretCredentialOptions{
		DisableInstanceDiscovery: true,
		ClientOptions: policy.ClientOptions{
			Transport: client, Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: t.Endpoints.Authority},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("credential of the admin's script: %w", err)
	}
	return &graphScript{api: t.Endpoints.API, credential: credential, http: client}, nil
}

// add puts users into a group with one request.
// Source: learn.microsoft.com/graph/api/group-post-members, "add multiple members to a group in a single request".
func (g *graphScript) add(ctx context.Context, group string, users []string) error {
	body := map[string][]string{}
	for _, id := range users {
		body["members@odata.bind"] = append(body["members@odata.bind"], g.api+"/directoryObjects/"+id)
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode the members: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPatch, g.api+"/groups/"+group, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	token, err := g.credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{graphScope}})
	if err != nil {
		return fmt.Errorf("token of the admin's script: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token.Token)
	res, err := g.http.Do(req)
	if err != nil {
		return fmt.Errorf("add members: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusNoContent {
		answer, _ := io.ReadAll(io.LimitReader(res.Body, 4<<10))
		return fmt.Errorf("add members: Graph answers %s: %s", res.Status, answer)
	}
	return nil
}
