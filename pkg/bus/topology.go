package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go/jetstream"
)

// EnsureTopology creates the streams and buckets that are missing and verifies those that are there. What may change in
// place (age, bytes, replicas, duplicate window) is brought to the configuration; a difference in anything else, such as
// the partition count, is an error that names it: nothing is ever deleted here. Several processes may do it at once.
func (b *Bus) EnsureTopology(ctx context.Context) error {
	for _, want := range b.streams() {
		if err := b.ensureStream(ctx, want); err != nil {
			return fmt.Errorf("ensure stream %s: %w", want.Name, classify(err))
		}
	}
	if err := b.verifyCopied(ctx); err != nil {
		return fmt.Errorf("ensure bucket %s: %w", BucketEntitlements, classify(err))
	}
	for _, bucket := range []string{BucketTenants, BucketChannels, BucketCursors, BucketOwners, BucketSessions, BucketTokens} {
		if err := b.ensureBucket(ctx, bucket); err != nil {
			return fmt.Errorf("ensure bucket %s: %w", bucket, classify(err))
		}
	}
	return nil
}

// ErrNotProvisioned says that a stream is not there yet, and somebody else is to make it.
var ErrNotProvisioned = errors.New("the stream is not there yet")

// VerifyTopology compares streams with the configuration and changes nothing: for users who may not make any. Errors:
// ErrNotProvisioned, ErrUnavailable, which is also what a server answers to a user who may not even look, or what differs.
func (b *Bus) VerifyTopology(ctx context.Context, names ...string) error {
	for _, want := range b.streams() {
		if !slices.Contains(names, want.Name) {
			continue
		}
		s, err := b.js.Stream(ctx, want.Name)
		switch {
		case errors.Is(err, jetstream.ErrStreamNotFound):
			err = ErrNotProvisioned
		case err == nil:
			err = verify(s.CachedInfo().Config, want)
		}
		if err != nil {
			return fmt.Errorf("verify stream %s: %w", want.Name, classify(err))
		}
	}
	return nil
}

func (b *Bus) streams() []jetstream.StreamConfig {
	p := b.cfg.Partitions
	return []jetstream.StreamConfig{
		b.stream(jetstream.StreamConfig{
			Name:        Notifications,
			Description: "Hints that providers pushed: notification.<partition>.<provider>.<tenant>",
			Subjects:    []string{"notification.*.*"}, // tenant, provider
			SubjectTransform: &jetstream.SubjectTransformConfig{
				Source:      "notification.*.*",
				Destination: fmt.Sprintf("notification.{{partition(%d,1)}}.{{wildcard(2)}}.{{wildcard(1)}}", p),
			},
			Discard:  jetstream.DiscardOld,
			MaxAge:   b.cfg.NotificationsMaxAge,
			MaxBytes: b.cfg.NotificationsMaxBytes,
		}),
		b.stream(jetstream.StreamConfig{
			Name:        LedgerIn,
			Description: "Observations and commands: directory|command.<partition>.<tenant>.<what>",
			Subjects:    []string{"directory.*.*", "command.*.*"}, // tenant, what
			SubjectTransform: &jetstream.SubjectTransformConfig{
				Source:      "*.*.*",
				Destination: fmt.Sprintf("{{wildcard(1)}}.{{partition(%d,2)}}.{{wildcard(2)}}.{{wildcard(3)}}", p),
			},
			MaxAge:             b.cfg.LedgerInMaxAge,
			MaxBytes:           b.cfg.LedgerInMaxBytes,
			Compression:        jetstream.S2Compression,
			AllowAtomicPublish: true,
		}),
		b.stream(jetstream.StreamConfig{
			Name:               Licenses,
			Description:        "The record of who was licensed: license.<tenant>.<product>.user.<user>, .policy, .seats and .held",
			Subjects:           []string{"license.>"},
			MaxAge:             b.cfg.LicensesMaxAge,
			MaxBytes:           b.cfg.LicensesMaxBytes,
			DenyDelete:         true,
			DenyPurge:          true,
			AllowAtomicPublish: true,
		}),
		b.stream(jetstream.StreamConfig{
			Name:        DeadLetters,
			Description: "Messages that were given up, and why: dead.<stream>.<tenant>",
			Subjects:    []string{"dead.*.*"},
			MaxAge:      b.cfg.DeadLettersMaxAge,
			MaxBytes:    b.cfg.DeadLettersMaxBytes,
		}),
		b.entitlements(),
	}
}

// stream fills in what all streams have in common.
func (b *Bus) stream(c jetstream.StreamConfig) jetstream.StreamConfig {
	c.Storage = jetstream.FileStorage
	c.Replicas = b.cfg.Replicas
	c.Duplicates = min(b.cfg.Duplicates, c.MaxAge)
	c.AllowDirect = true
	if c.Name != Notifications {
		c.Discard = jetstream.DiscardNew
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = -1
	}
	return c
}

// entitlements is a key-value bucket without subjects of its own: its only way in is the server's own copy of the user
// events of LICENSES, one value for each key. So it cannot say anything that the record does not.
func (b *Bus) entitlements() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:        bucketStream(BucketEntitlements),
		Description: "The latest license event of each user: <tenant>.<product>.<user>",
		Sources: []*jetstream.StreamSource{{
			Name: Licenses,
			SubjectTransforms: []jetstream.SubjectTransformConfig{{
				Source:      "license.*.*.user.*",
				Destination: "$KV." + BucketEntitlements + ".{{wildcard(1)}}.{{wildcard(2)}}.{{wildcard(3)}}",
			}},
		}},
		MaxMsgsPerSubject: 1,
		MaxBytes:          -1,
		Storage:           jetstream.FileStorage,
		Replicas:          b.cfg.Replicas,
		AllowDirect:       true,
		DenyDelete:        true,
		DenyPurge:         true,
	}
}

func bucketStream(bucket string) string { return "KV_" + bucket }

func (b *Bus) ensureStream(ctx context.Context, want jetstream.StreamConfig) error {
	s, err := b.js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		if s, err = b.js.CreateStream(ctx, want); errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			s, err = b.js.Stream(ctx, want.Name) // another process was first
		}
	}
	if err != nil {
		return err
	}
	got := s.CachedInfo().Config
	if err := verify(got, want); err != nil {
		return err
	}
	next, changed := settle(got, want)
	if !changed {
		return nil
	}
	if _, err := b.js.UpdateStream(ctx, next); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	b.cfg.Logger.InfoContext(ctx, "stream updated", "stream", want.Name)
	return nil
}

// settle returns got with the settings of want that may change in place, and whether any did.
func settle(got, want jetstream.StreamConfig) (jetstream.StreamConfig, bool) {
	before := [4]int64{int64(got.MaxAge), got.MaxBytes, int64(got.Replicas), int64(got.Duplicates)}
	got.MaxAge, got.MaxBytes, got.Replicas = want.MaxAge, want.MaxBytes, want.Replicas
	if want.Duplicates != 0 {
		got.Duplicates = want.Duplicates
	}
	return got, before != [4]int64{int64(got.MaxAge), got.MaxBytes, int64(got.Replicas), int64(got.Duplicates)}
}

// verify returns every difference that an update cannot or must not bridge.
func verify(got, want jetstream.StreamConfig) error {
	var errs []error
	differs := func(what string, got, want any) {
		errs = append(errs, fmt.Errorf("%s is %v, want %v", what, got, want))
	}
	if g, w := transform(got.SubjectTransform), transform(want.SubjectTransform); g != w {
		if gp, wp := partitions(g), partitions(w); gp != wp {
			errs = append(errs, fmt.Errorf("it has %d partitions, the configuration says %d: the count is frozen while messages or positions exist", gp, wp))
		} else {
			differs("subject transform", g, w)
		}
	}
	slices.Sort(got.Subjects)
	slices.Sort(want.Subjects)
	if !slices.Equal(got.Subjects, want.Subjects) {
		differs("subjects", got.Subjects, want.Subjects)
	}
	if g, w := sources(got), sources(want); !slices.Equal(g, w) {
		differs("sources", g, w)
	}
	if got.Storage != want.Storage || got.Retention != want.Retention || got.Discard != want.Discard {
		differs("storage, retention, discard", []any{got.Storage, got.Retention, got.Discard}, []any{want.Storage, want.Retention, want.Discard})
	}
	if got.MaxMsgsPerSubject > 0 != (want.MaxMsgsPerSubject > 0) {
		differs("messages for each subject", got.MaxMsgsPerSubject, want.MaxMsgsPerSubject)
	}
	if got.AllowAtomicPublish != want.AllowAtomicPublish || got.DenyDelete != want.DenyDelete || got.DenyPurge != want.DenyPurge {
		differs("atomic publish, deny delete, deny purge", []bool{got.AllowAtomicPublish, got.DenyDelete, got.DenyPurge},
			[]bool{want.AllowAtomicPublish, want.DenyDelete, want.DenyPurge})
	}
	return errors.Join(append(errs, verifyBounds(got)...)...)
}

// verifyBounds returns the bounds that somebody else has set and that would lose or refuse messages. Ours has none of them.
func verifyBounds(got jetstream.StreamConfig) []error {
	var errs []error
	if got.MaxMsgs > 0 {
		errs = append(errs, fmt.Errorf("it holds at most %d messages, want no such bound", got.MaxMsgs))
	}
	if got.MaxMsgSize > 0 {
		errs = append(errs, fmt.Errorf("the size of a message is at most %d, want no such bound", got.MaxMsgSize))
	}
	if got.AllowMsgTTL {
		errs = append(errs, errors.New("a message may have a lifetime of its own, want only the stream's"))
	}
	return errs
}

func transform(t *jetstream.SubjectTransformConfig) string {
	if t == nil {
		return ""
	}
	return t.Source + " to " + t.Destination
}

// partitions reads the count from a transform, 0 where there is none.
func partitions(transform string) int {
	for i := range transform {
		var n int
		if _, err := fmt.Sscanf(transform[i:], "{{partition(%d,", &n); err == nil {
			return n
		}
	}
	return 0
}

func sources(c jetstream.StreamConfig) []string {
	var all []string
	for _, s := range c.Sources {
		if len(s.SubjectTransforms) == 0 || s.FilterSubject != "" {
			all = append(all, s.Name+": "+s.FilterSubject)
		}
		for _, t := range s.SubjectTransforms {
			all = append(all, s.Name+": "+transform(&t))
		}
	}
	return all
}

func (b *Bus) ensureBucket(ctx context.Context, bucket string) error {
	kv, err := b.js.KeyValue(ctx, bucket)
	if err == nil {
		return b.verifyBucket(ctx, kv)
	}
	if !errors.Is(err, jetstream.ErrBucketNotFound) {
		return err
	}
	_, err = b.js.CreateKeyValue(ctx, b.bucket(bucket))
	if errors.Is(err, jetstream.ErrBucketExists) {
		return nil // another process was first
	}
	return err
}

func (b *Bus) bucket(name string) jetstream.KeyValueConfig {
	return jetstream.KeyValueConfig{Bucket: name, History: 1, Storage: jetstream.FileStorage, Replicas: b.cfg.Replicas}
}

// verifyBucket refuses a bucket that forgets, and brings the replicas to the configuration.
func (b *Bus) verifyBucket(ctx context.Context, kv jetstream.KeyValue) error {
	s, err := b.js.Stream(ctx, bucketStream(kv.Bucket()))
	if err != nil {
		return err
	}
	c := s.CachedInfo().Config
	if c.MaxAge != 0 || c.Storage != jetstream.FileStorage {
		return fmt.Errorf("age of its values, storage are %v, %v, want %v, %v", c.MaxAge, c.Storage, 0, jetstream.FileStorage)
	}
	if c.Replicas == b.cfg.Replicas {
		return nil
	}
	c.Replicas = b.cfg.Replicas
	if _, err := b.js.UpdateStream(ctx, c); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	return nil
}
