package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/answer"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
)

// Exit codes of check.
const (
	checkNo    = 1
	checkError = 2
)

// checked is the answer that is printed.
type checked struct {
	Allowed bool   `json:"allowed"`
	Action  string `json:"action,omitempty"`
	answer.Decision
}

func (a *app) checkCommand() *cobra.Command {
	var s subject
	var action string
	cmd := overAPI(&cobra.Command{
		Use:   "check",
		Short: "Ask whether a user is licensed, or may take an action",
		Long: `Ask whether a user is licensed for a product or, with --action, whether the user may take an action of it.

The exit code is the answer: 0 for yes, 1 for no, 2 when there is none. A user who cannot be found, or an address that
several users have, is a no that says so.`,
		Example: `  rollcall check --tenant contoso --user ada@contoso.com
  rollcall check --tenant contoso --user ada@contoso.com --action share.initiate && echo "may share"`,
		Args: cobra.NoArgs,
		RunE: run(checkError, func(cmd *cobra.Command, _ []string) error {
			var reply checked
			err := a.askingOf(cmd.Context(), &s, func(r source) (err error) {
				reply.Decision, _, err = decide(cmd.Context(), r, &s)
				return err
			})
			if err != nil {
				return err
			}
			reply.Allowed = reply.Licensed
			if action != "" {
				reply.Action = action
				if reply.Allowed, err = a.allows(cmd, reply.Decision, action); err != nil {
					return err
				}
			}
			return a.answer(reply)
		}),
	})
	s.flags(cmd)
	cmd.Flags().StringVar(&action, "action", "", "action to ask about, e.g. share.initiate")
	a.natsFlags(cmd)
	return cmd
}

// allows looks up what the tenant's product gives to licensed and to active users.
func (a *app) allows(cmd *cobra.Command, d answer.Decision, action string) (bool, error) {
	product, err := a.productOf(cmd.Context(), d.Tenant, d.Product)
	if err != nil {
		return false, err
	}
	if !slices.Contains(product.Licensed, action) && !slices.Contains(product.Active, action) {
		known := strings.Join(slices.Concat(product.Licensed, product.Active), ", ")
		return false, usage("--action %q: %s has %s", action, d.Product, known)
	}
	rules := licensing.Capabilities{Licensed: product.Licensed, Active: product.Active}
	return rules.Allows(d.Active, d.Licensed, action), nil
}

func (a *app) productOf(ctx context.Context, tenantID, productID string) (product tenant.Product, err error) {
	err = a.ordering(func(o orders) error {
		product, err = o.ProductOf(ctx, tenantID, productID)
		return err
	})
	return product, err
}

// productIn finds a product of a tenant.
func productIn(t tenant.Tenant, id string) (tenant.Product, error) {
	p, found := t.Product(id)
	if !found {
		return p, fmt.Errorf("tenant %s has no product %q: it has %s", t.ID, id, products(t))
	}
	return p, nil
}

func (a *app) answer(c checked) error {
	err := output.One(a.printer, c, func(c checked) string {
		word := yesNo(c.Allowed)
		if c.Action != "" {
			word += ", " + c.Action
		}
		text := word + "\n" + c.Why + "\n"
		if c.Since != nil {
			text += "So since " + local(*c.Since) + "; known as of " + local(c.AsOf) + ".\n"
		}
		return text + standingNotices(c.Standing, c.Tenant)
	})
	if err == nil && !c.Allowed {
		return &exit{code: checkNo}
	}
	return err
}
