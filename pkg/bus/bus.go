// Package bus is Rollcall's way over NATS JetStream: the streams and buckets, publishing with a durable acknowledgement,
// consuming in order with one place that decides what becomes of a message, and dead letters. What a message means is
// not its business: that is package event's and its readers'.
//
// Order is kept for each tenant: NOTIFICATIONS and LEDGER_IN insert the tenant's partition into the stored subject, and
// one durable consumer reads one partition with a single message in flight.
package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// The streams.
const (
	Notifications = "NOTIFICATIONS" // hints that providers pushed
	LedgerIn      = "LEDGER_IN"     // what was observed and what was ordered: the one input of the ledger
	Licenses      = "LICENSES"      // the record of who was licensed: append-only
	DeadLetters   = "DEAD_LETTERS"  // what was given up, and why
)

// The key-value buckets. BucketEntitlements is filled by the server from LICENSES: nobody can put into it.
const (
	BucketEntitlements = "entitlements"
	BucketTenants      = "tenants"
	BucketChannels     = "channels"
	BucketCursors      = "cursors"
	BucketOwners       = "owners"
	BucketSessions     = "sessions"
	BucketTokens       = "tokens"
)

// Config says how the topology is laid out. Zero fields have usable defaults.
type Config struct {
	Partitions int // of tenants on NOTIFICATIONS and LEDGER_IN; frozen once the streams are there; 32
	Replicas   int // of every stream and bucket; 1

	NotificationsMaxAge time.Duration // 24 h
	LedgerInMaxAge      time.Duration // 30 days
	LicensesMaxAge      time.Duration // 400 days
	DeadLettersMaxAge   time.Duration // 30 days
	Duplicates          time.Duration // how long a Nats-Msg-Id is remembered; 10 min

	// Bytes on disk. NOTIFICATIONS drops its oldest when full (1 GiB). The others refuse new messages when full; 0 leaves
	// them bound only by the server's own storage limit, which refuses in the same way.
	NotificationsMaxBytes int64
	LedgerInMaxBytes      int64
	LicensesMaxBytes      int64
	DeadLettersMaxBytes   int64

	Logger  *slog.Logger     // discarded when nil
	Now     func() time.Time // time.Now
	Observe func(Settled)    // told of every message that was settled; may be nil; must not block
}

func (c Config) withDefaults() Config {
	const day = 24 * time.Hour
	setDefault(&c.Partitions, 32)
	setDefault(&c.Replicas, 1)
	setDefault(&c.NotificationsMaxAge, day)
	setDefault(&c.LedgerInMaxAge, 30*day)
	setDefault(&c.LicensesMaxAge, 400*day)
	setDefault(&c.DeadLettersMaxAge, 30*day)
	setDefault(&c.Duplicates, 10*time.Minute)
	setDefault(&c.NotificationsMaxBytes, 1<<30)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Observe == nil {
		c.Observe = func(Settled) {}
	}
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Bus publishes to and consumes from Rollcall's streams over one connection, which stays the caller's to close. It is
// safe for use by many goroutines.
type Bus struct {
	js  jetstream.JetStream
	cfg Config
}

// New makes a Bus on a connection. It sends nothing: call EnsureTopology where the streams may not be there yet.
func New(nc *nats.Conn, cfg Config) (*Bus, error) {
	if cfg.Partitions < 0 || cfg.Partitions > maxPartitions {
		return nil, fmt.Errorf("partitions %d: want 1 to %d", cfg.Partitions, maxPartitions)
	}
	if nc == nil {
		return nil, errors.New("bus needs a NATS connection")
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, fmt.Errorf("open JetStream: %w", err)
	}
	return &Bus{js: js, cfg: cfg.withDefaults()}, nil
}

// JetStream returns the client underneath, for what this package does not cover.
func (b *Bus) JetStream() jetstream.JetStream { return b.js }

// KeyValue opens a bucket.
func (b *Bus) KeyValue(ctx context.Context, bucket string) (jetstream.KeyValue, error) {
	kv, err := b.js.KeyValue(ctx, bucket)
	if err != nil {
		return nil, fmt.Errorf("open bucket %s: %w", bucket, classify(err))
	}
	return kv, nil
}

// StreamCreated returns when the server made the stream. A sequence means nothing without it: a stream that was made
// anew counts from one again.
func (b *Bus) StreamCreated(ctx context.Context, stream string) (time.Time, error) {
	info, err := b.StreamInfo(ctx, stream)
	if err != nil {
		return time.Time{}, err
	}
	return info.Created, nil
}

// StreamInfo returns what the server says of a stream now. Errors: ErrUnavailable, jetstream.ErrStreamNotFound.
func (b *Bus) StreamInfo(ctx context.Context, stream string) (*jetstream.StreamInfo, error) {
	s, err := b.js.Stream(ctx, stream)
	if err != nil {
		return nil, fmt.Errorf("look up stream %s: %w", stream, classify(err))
	}
	return s.CachedInfo(), nil
}

// ConsumerInfo returns what the server says of a durable now. Errors: ErrUnavailable, jetstream.ErrConsumerNotFound.
func (b *Bus) ConsumerInfo(ctx context.Context, stream, durable string) (*jetstream.ConsumerInfo, error) {
	c, err := b.js.Consumer(ctx, stream, durable)
	if err != nil {
		return nil, fmt.Errorf("look up consumer %s: %w", durable, classify(err))
	}
	return c.CachedInfo(), nil
}
