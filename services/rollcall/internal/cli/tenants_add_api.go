package cli

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/services/internal/apiclient"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
)

// ofReceivers are the flags of "tenants add" that say what receivers have in their own configuration.
var ofReceivers = []string{
	"credential", "client-id", "secret-file", "secret-env", "certificate-file", "service-account", "credentials-file", "key-file", "secret-expires",
	"api", "authority", "ca-file",
}

// addOverAPI has a receiver look at a directory and connect it.
func (a *app) addOverAPI(cmd *cobra.Command, n newTenant, g given, id string) error {
	for _, name := range ofReceivers {
		if cmd.Flags().Changed(name) { // what was given may be a secret: it is not repeated
			return usage("--%s: with --server the receivers have it in their configuration", name)
		}
	}
	if n.productsFile != "" {
		return usage("--products-file: with --server products that are shipped are named with --product; others come by \"rollcall tenants products\"")
	}
	if err := g.check(); err != nil {
		return err
	}
	r, err := a.remote()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), g.timeout)
	defer cancel()
	made, err := apiclient.Read[apiclient.ConnectedTenant](r.api.ConnectTenant(ctx,
		&apiclient.ConnectTenantParams{IdempotencyKey: new(cmp.Or(g.key, rand.Text()))}, apiclient.ConnectRequest{
			ID: id, Provider: apiclient.Provider(n.provider), DirectoryID: n.directoryID, ConnectedBy: n.connectedBy, Subject: n.subject, Products: n.products,
		}))
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("no answer within %s; the same under the same --key goes on", g.timeout)
	}
	if err != nil {
		return err
	}
	return output.One(a.printer, tenantOf(made.Tenant), func(t tenant.Tenant) string { return "connected\n\n" + describeTenant(t) })
}
