package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	graphreceiver "github.com/rollcall-hq/rollcall/services/graph-receiver"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/telemetry"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
	workspacereceiver "github.com/rollcall-hq/rollcall/services/workspace-receiver"
)

func (a *app) tenantsVerifyCommand() *cobra.Command {
	timeout := 2 * time.Minute
	cmd := &cobra.Command{
		Use:   "verify TENANT",
		Short: "Find out what keeps a directory from being read",
		Long: `Find out what keeps a connected directory from being read: it signs in as "rollcall serve" would, reads a little of
everything, and says of each thing that is missing what the directory's admin does about it. It also names what can never be
read there. Nothing is changed, at the provider or here.

Secrets are read as "rollcall serve" reads them: run it on the same machine, with the same environment.

The exit code is 0 when nothing failed, 1 when something did or could not be tried.`,
		Example: "  rollcall tenants verify contoso\n  rollcall tenants verify initech -o json | jq '.findings[] | select(.state == \"failed\")'",
		Args:    cobra.ExactArgs(1),
		RunE: run(codeFailed, func(cmd *cobra.Command, args []string) error {
			var t tenant.Tenant
			err := a.withTenants(cmd, func(r *tenant.Registry) (err error) {
				t, err = r.Get(cmd.Context(), args[0])
				return err
			})
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			found, err := a.verify(ctx, t)
			if err != nil {
				return err
			}
			return a.tellFindings(t, found)
		}),
	}
	cmd.Flags().DurationVar(&timeout, "timeout", timeout, "how long to wait for the provider")
	a.natsFlags(cmd)
	return cmd
}

// verify asks the receiver of the tenant's provider.
func (a *app) verify(ctx context.Context, t tenant.Tenant) ([]receiver.Finding, error) {
	lookup := func(name string) (string, bool) {
		value := a.getenv(name)
		return value, value != ""
	}
	switch t.Provider {
	case directory.Entra:
		return graphreceiver.Verify(ctx, t, graphreceiver.VerifyDeps{Logger: telemetry.Discard(), Clock: clock.System(), LookupEnv: lookup})
	case directory.GoogleWorkspace:
		return workspacereceiver.Verify(ctx, t, workspacereceiver.VerifyDeps{Logger: telemetry.Discard(), Clock: clock.System(), LookupEnv: lookup})
	}
	return nil, fmt.Errorf("the tenant %s is of a provider that this rollcall does not know", t.ID)
}

// verified is what "tenants verify" prints as JSON.
type verified struct {
	Tenant   string             `json:"tenant"`
	Provider directory.Provider `json:"provider"`
	Subject  string             `json:"subject,omitempty"` // the admin in whose name the directory is read, where there is one
	OK       bool               `json:"ok"`                // nothing failed, and nothing that could not be tried has to be tried again
	Findings []receiver.Finding `json:"findings"`
}

func (a *app) tellFindings(t tenant.Tenant, found []receiver.Finding) error {
	v := verified{
		Tenant: t.ID, Provider: t.Provider, Subject: t.Credential.Subject, Findings: found, OK: !slices.ContainsFunc(found, receiver.Finding.Troubling),
	}
	if err := output.One(a.printer, v, describeFindings); err != nil {
		return err
	}
	if !v.OK {
		return &exit{code: codeFailed}
	}
	return nil
}

// signs are the states as people scan for them.
var signs = map[receiver.FindingState]string{
	receiver.Passed: "ok", receiver.Failed: "FAILED", receiver.Unknown: "unknown", receiver.Blind: "blind",
}

func describeFindings(v verified) string {
	var b strings.Builder
	_, _ = fmt.Fprintf(&b, "%-8s %-27s %s\n", "STATE", "CHECK", "WHAT IS SO")
	failed := 0
	for _, f := range v.Findings {
		_, _ = fmt.Fprintf(&b, "%-8s %-27s %s\n", signs[f.State], f.Check, f.Detail)
		if f.Action != "" {
			_, _ = fmt.Fprintf(&b, "%-36s -> %s\n", "", f.Action)
		}
		if f.Troubling() {
			failed++
		}
	}
	switch failed {
	case 0:
		_, _ = fmt.Fprintf(&b, "\nNothing keeps %s from being read.\n", v.Tenant)
	case 1:
		_, _ = fmt.Fprintf(&b, "\nOne thing is to be done for %s.\n", v.Tenant)
	default:
		_, _ = fmt.Fprintf(&b, "\n%d things are to be done for %s.\n", failed, v.Tenant)
	}
	if failed > 0 && v.Subject != "" {
		_, _ = fmt.Fprintf(&b, "The admin in whose name Rollcall reads is %s.\n", v.Subject)
	}
	return b.String()
}
