package cli

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/services/internal/answer"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
)

// audit is what is asked for.
type audit struct {
	app                   *app
	tenant, product, user string
	since, until, ledger  string
}

func (a *app) auditCommand() *cobra.Command {
	q := &audit{app: a}
	cmd := list(&cobra.Command{
		Use:   "audit",
		Short: "List every change of a tenant, a product or a user, each with what caused it and who asked",
		Long: `List every change of a tenant, a product or a user, in the order of time: who was granted and revoked a license, which group
and mode came into force, what was held, approved and rejected, seats and settings. Each has the chain of its causes, down to
the notification or the command that started it, and who asked.

It is read from the ledger, which remembers all of it: the stream LICENSES, which consumers read, keeps 400 days.`,
		Example: `  rollcall audit --tenant contoso --since 24h
  rollcall audit --tenant contoso --user ada@contoso.com
  rollcall audit --tenant contoso --product secure-share --since 2026-01-01 --until 2027-01-01 -o csv > audit-2026.csv`,
		Args: cobra.NoArgs,
		RunE: run(codeFailed, func(cmd *cobra.Command, _ []string) error {
			now := time.Now()
			since, err := parseTime("--since", q.since, now)
			if err != nil {
				return err
			}
			until, err := parseTime("--until", q.until, now)
			if err != nil {
				return err
			}
			return a.withReader(cmd.Context(), q.ledger, func(r *ledger.Reader) error {
				return q.run(cmd.Context(), r, since, until)
			})
		}),
	})
	f := cmd.Flags()
	f.StringVar(&q.tenant, "tenant", "", "tenant")
	f.StringVar(&q.product, "product", "", "only of this product")
	f.StringVar(&q.user, "user", "", "only of this user: an address or an id")
	f.StringVar(&q.since, "since", "", "begin at a time (RFC 3339), with a day (UTC), or so long ago (e.g. 24h)")
	f.StringVar(&q.until, "until", "", "end before a time (RFC 3339), a day (UTC), or so long ago")
	ledgerFlag(cmd, &q.ledger)
	require(cmd, "tenant")
	return cmd
}

// auditItem is one change as it is printed.
type auditItem struct {
	At       time.Time       `json:"at"`
	Tenant   string          `json:"tenant"`
	Product  string          `json:"product"`
	Sequence uint64          `json:"sequence"`
	Type     string          `json:"type"`
	User     string          `json:"user,omitempty"`
	Name     string          `json:"name,omitempty"` // now
	Licensed *bool           `json:"licensed,omitempty"`
	Reason   string          `json:"reason,omitempty"`
	Path     []answer.Step   `json:"path,omitempty"`
	Data     json.RawMessage `json:"data,omitempty"` // of what is no license event
	Cause    string          `json:"cause,omitempty"`
	Chain    []link          `json:"chain,omitempty"` // from the cause down to what started it
	By       string          `json:"by,omitempty"`    // who asked for that
}

func (q *audit) run(ctx context.Context, r *ledger.Reader, since, until time.Time) error {
	asked := ledger.AuditQuery{Tenant: q.tenant, Product: q.product, Since: since, Until: until}
	if q.user != "" {
		u, err := r.FindUser(ctx, q.tenant, q.user)
		if err != nil {
			return err
		}
		asked.User = u.ID
	}
	chains, err := r.Chains(ctx, q.tenant)
	if err != nil {
		return err
	}
	rows := output.NewRows(q.app.printer, auditFields)
	err = r.Audit(ctx, asked, func(c ledger.Audited) error {
		item, err := auditItemOf(ctx, chains, q.tenant, c)
		if err != nil {
			return err
		}
		return rows.Write(item)
	})
	return errors.Join(err, rows.Close())
}

func auditItemOf(ctx context.Context, chains *ledger.Chains, tenant string, c ledger.Audited) (auditItem, error) {
	item := auditItem{
		At: c.At, Tenant: tenant, Product: c.Product, Sequence: c.Sequence, Type: c.Type, User: c.User, Name: c.Name,
		Reason: c.Reason, Data: c.Data, Cause: c.Cause,
	}
	if c.Data == nil {
		item.Licensed = &c.Licensed
	}
	for _, g := range c.Path {
		item.Path = append(item.Path, answer.Step{ID: g.ID, Name: g.Name})
	}
	var err error
	item.Chain, err = chainOf(ctx, chains, c.Cause)
	item.By = startedBy(item.Chain)
	return item, err
}

var auditFields = []output.Field[auditItem]{
	{
		Name: "time", Width: 23,
		Cell:  func(i auditItem) string { return i.At.Local().Format("2006-01-02 15:04:05.000") },
		Value: func(i auditItem) string { return stamped(i.At) },
	},
	{Name: "tenant", Value: func(i auditItem) string { return i.Tenant }},
	same("product", 12, func(i auditItem) string { return i.Product }),
	same("sequence", 8, func(i auditItem) string { return strconv.FormatUint(i.Sequence, 10) }),
	{
		Name: "type", Width: 22,
		Cell:  func(i auditItem) string { return shortWord(i.Type) },
		Value: func(i auditItem) string { return i.Type },
	},
	{Name: "who", Width: 24, Cell: func(i auditItem) string { return defaultTo(i.Name, i.User) }},
	{Name: "user", Value: func(i auditItem) string { return i.User }},
	{Name: "name", Value: func(i auditItem) string { return i.Name }},
	same("what", 40, auditItem.what),
	same("by", 8, func(i auditItem) string { return i.By }),
	{Name: "cause", Value: func(i auditItem) string { return i.Cause }},
	{Name: "causes", Cell: func(i auditItem) string { return chainText(i.Chain) }},
	{Name: "chain", Value: func(i auditItem) string { return chainText(i.Chain) }},
}
