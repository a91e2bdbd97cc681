package cli

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
)

func (a *app) deadLettersCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "dead-letters",
		Short: "See the messages that could not be handled, and replay or drop them",
		Long: `See the messages that could not be handled, and replay or drop them. What that means for each stream is in
docs/operations.md.`,
	}, a.lettersListCommand(), a.lettersShowCommand(), a.lettersReplayCommand(), a.lettersDropCommand())
}

// lettersOf says which dead letters are meant.
type lettersOf struct{ stream, tenant string }

func (of *lettersOf) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&of.tenant, "tenant", "", "only of this tenant; \"unknown\" where the message named none")
	cmd.Flags().StringVar(&of.stream, "stream", "", "only of this stream: "+bus.LedgerIn+" or "+bus.Notifications)
}

func (of *lettersOf) check() error {
	if of.tenant != "" && !event.ValidSlug(of.tenant) {
		return usage("--tenant %q: want the id of a tenant", of.tenant)
	}
	if of.stream != "" && of.stream != bus.LedgerIn && of.stream != bus.Notifications {
		return usage("--stream %q: want %s or %s", of.stream, bus.LedgerIn, bus.Notifications)
	}
	return nil
}

// letterNumber reads the sequence of a dead letter.
func letterNumber(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || n == 0 {
		return 0, usage("%q is no sequence of a dead letter: want a number that \"rollcall dead-letters list\" shows", s)
	}
	return n, nil
}

func (a *app) lettersListCommand() *cobra.Command {
	var of lettersOf
	cmd := list(&cobra.Command{
		Use:   "list",
		Short: "List the messages that were given up, the oldest first",
		Example: `  rollcall dead-letters list
  rollcall dead-letters list --tenant contoso --stream LEDGER_IN
  rollcall dead-letters list -o jsonl | jq -r .reason | sort | uniq -c`,
		Args: cobra.NoArgs,
		RunE: run(codeFailed, func(cmd *cobra.Command, _ []string) error {
			if err := of.check(); err != nil {
				return err
			}
			return a.withBus(func(b *bus.Bus) error {
				rows := output.NewRows(a.printer, letterFields)
				err := b.Letters(cmd.Context(), of.stream, of.tenant, func(l bus.Letter) error { return rows.Write(letterItemOf(l)) })
				return errors.Join(err, rows.Close())
			})
		}),
	})
	of.flags(cmd)
	a.natsFlags(cmd)
	return cmd
}

// letterItem is a dead letter as it is printed.
type letterItem struct {
	Sequence   uint64    `json:"sequence"` // on DEAD_LETTERS
	Time       time.Time `json:"time"`
	Stream     string    `json:"stream"`
	Tenant     string    `json:"tenant"`
	Type       string    `json:"type,omitempty"`  // of the message
	Event      string    `json:"event,omitempty"` // its id
	Deliveries uint64    `json:"deliveries"`
	Consumer   string    `json:"consumer,omitempty"`
	At         uint64    `json:"stream_sequence,omitempty"`
	Subject    string    `json:"subject,omitempty"`
	Reason     string    `json:"reason"`
}

func letterItemOf(l bus.Letter) letterItem {
	item := letterItem{
		Sequence: l.Number, Time: l.Time, Stream: l.Stream, Tenant: l.Tenant, Type: l.Type, Event: l.EventID, Deliveries: l.Deliveries,
		Consumer: l.Consumer, At: l.Sequence, Subject: l.Subject, Reason: l.Reason,
	}
	if l.Fault != nil {
		item.Reason = "not a dead letter: " + l.Fault.Error()
	}
	return item
}

var letterFields = []output.Field[letterItem]{
	same("sequence", 8, func(l letterItem) string { return strconv.FormatUint(l.Sequence, 10) }),
	{
		Name: "time", Width: 19,
		Cell:  func(l letterItem) string { return local(l.Time) },
		Value: func(l letterItem) string { return stamped(l.Time) },
	},
	same("stream", 13, func(l letterItem) string { return l.Stream }),
	same("tenant", 12, func(l letterItem) string { return l.Tenant }),
	{
		Name: "type", Width: 24,
		Cell: func(l letterItem) string {
			return strings.TrimSuffix(strings.TrimPrefix(defaultTo(l.Type, "-"), "io.rollcall."), ".v1")
		},
		Value: func(l letterItem) string { return l.Type },
	},
	{
		Name: "event", Width: 24,
		Cell:  func(l letterItem) string { return defaultTo(l.Event, "-") },
		Value: func(l letterItem) string { return l.Event },
	},
	same("deliveries", 10, func(l letterItem) string { return strconv.FormatUint(l.Deliveries, 10) }),
	same("reason", 40, func(l letterItem) string { return l.Reason }),
	{Name: "consumer", Value: func(l letterItem) string { return l.Consumer }},
	{Name: "stream_sequence", Value: func(l letterItem) string { return strconv.FormatUint(l.At, 10) }},
	{Name: "subject", Value: func(l letterItem) string { return l.Subject }},
}

func (a *app) lettersShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show SEQUENCE",
		Short: "Show a message that was given up, with its body",
		Long: `Show a message that was given up, with its body: as it stands on its stream, or as the dead letter holds it where the stream
has forgotten it. What was observed in a directory holds names and addresses.`,
		Example: "  rollcall dead-letters show 17\n  rollcall dead-letters show 17 -o json | jq .body.data",
		Args:    cobra.ExactArgs(1),
		RunE: run(codeFailed, func(cmd *cobra.Command, args []string) error {
			number, err := letterNumber(args[0])
			if err != nil {
				return err
			}
			return a.withBus(func(b *bus.Bus) error {
				shown, err := letterShownOf(cmd.Context(), b, number)
				if err != nil {
					return err
				}
				return output.One(a.printer, shown, describeLetter)
			})
		}),
	}
	a.natsFlags(cmd)
	return cmd
}

// letterShown is a dead letter with what was given up.
type letterShown struct {
	letterItem
	Body json.RawMessage `json:"body,omitempty"`        // where it is JSON
	Raw  string          `json:"body_base64,omitempty"` // where it is not
}

func letterShownOf(ctx context.Context, b *bus.Bus, number uint64) (letterShown, error) {
	l, err := b.Letter(ctx, number)
	if err != nil {
		return letterShown{}, err
	}
	shown := letterShown{letterItem: letterItemOf(l)}
	if l.Fault != nil {
		return shown, nil
	}
	body, err := b.LetterBody(ctx, l)
	switch {
	case err != nil:
		return shown, err
	case json.Valid(body):
		shown.Body = body
	default:
		shown.Raw = base64.StdEncoding.EncodeToString(body)
	}
	return shown, nil
}

func describeLetter(l letterShown) string {
	var b strings.Builder
	line := func(name, value string) { writeLine(&b, name, value) }
	line("dead letter", strconv.FormatUint(l.Sequence, 10))
	line("given up", l.Time.Format(time.RFC3339))
	line("reason", l.Reason)
	line("stream", l.Stream)
	line("tenant", l.Tenant)
	if l.At > 0 {
		line("consumer", fmt.Sprintf("%s, after %d deliveries", l.Consumer, l.Deliveries))
		line("stream sequence", strconv.FormatUint(l.At, 10))
	}
	line("subject", l.Subject)
	line("type", l.Type)
	line("event", l.Event)
	switch indented := (&bytes.Buffer{}); {
	case len(l.Body) > 0 && json.Indent(indented, l.Body, "", "  ") == nil:
		b.WriteString("\n" + indented.String() + "\n")
	case l.Raw != "":
		line("body in base64", l.Raw)
	default:
		line("body", "empty, or too large for the letter and gone from its stream")
	}
	return b.String()
}
