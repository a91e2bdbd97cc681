package cli

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/license"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
)

type events struct {
	app          *app
	who          subject // --user may be an address, which the ledger knows
	types        []string
	since        string
	fromSequence uint64
	follow       bool
}

func (a *app) eventsCommand() *cobra.Command {
	e := &events{app: a}
	cmd := &cobra.Command{
		Use:   "events",
		Short: "Replay license events, and follow new ones",
		Long: `Replay the license events that are kept, or follow new ones as they come.

Without --since or --from-sequence it replays everything that is kept; with --follow alone it begins with the next new
event. A sequence counts the events of one tenant and product, so --from-sequence needs both. As JSON, each event is the
CloudEvent as it was published.`,
		Example: `  rollcall events --tenant contoso --follow
  rollcall events --tenant contoso --since 1h --type revoked
  rollcall events --tenant contoso --product secure-share --from-sequence 2001 -o jsonl
  rollcall events --tenant contoso --user ada@contoso.com`,
		Args: cobra.NoArgs,
		RunE: run(codeFailed, func(cmd *cobra.Command, _ []string) error {
			return e.run(cmd.Context(), time.Now())
		}),
	}
	f := cmd.Flags()
	f.StringVar(&e.who.tenant, "tenant", "", "only of this tenant")
	f.StringVar(&e.who.product, "product", "", "only of this product")
	f.StringVar(&e.who.user, "user", "", "only of this user: an id, or an address with --tenant")
	f.StringVar(&e.who.ledger, "ledger", "", "ledger that knows addresses, a path or a postgres URL, instead of the one of the data folder's process")
	f.StringSliceVar(&e.types, "type", nil, "only of this type: granted, revoked, reason-changed, policy, settings, seats, exceeded, within, line, held, listed, closed, degraded, recovered, or a full type; may be repeated")
	f.StringVar(&e.since, "since", "", "begin at a time (RFC 3339) or so long ago (e.g. 1h)")
	f.Uint64Var(&e.fromSequence, "from-sequence", 0, "begin at a sequence of --tenant and --product")
	f.BoolVar(&e.follow, "follow", false, "go on with new events")
	a.natsFlags(cmd)
	return cmd
}

func (e *events) run(ctx context.Context, now time.Time) error {
	options, err := e.options(ctx, now)
	if err != nil {
		return err
	}
	nc, err := e.app.connect()
	if err != nil {
		return err
	}
	defer nc.Close()
	client, err := license.New(nc)
	if err != nil {
		return err
	}
	stream := output.NewStream(e.app.printer, []output.Column{
		{Heading: "TIME", Width: 23},
		{Heading: "TENANT", Width: 12},
		{Heading: "PRODUCT", Width: 12},
		{Heading: "SEQUENCE", Width: 8},
		{Heading: "TYPE", Width: 14},
		{Heading: "USER", Width: 36},
		{Heading: "LICENSED", Width: 8},
		{Heading: "REASON"},
	})
	show := func(_ context.Context, ev license.Event) error {
		return stream.Write(json.RawMessage(ev.Raw), eventRow(ev))
	}
	if e.follow && e.since == "" && e.fromSequence == 0 {
		return client.Subscribe(ctx, options, show)
	}
	return client.Replay(ctx, options, show)
}

func (e *events) options(ctx context.Context, now time.Time) (license.Options, error) {
	o := license.Options{
		Tenant: e.who.tenant, Product: e.who.product, User: e.who.user, FromSequence: e.fromSequence, Follow: e.follow,
	}
	if e.fromSequence > 0 && (o.Tenant == "" || o.Product == "") {
		return o, usage("--from-sequence counts the events of one tenant and product: name --tenant and --product")
	}
	if e.fromSequence > 0 && e.since != "" {
		return o, usage("--since and --from-sequence exclude each other")
	}
	for _, t := range e.types {
		full, err := fullType(t)
		if err != nil {
			return o, err
		}
		o.Types = append(o.Types, full)
	}
	var err error
	if o.Since, err = parseTime("--since", e.since, now); err != nil {
		return o, err
	}
	if strings.Contains(o.User, "@") {
		o.User, err = e.resolve(ctx)
	}
	return o, err
}

// resolve finds the id of a user whose address was given: no subject and no event holds an address.
func (e *events) resolve(ctx context.Context) (id string, err error) {
	if e.who.tenant == "" {
		return "", usage("--user with an address needs --tenant")
	}
	err = e.app.withReader(ctx, e.who.ledger, func(r *ledger.Reader) error {
		u, err := r.FindUser(ctx, e.who.tenant, e.who.user)
		id = u.ID
		return err
	})
	return id, err
}

// shortTypes are the words for types that people type.
var shortTypes = map[string]string{
	"granted":        event.TypeLicenseGranted,
	"revoked":        event.TypeLicenseRevoked,
	"reason-changed": event.TypeLicenseReasonChanged,
	"policy":         event.TypePolicyChanged,
	"settings":       event.TypeSettingsChanged,
	"seats":          event.TypeSeatsChanged,
	"exceeded":       event.TypeSeatsExceeded,
	"within":         event.TypeSeatsWithin,
	"line":           event.TypeLineChanged,
	"activated":      event.TypeUserActivated,
	"held":           event.TypeHeldOpened,
	"listed":         event.TypeHeldListed,
	"closed":         event.TypeHeldClosed,
	"degraded":       event.TypeConnectionDegraded,
	"recovered":      event.TypeConnectionRecovered,
	"expiring":       event.TypeCredentialExpiring,
	"replaced":       event.TypeCredentialReplaced,
}

func fullType(s string) (string, error) {
	if full, known := shortTypes[s]; known {
		return full, nil
	}
	if strings.HasPrefix(s, "io.rollcall.") {
		return s, nil
	}
	return "", usage("--type %q: want %s, or a full type such as %s", s, strings.Join(slices.Sorted(maps.Keys(shortTypes)), ", "), event.TypeLicenseGranted)
}

// shortType is the word for a type, or the type itself.
func shortType(full string) string {
	for short, t := range shortTypes {
		if t == full {
			return short
		}
	}
	return full
}

func eventRow(e license.Event) []string {
	row := []string{e.Time.Local().Format("2006-01-02 15:04:05.000"), e.Tenant, e.Product, strconv.FormatUint(e.Sequence, 10), shortType(e.Type), e.User, "", ""}
	switch {
	case e.Entitlement != nil:
		row[6], row[7] = yesNo(e.Entitlement.Licensed), e.Entitlement.Reason
	case e.Policy != nil:
		row[7] = e.Policy.Mode
	}
	return row
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
