package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/telemetry"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
)

// replayed is what has become of a dead letter that was to be replayed.
type replayed struct {
	Sequence uint64 `json:"sequence"` // on DEAD_LETTERS
	Stream   string `json:"stream"`
	Tenant   string `json:"tenant"`
	Event    string `json:"event,omitempty"`
	Outcome  string `json:"outcome"`                   // replayed or left
	At       uint64 `json:"stream_sequence,omitempty"` // where the message stands now
	Reason   string `json:"reason,omitempty"`          // why it is left
}

var replayedFields = []output.Field[replayed]{
	same("sequence", 8, func(r replayed) string { return strconv.FormatUint(r.Sequence, 10) }),
	same("stream", 13, func(r replayed) string { return r.Stream }),
	same("tenant", 12, func(r replayed) string { return r.Tenant }),
	same("event", 24, func(r replayed) string { return r.Event }),
	same("outcome", 8, func(r replayed) string { return r.Outcome }),
	{Name: "stream_sequence", Width: 15, Cell: replayed.where, Value: replayed.where},
	same("reason", 0, func(r replayed) string { return r.Reason }),
}

func (r replayed) where() string {
	if r.At == 0 {
		return ""
	}
	return strconv.FormatUint(r.At, 10)
}

func (a *app) lettersReplayCommand() *cobra.Command {
	var of lettersOf
	var all bool
	cmd := list(&cobra.Command{
		Use:   "replay SEQUENCE | --all",
		Short: "Publish messages that were given up once more",
		Long: `Publish messages that were given up once more, with their own ids and to the subjects that they came from, for after what kept
them from being handled is mended. A letter is taken out once its stream has the message; what fails again becomes another letter.

An observation keeps its stamp: it undoes nothing that was seen later. A notification has the directory looked at. A command takes
effect now, also over what was ordered since: with --all the ones that set something are left, and replayed when you name them.

The exit code is 1 when a letter that was asked for is left.`,
		Example: `  rollcall dead-letters replay 17
  rollcall dead-letters replay --all --tenant contoso
  rollcall dead-letters replay --all --stream LEDGER_IN -o jsonl`,
		Args: cobra.MaximumNArgs(1),
		RunE: run(codeFailed, func(cmd *cobra.Command, args []string) error {
			switch {
			case all == (len(args) == 1):
				return usage("name a dead letter by its sequence, or all of them with --all")
			case !all && of != lettersOf{}:
				return usage("--tenant and --stream have a meaning with --all only")
			}
			if err := of.check(); err != nil {
				return err
			}
			if all {
				return a.withBus(func(b *bus.Bus) error { return a.replayAll(cmd.Context(), b, of) })
			}
			number, err := letterNumber(args[0])
			if err != nil {
				return err
			}
			return a.withBus(func(b *bus.Bus) error { return a.replayOne(cmd.Context(), b, number) })
		}),
	})
	cmd.Flags().BoolVar(&all, "all", false, "all that are there, in the order in which they were given up")
	of.flags(cmd)
	a.natsFlags(cmd)
	return cmd
}

func (a *app) replayOne(ctx context.Context, b *bus.Bus, number uint64) error {
	l, err := b.Letter(ctx, number)
	if err != nil {
		return err
	}
	done, err := replay(ctx, b, l)
	if err != nil {
		return err
	}
	return printAll(a, replayedFields, []replayed{done})
}

// replayAll goes on past letters that cannot be replayed, and stops where the stream takes nothing: what comes later would
// not be taken either.
func (a *app) replayAll(ctx context.Context, b *bus.Bus, of lettersOf) error {
	rows := output.NewRows(a.printer, replayedFields)
	left := false
	err := b.Letters(ctx, of.stream, of.tenant, func(l bus.Letter) error {
		done := replayedOf(l)
		if sets(l) {
			done.Reason = "a command takes effect over what was ordered since: name it to replay it"
		} else if again, err := replay(ctx, b, l); err == nil {
			done = again
		} else if errors.Is(err, bus.ErrNotReplayable) {
			done.Reason = err.Error()
		} else {
			return err
		}
		left = left || done.Outcome != outcomeReplayed
		return rows.Write(done)
	})
	if err := errors.Join(err, rows.Close()); err != nil || !left {
		return err
	}
	return &exit{code: codeFailed}
}

const (
	outcomeReplayed = "replayed"
	outcomeLeft     = "left"
)

func replayedOf(l bus.Letter) replayed {
	return replayed{Sequence: l.Number, Stream: l.Stream, Tenant: l.Tenant, Event: l.EventID, Outcome: outcomeLeft}
}

// sets reports whether a letter is a command that sets something. Those that have a directory read do not.
func sets(l bus.Letter) bool {
	tokens := strings.Split(l.Subject, ".")
	if l.Fault != nil || l.Stream != bus.LedgerIn || tokens[0] != "command" {
		return false
	}
	verb := tokens[len(tokens)-1]
	return verb != "refresh" && verb != "read"
}

// replay publishes the message of a letter and, once that is durable, takes the letter out. That somebody else has taken it
// out meanwhile does no harm.
func replay(ctx context.Context, b *bus.Bus, l bus.Letter) (replayed, error) {
	done := replayedOf(l)
	ack, err := b.Replay(ctx, l)
	if errors.Is(err, bus.ErrFull) {
		return done, fmt.Errorf("%s takes no message, and the dead letter stays: %w", l.Stream, err)
	}
	if err != nil {
		return done, err
	}
	done.Outcome, done.At = outcomeReplayed, ack.Sequence
	if err := b.DropLetter(ctx, l); err != nil && !errors.Is(err, bus.ErrNoLetter) {
		return done, fmt.Errorf("dead letter %d is replayed, and to be dropped: %w", l.Number, err)
	}
	return done, nil
}

// dropped is a dead letter that was taken out.
type dropped struct {
	letterItem
	By     string `json:"by"`
	Reason string `json:"dropped_because"`
}

func (a *app) lettersDropCommand() *cobra.Command {
	var by, reason string
	cmd := &cobra.Command{
		Use:   "drop SEQUENCE",
		Short: "Take a message that was given up out of the dead letters",
		Long: `Take a message that was given up out of the dead letters, for good. The reason goes with what is dropped into the log, which is
stderr: no address belongs there.`,
		Example: `  rollcall dead-letters drop 17 --reason "the full read has made up for it"
  rollcall dead-letters drop 17 --reason "no such tenant" --by ada`,
		Args: cobra.ExactArgs(1),
		RunE: run(codeFailed, func(cmd *cobra.Command, args []string) error {
			number, err := letterNumber(args[0])
			if err != nil {
				return err
			}
			switch {
			case strings.TrimSpace(reason) == "" || strings.ContainsFunc(reason, unicode.IsControl) || strings.Contains(reason, "@"):
				return usage("--reason %q: want one line that says why, without an address", reason)
			case !event.ValidActor(by):
				return usage("--by %q: want 1 to 64 letters, digits, dots, colons, hyphens and underscores, and no address", by)
			}
			return a.withBus(func(b *bus.Bus) error { return a.drop(cmd.Context(), b, number, by, reason) })
		}),
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why it is dropped, for the log")
	cmd.Flags().StringVar(&by, "by", "cli", "who drops it, for the log: letters, digits, dots, colons, hyphens and underscores, and no address")
	a.natsFlags(cmd)
	require(cmd, "reason")
	return cmd
}

func (a *app) drop(ctx context.Context, b *bus.Bus, number uint64, by, reason string) error {
	l, err := b.Letter(ctx, number)
	if err != nil {
		return err
	}
	if err := b.DropLetter(ctx, l); err != nil {
		return err
	}
	logger, err := telemetry.NewLogger(a.stderr, "info", "text")
	if err != nil {
		return err
	}
	logger.InfoContext(ctx, "dead letter dropped", "sequence", l.Number, "stream", l.Stream, "stream_sequence", l.Sequence, "tenant", l.Tenant,
		"event", l.EventID, "given_up_because", l.Reason, "by", by, "reason", reason)
	return output.One(a.printer, dropped{letterItem: letterItemOf(l), By: by, Reason: reason}, func(d dropped) string {
		return fmt.Sprintf("dead letter %d of %s is dropped\n", d.Sequence, d.Stream)
	})
}
