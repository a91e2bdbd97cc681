package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/services/control-center/tokens"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
)

func (a *app) tokensCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "tokens",
		Short: "Make, list and revoke API tokens for programs that ask the Control Center",
	}, a.tokensMakeCommand(), a.tokensListCommand(), a.tokensRevokeCommand())
}

// withTokens gives work the tokens on the NATS server.
func (a *app) withTokens(cmd *cobra.Command, work func(*tokens.Store) error) error {
	return a.withBus(func(b *bus.Bus) error {
		store, err := tokens.Open(cmd.Context(), b, clock.System())
		if err != nil {
			return err
		}
		return work(store)
	})
}

// madeToken is a token that was just made, which is shown this once.
type madeToken struct {
	Secret string `json:"token"`
	tokens.Token
}

func describeMade(t madeToken) string {
	return fmt.Sprintf("%s\n\nIt is shown this once. It is %s (%s), and ends %s.\n", t.Secret, t.Name, t.ID, local(t.Expires))
}

func (a *app) tokensMakeCommand() *cobra.Command {
	var w tokens.Wanted
	var role, days string
	var scopes []string
	var life time.Duration
	cmd := &cobra.Command{
		Use:   "make",
		Short: "Make a token, which is shown this once",
		Long: `Make a token, which is shown this once: Rollcall keeps a hash of it. A program sends it as "Authorization: Bearer …".

Its role is operator, tenant-admin or auditor, bound to the tenants that are named; none named, it is all of them, which no
tenant-admin has. With --scope it can do a part of that: read; commands, which reads as well; or check, which may only ask
"may this user?".`,
		Example: `  rollcall tokens make --name billing --role auditor --tenant contoso --scope read --expires-in 720h
  rollcall tokens make --name "secure share" --role auditor --scope check --expires 2027-01-31`,
		Args: cobra.NoArgs,
		RunE: run(codeFailed, func(cmd *cobra.Command, _ []string) error {
			now := clock.System().Now()
			w.Expires = now.Add(life)
			if days != "" {
				until, err := parseDay("--expires", days, time.Time{})
				if err != nil {
					return err
				}
				w.Expires = until
			}
			w.Role = tokens.Role(role)
			for _, s := range scopes {
				w.Scopes = append(w.Scopes, tokens.Scope(s))
			}
			if err := w.Validate(now); err != nil {
				return usage("%s", strings.ReplaceAll(err.Error(), "\n", "; "))
			}
			return a.withTokens(cmd, func(store *tokens.Store) error {
				secret, t, err := store.Make(cmd.Context(), w)
				if err != nil {
					return err
				}
				return output.One(a.printer, madeToken{secret, t}, describeMade)
			})
		}),
	}
	f := cmd.Flags()
	f.StringVar(&w.Name, "name", "", "what the program is called")
	f.StringVar(&role, "role", "", "operator, tenant-admin or auditor")
	f.StringSliceVar(&w.Tenants, "tenant", nil, "a tenant that it is bound to; may be repeated")
	f.StringSliceVar(&scopes, "scope", nil, "what of its role it may do: read, commands or check; may be repeated; all where none is named")
	f.DurationVar(&life, "expires-in", 90*24*time.Hour, "for how long it is good, a year at most")
	f.StringVar(&days, "expires", "", "the day on which it ends, in place of --expires-in")
	f.StringVar(&w.By, "by", "cli", "who makes it, for the record: letters, digits, dots, colons, hyphens and underscores, and no address")
	cmd.MarkFlagsMutuallyExclusive("expires-in", "expires")
	require(cmd, "name", "role")
	a.natsFlags(cmd)
	return cmd
}

func (a *app) tokensListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the tokens: what each is good for, and when it was used",
		Long:    "List the tokens: what each is good for, until when, and on which day it was used last. A token that expired is listed for a month.",
		Example: "  rollcall tokens list\n  rollcall tokens list -o csv",
		Args:    cobra.NoArgs,
		RunE: run(codeFailed, func(cmd *cobra.Command, _ []string) error {
			return a.withTokens(cmd, func(store *tokens.Store) error {
				all, err := store.List(cmd.Context())
				if err != nil {
					return err
				}
				return a.printTokens(all)
			})
		}),
	}
	a.natsFlags(cmd)
	return list(cmd)
}

func (a *app) printTokens(all []tokens.Token) error {
	headings := []string{"TOKEN", "NAME", "ROLE", "TENANTS", "SCOPES", "EXPIRES", "LAST USED", "MADE BY"}
	return output.List(a.printer, headings, all, func(t tokens.Token) []string {
		scopes := make([]string, len(t.Scopes))
		for i, s := range t.Scopes {
			scopes[i] = string(s)
		}
		return []string{
			t.ID, t.Name, string(t.Role), allOr(t.Tenants), allOr(scopes), t.Expires.Format(time.RFC3339), defaultTo(t.LastUsed, "never"), t.By,
		}
	})
}

// allOr is a list on one line, in which nothing means all.
func allOr(list []string) string { return defaultTo(strings.Join(list, " "), "all") }

func (a *app) tokensRevokeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "revoke TOKEN",
		Short:   "End a token: the next request with it is refused",
		Long:    "End a token, by the id that \"rollcall tokens list\" shows: the next request with it is refused, and it is never good again.",
		Example: "  rollcall tokens revoke mzxw6ytboi3dmnrq",
		Args:    cobra.ExactArgs(1),
		RunE: run(codeFailed, func(cmd *cobra.Command, args []string) error {
			return a.withTokens(cmd, func(store *tokens.Store) error {
				t, err := store.Revoke(cmd.Context(), args[0])
				if errors.Is(err, tokens.ErrNotFound) {
					return fmt.Errorf("there is no token %s: see \"rollcall tokens list\"", args[0])
				}
				if err != nil {
					return err
				}
				return output.One(a.printer, t, func(t tokens.Token) string { return fmt.Sprintf("%s (%s) is revoked.\n", t.ID, t.Name) })
			})
		}),
	}
	a.natsFlags(cmd)
	return cmd
}
