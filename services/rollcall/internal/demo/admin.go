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
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// admin fills groups as a customer's script does: through Graph's own API, which takes no more than 20 members in one
// request. Rollcall's own rights do not reach that far, so it is given the right and loses it again.
type admin struct {
	control *control.Client
	tenant  string
	api     string
	token   func(ctx context.Context) (string, error)
	http    *http.Client
}

// Permissions that the script needs beside Rollcall's, and the scope of a token for them.
const (
	writeMembers = "GroupMember.ReadWrite.All"
	graphScope   = "https://graph.microsoft.com/.default"
)

func newAdmin(c *control.Client, simulated string, t tenant.Tenant, secret string) (*admin, error) {
	pem, err := os.ReadFile(t.Endpoints.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read the simulator's CA: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("read the simulator's CA: there is no certificate")
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}}
	credential, err := azidentity.NewClientSecretCredential(t.DirectoryID, t.Credential.ClientID, secret, &azidentity.ClientSecretCredentialOptions{
		DisableInstanceDiscovery: true,
		ClientOptions: policy.ClientOptions{
			Transport: client, Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: t.Endpoints.Authority},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("credential of the admin's script: %w", err)
	}
	return &admin{control: c, tenant: simulated, api: t.Endpoints.API, http: client, token: func(ctx context.Context) (string, error) {
		token, err := credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{graphScope}})
		return token.Token, err
	}}, nil
}

// allow gives the script its right; the function that it returns takes it away.
func (a *admin) allow(ctx context.Context) (func(context.Context) error, error) {
	set := func(ctx context.Context, more ...string) error {
		return a.control.SetPermissions(ctx, a.tenant, append(control.DefaultPermissions(), more...))
	}
	return func(ctx context.Context) error { return set(ctx) }, set(ctx, writeMembers)
}

// add puts users into a group with one request.
// Source: learn.microsoft.com/graph/api/group-post-members, "add multiple members to a group in a single request".
func (a *admin) add(ctx context.Context, group string, users []string) error {
	body := map[string][]string{}
	for _, id := range users {
		body["members@odata.bind"] = append(body["members@odata.bind"], a.api+"/directoryObjects/"+id)
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode the members: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPatch, a.api+"/groups/"+group, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	token, err := a.token(ctx)
	if err != nil {
		return fmt.Errorf("token of the admin's script: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := a.http.Do(req)
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
