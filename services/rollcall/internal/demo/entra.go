package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/datadir"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// entraClientID is the application that the simulated admin consented to.
const entraClientID = "0a4d5c1e-7f0b-4a57-9d0e-3c1f0c5b7a10"

// perRequest is the most members that Graph takes in one request.
const perRequest = 20

// entra is Microsoft Entra ID, read through Microsoft Graph.
func entra() provider {
	return provider{
		kind: directory.Entra, label: "Entra ID", api: "/v1.0",
		lists: []string{
			"GET /users", "GET /users/delta initial", "GET /groups", "GET /groups/delta initial", "GET /groups/{id}/members",
			"GET /groups/{id}/transitiveMembers",
		},
		enroll: enrollEntra, fill: fillEntra,
	}
}

// enrollEntra keeps the application's client secret in a file, as an operator would.
func enrollEntra(c company, dir *datadir.Dir) (control.App, tenant.Credential, error) {
	path := dir.Join(c.id + ".secret")
	secret, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		secret = []byte(rand.Text())
		err = os.WriteFile(path, secret, 0o600)
	}
	if err != nil {
		return control.App{}, tenant.Credential{}, fmt.Errorf("client secret of the demo: %w", err)
	}
	return control.App{ClientID: entraClientID, Secret: string(secret), Permissions: control.DefaultPermissions()},
		tenant.Credential{Kind: tenant.ClientSecret, ClientID: entraClientID, File: absolute(path)}, nil
}

// fillEntra runs a script against Graph. Rollcall's own rights do not reach that far, so the script's application is given
// the right, and loses it again.
func fillEntra(ctx context.Context, c company, t tenant.Tenant, group string, users []string) error {
	script, err := newGraphScript(t)
	if err != nil {
		return err
	}
	defer script.http.CloseIdleConnections()
	allow := func(more ...string) error {
		return c.client.SetPermissions(ctx, c.id, append(control.DefaultPermissions(), more...))
	}
	if err := allow(writeMembers); err != nil {
		return err
	}
	for portion := range slices.Chunk(users, perRequest) {
		if err := script.add(ctx, group, portion); err != nil {
			return err
		}
	}
	return allow()
}
