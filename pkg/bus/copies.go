package bus

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

// How an account of consumers reaches the account of Rollcall: the prefix of what it imports of the server's API, and of what
// it is delivered, before "readers" or a tenant. deploy/nats/users.conf has both.
const (
	CopiesAPI     = "rollcall.API"
	CopiesDeliver = "copies"
)

// EnsureCopies makes, in the account of its connection, the server's copies of LICENSES and of the bucket "entitlements" in
// the account of Rollcall. They have the same names, messages and sequences, and nobody can write to them. A copy that is
// there and is of something else is an error that says so.
func (b *Bus) EnsureCopies(ctx context.Context) error {
	return b.ensureCopies(ctx, "readers", ">")
}

// EnsureCopiesOf is EnsureCopies for an account that may see one tenant: its copies hold what is of that tenant, and nothing
// else. Their messages keep their sequences.
func (b *Bus) EnsureCopiesOf(ctx context.Context, tenant string) error {
	if !event.ValidSlug(tenant) { // with a wildcard it would be everybody
		return fmt.Errorf("ensure the copies of tenant %q: want the id of one", tenant)
	}
	return b.ensureCopies(ctx, tenant, tenant+".>")
}

func (b *Bus) ensureCopies(ctx context.Context, account, of string) error {
	for stream, subjects := range map[string]string{
		Licenses: "license." + of, bucketStream(BucketEntitlements): "$KV." + BucketEntitlements + "." + of,
	} {
		if err := b.ensureCopy(ctx, b.copyOf(stream, subjects, account)); err != nil {
			return fmt.Errorf("ensure the copy of %s: %w", stream, classify(err))
		}
	}
	return nil
}

func (b *Bus) copyOf(stream, subjects, account string) jetstream.StreamConfig {
	cfg := jetstream.StreamConfig{
		Name:        stream,
		Description: "The server's copy of " + stream,
		Mirror: &jetstream.StreamSource{
			Name: stream, FilterSubject: subjects, // named in the request for it, so that an export can be of this alone
			External: &jetstream.ExternalStream{APIPrefix: CopiesAPI, DeliverPrefix: CopiesDeliver + "." + account},
		},
		MaxBytes: -1, Storage: jetstream.FileStorage, Replicas: b.cfg.Replicas, AllowDirect: true, DenyDelete: true, DenyPurge: true,
	}
	if stream == Licenses {
		cfg.MaxAge = b.cfg.LicensesMaxAge
	} else {
		cfg.MaxMsgsPerSubject = 1
	}
	return cfg
}

func (b *Bus) ensureCopy(ctx context.Context, want jetstream.StreamConfig) error {
	s, err := b.js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		_, err = b.js.CreateStream(ctx, want)
		return err
	}
	if err != nil {
		return err
	}
	got := s.CachedInfo().Config
	if m := got.Mirror; m == nil || m.Name != want.Mirror.Name || m.FilterSubject != want.Mirror.FilterSubject || m.External == nil ||
		*m.External != *want.Mirror.External {
		return errors.New("there is a stream of this name that is no copy")
	}
	if got.MaxAge == want.MaxAge && got.Replicas == want.Replicas {
		return nil
	}
	got.MaxAge, got.Replicas = want.MaxAge, want.Replicas
	_, err = b.js.UpdateStream(ctx, got)
	return err
}
