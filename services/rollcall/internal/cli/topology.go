package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
)

func (a *app) topologyCommand() *cobra.Command {
	var cfg bus.Config
	var copies bool
	var of string
	cmd := &cobra.Command{
		Use:   "topology",
		Short: "Make the streams and buckets on a NATS server",
		Long: `Make the streams and buckets on a NATS server, or bring those that are there to what is asked for. Nothing is ever
deleted, and the number of partitions can never change.

"rollcall serve" does so itself, unless nats.provision is off: then its NATS user need not be allowed to.

With --copies it makes, in the account of the NATS user, the server's copies of LICENSES and of the bucket entitlements, for
services that consume license events in an account of their own; with --tenant as well, of what is that tenant's, for a service
that may see no other. deploy/nats/users.conf shows these accounts.`,
		Example: `  rollcall topology --nats nats://nats:4222 --nats-user operator --nats-password-file /run/secrets/operator
  rollcall topology --copies --nats nats://nats:4222 --nats-user readers-operator --nats-password-file /run/secrets/readers
  rollcall topology --copies --tenant contoso --nats nats://nats:4222 --nats-user contoso-operator --nats-password-file /run/secrets/contoso`,
		Args: cobra.NoArgs,
		RunE: run(codeFailed, func(cmd *cobra.Command, _ []string) error {
			if of != "" && !copies {
				return usage("--tenant is of the copies: want --copies with it")
			}
			return a.withBusOf(cfg, func(b *bus.Bus) error {
				ensure := b.EnsureTopology
				switch {
				case of != "":
					ensure = func(ctx context.Context) error { return b.EnsureCopiesOf(ctx, of) }
				case copies:
					ensure = b.EnsureCopies
				}
				if err := ensure(cmd.Context()); err != nil {
					return err
				}
				return a.printStreams(cmd.Context(), b)
			})
		}),
	}
	cmd.Flags().IntVar(&cfg.Partitions, "partitions", 32, "into how many partitions tenants are spread: nats.partitions of every process")
	cmd.Flags().IntVar(&cfg.Replicas, "replicas", 1, "copies of each stream on the servers of a cluster: nats.replicas")
	cmd.Flags().BoolVar(&copies, "copies", false, "make copies for consumers, in an account of their own")
	cmd.Flags().StringVar(&of, "tenant", "", "with --copies: only of this tenant")
	a.natsFlags(cmd)
	return list(cmd)
}

// madeStream is one line of what there is.
type madeStream struct {
	Name     string `json:"name"`
	Messages uint64 `json:"messages"`
	Replicas int    `json:"replicas"`
	CopyOf   string `json:"copy_of,omitempty"`
}

func (a *app) printStreams(ctx context.Context, b *bus.Bus) error {
	var all []madeStream
	streams := b.JetStream().ListStreams(ctx)
	for info := range streams.Info() {
		s := madeStream{Name: info.Config.Name, Messages: info.State.Msgs, Replicas: info.Config.Replicas}
		if info.Config.Mirror != nil {
			s.CopyOf = info.Config.Mirror.Name
		}
		all = append(all, s)
	}
	if err := streams.Err(); err != nil {
		return fmt.Errorf("list the streams: %w", err)
	}
	return output.List(a.printer, []string{"STREAM", "MESSAGES", "REPLICAS", "COPY OF"}, all, func(s madeStream) []string {
		return []string{s.Name, fmt.Sprint(s.Messages), fmt.Sprint(s.Replicas), s.CopyOf}
	})
}
