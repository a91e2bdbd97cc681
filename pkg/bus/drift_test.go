package bus_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
)

// What somebody else has set on a stream, and what would lose or refuse messages, is not taken for ours.
func TestTopologyNoticesDrift(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stream string
		change func(*jetstream.StreamConfig)
		want   string
	}{
		"entitlements bound by count": {"KV_entitlements", func(c *jetstream.StreamConfig) { c.MaxMsgs = 5 }, "messages"},
		"the record bound by count":   {bus.Licenses, func(c *jetstream.StreamConfig) { c.MaxMsgs = 5 }, "messages"},
		"messages that expire early":  {bus.Licenses, func(c *jetstream.StreamConfig) { c.AllowMsgTTL = true }, "lifetime"},
		"small messages only":         {bus.LedgerIn, func(c *jetstream.StreamConfig) { c.MaxMsgSize = 1024 }, "size"},
		"a second source": {"KV_entitlements", func(c *jetstream.StreamConfig) {
			c.Sources = append(c.Sources, &jetstream.StreamSource{Name: bus.DeadLetters})
		}, "sources"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := bustest.StartServer(t).Bus(bus.Config{})
			config := streamInfo(t, b, c.stream).Config
			c.change(&config)
			if _, err := b.JetStream().UpdateStream(t.Context(), config); err != nil {
				t.Fatal(err)
			}
			err := b.EnsureTopology(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.stream) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("accepted, or does not speak of %s: %v", c.want, err)
			}
		})
	}
}

func TestTopologyNoticesABucketThatForgets(t *testing.T) {
	t.Parallel()
	b, err := bus.New(bustest.StartServer(t).Connect(), bus.Config{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.JetStream().CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: bus.BucketTenants, TTL: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	err = b.EnsureTopology(t.Context())
	if err == nil || !strings.Contains(err.Error(), bus.BucketTenants) || !strings.Contains(err.Error(), "age") {
		t.Errorf("a bucket whose values expire: %v", err)
	}
}

// LICENSES that was made anew counts from one again, and the server's copy would wait for the old count to be reached.
func TestTopologyNoticesARecordMadeAnew(t *testing.T) {
	t.Parallel()
	b := bustest.StartServer(t).Bus(bus.Config{})
	for n := uint64(1); n <= 3; n++ {
		publishLicense(t, b, "contoso", "secure-share", "u-1", n)
	}
	kv, err := b.KeyValue(t.Context(), bus.BucketEntitlements)
	if err != nil {
		t.Fatal(err)
	}
	awaitRevision(t, kv, "contoso.secure-share.u-1", 3)
	if err := b.JetStream().DeleteStream(t.Context(), bus.Licenses); err != nil {
		t.Fatal(err)
	}
	err = b.EnsureTopology(t.Context())
	if err == nil || !strings.Contains(err.Error(), "event 3 of LICENSES, which ends at 0") {
		t.Errorf("another record: %v", err)
	}
	if err := b.JetStream().DeleteStream(t.Context(), "KV_"+bus.BucketEntitlements); err != nil {
		t.Fatal(err)
	}
	if err := b.EnsureTopology(t.Context()); err != nil {
		t.Fatal(err)
	}
	publishLicense(t, b, "contoso", "secure-share", "u-2", 4)
	awaitRevision(t, kv, "contoso.secure-share.u-2", 1)
}

func awaitRevision(t *testing.T, kv jetstream.KeyValue, key string, revision uint64) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		if entry, err := kv.Get(t.Context(), key); err == nil && entry.Revision() >= revision {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s has not come", key)
		}
	}
}

// Who may not make streams compares them all the same.
func TestVerifyTopology(t *testing.T) {
	t.Parallel()
	server := bustest.StartServer(t)
	b, err := bus.New(server.Connect(), bus.Config{Partitions: 8})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.VerifyTopology(t.Context(), bus.LedgerIn); !errors.Is(err, bus.ErrNotProvisioned) {
		t.Errorf("without streams: %v", err)
	}
	same := server.Bus(bus.Config{})
	if err := same.VerifyTopology(t.Context(), bus.LedgerIn, bus.Notifications, bus.Licenses); err != nil {
		t.Error(err)
	}
	if err := b.VerifyTopology(t.Context(), bus.LedgerIn); err == nil || !strings.Contains(err.Error(), "4 partitions") {
		t.Errorf("of another number of partitions: %v", err)
	}
	if err := b.VerifyTopology(t.Context(), bus.Licenses); err != nil {
		t.Errorf("what has no partitions: %v", err)
	}
	if err := same.EnsureCopies(t.Context()); err == nil || !strings.Contains(err.Error(), "no copy") {
		t.Errorf("copies in the account of the streams: %v", err)
	}
}
