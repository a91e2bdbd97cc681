package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/datadir"
)

// natsFlags lets a command reach a NATS server other than that of the process behind --data.
func (a *app) natsFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.nats, "nats", a.getenv("ROLLCALL_NATS_URL"), "URL of the NATS server, instead of the one of the data folder's process")
	cmd.Flags().StringVar(&a.proof.User, "nats-user", a.getenv("ROLLCALL_NATS_USER"), "user to sign in to it as")
	cmd.Flags().StringVar(&a.proof.PasswordFile, "nats-password-file", a.getenv("ROLLCALL_NATS_PASSWORD_FILE"), "path of a file with that user's password")
	cmd.Flags().StringVar(&a.proof.CredentialsFile, "nats-creds", a.getenv("ROLLCALL_NATS_CREDENTIALS_FILE"), "path of a NATS .creds file, in place of a user")
}

// connect opens a connection to the NATS server that --nats or the data folder names.
func (a *app) connect() (*nats.Conn, error) {
	url := a.nats
	if url == "" {
		found, err := datadir.Find(a.data)
		if errors.Is(err, datadir.ErrNotRunning) {
			return nil, fmt.Errorf("%w: start \"rollcall demo\" or \"rollcall serve\", or name --data or --nats", err)
		}
		if err != nil {
			return nil, err
		}
		url = found.NATS
	}
	a.proof.CAFile = a.getenv("ROLLCALL_NATS_CA_FILE")
	proof, err := a.proof.Options()
	if err != nil {
		return nil, err
	}
	nc, err := nats.Connect(url, append(proof, nats.Name("rollcall command line"), nats.Timeout(3*time.Second),
		// What matters of it comes back as an error of what was being done, see allowed.
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))...)
	if err != nil && a.nats == "" {
		return nil, fmt.Errorf("no rollcall answers with the data folder %s any more: %w", a.data, err)
	}
	if err != nil {
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	return nc, nil
}

// withBus gives work a bus on a connection of its own.
func (a *app) withBus(work func(*bus.Bus) error) error { return a.withBusOf(bus.Config{}, work) }

func (a *app) withBusOf(cfg bus.Config, work func(*bus.Bus) error) error {
	nc, err := a.connect()
	if err != nil {
		return err
	}
	defer nc.Close()
	b, err := bus.New(nc, cfg)
	if err != nil {
		return err
	}
	return allowed(nc, work(b))
}

// allowed adds to an error that the server has refused something to the NATS user: to whoever asks it does not answer.
func allowed(nc *nats.Conn, err error) error {
	if refused := nc.LastError(); err != nil && errors.Is(refused, nats.ErrPermissionViolation) {
		return fmt.Errorf("the NATS user has not the right: %w: %w", refused, err)
	}
	return err
}

// withTenants gives work the registry of tenants.
func (a *app) withTenants(cmd *cobra.Command, work func(*tenant.Registry) error) error {
	return a.withBus(func(b *bus.Bus) error {
		registry, err := a.tenants(cmd.Context(), b)
		if err != nil {
			return err
		}
		return work(registry)
	})
}

func (a *app) tenants(ctx context.Context, b *bus.Bus) (*tenant.Registry, error) {
	kv, err := b.KeyValue(ctx, bus.BucketTenants)
	if err != nil {
		return nil, err
	}
	registry := tenant.NewRegistry(kv)
	registry.OnFault = func(id string, err error) {
		_, _ = fmt.Fprintf(a.stderr, "rollcall: the record of tenant %s cannot be read: %v\n", id, err)
	}
	return registry, nil
}
