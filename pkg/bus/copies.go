package bus

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// How an account of consumers reaches the account of Rollcall: the prefix of what it imports of the server's API, and of what
// it is delivered. deploy/nats/users.conf has both.
const (
	CopiesAPI     = "rollcall.API"
	CopiesDeliver = "copies.readers"
)

// EnsureCopies makes, in the account of its connection, the server's copies of LICENSES and of the bucket "entitlements" in
// the account of Rollcall. They have the same names, messages and sequences, and nobody can write to them. A copy that is
// there and is of something else is an error that says so.
func (b *Bus) EnsureCopies(ctx context.Context) error {
	for stream, subjects := range map[string]string{
		Licenses: "license.>", bucketStream(BucketEntitlements): "$KV." + BucketEntitlements + ".>",
	} {
		if err := b.ensureCopy(ctx, b.copyOf(stream, subjects)); err != nil {
			return fmt.Errorf("ensure the copy of %s: %w", stream, classify(err))
		}
	}
	return nil
}

func (b *Bus) copyOf(stream, subjects string) jetstream.StreamConfig {
	cfg := jetstream.StreamConfig{
		Name:        stream,
		Description: "The server's copy of " + stream,
		Mirror: &jetstream.StreamSource{
			Name: stream, FilterSubject: subjects, // named in the request for it, so that an export can be of this alone
			External: &jetstream.ExternalStream{APIPrefix: CopiesAPI, DeliverPrefix: CopiesDeliver},
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
