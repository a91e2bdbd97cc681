package bus_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
)

func TestTopologyIsMadeOnceAndVerifiedAfterwards(t *testing.T) {
	t.Parallel()
	s := bustest.StartServer(t)
	b := s.Bus(bus.Config{})
	if err := b.EnsureTopology(t.Context()); err != nil {
		t.Errorf("second time: %v", err)
	}
	for stream, want := range map[string]time.Duration{
		bus.Notifications: 24 * time.Hour, bus.LedgerIn: 30 * 24 * time.Hour,
		bus.Licenses: 400 * 24 * time.Hour, bus.DeadLetters: 30 * 24 * time.Hour,
	} {
		info := streamInfo(t, b, stream)
		if info.Config.MaxAge != want {
			t.Errorf("%s keeps %v, want %v", stream, info.Config.MaxAge, want)
		}
		refuses := info.Config.Discard == jetstream.DiscardNew
		if refuses != (stream != bus.Notifications) {
			t.Errorf("%s refuses when full: %v", stream, refuses)
		}
	}
	if c := streamInfo(t, b, bus.Licenses).Config; !c.DenyDelete || !c.DenyPurge {
		t.Error("LICENSES can be deleted from or purged")
	}
	if c := streamInfo(t, b, bus.LedgerIn).Config; c.Compression != jetstream.S2Compression {
		t.Error("LEDGER_IN is not compressed")
	}
	for _, bucket := range []string{bus.BucketEntitlements, bus.BucketTenants, bus.BucketChannels, bus.BucketCursors, bus.BucketOwners, bus.BucketSessions, bus.BucketTokens} {
		if _, err := b.KeyValue(t.Context(), bucket); err != nil {
			t.Error(err)
		}
	}
}

func TestTopologyChangesWhatMayChange(t *testing.T) {
	t.Parallel()
	s := bustest.StartServer(t)
	s.Bus(bus.Config{})
	b := s.Bus(bus.Config{LicensesMaxAge: time.Hour, LedgerInMaxBytes: 1 << 20, Duplicates: time.Minute})
	if got := streamInfo(t, b, bus.Licenses).Config; got.MaxAge != time.Hour || got.Duplicates != time.Minute {
		t.Errorf("LICENSES keeps %v and remembers ids for %v", got.MaxAge, got.Duplicates)
	}
	if got := streamInfo(t, b, bus.LedgerIn).Config.MaxBytes; got != 1<<20 {
		t.Errorf("LEDGER_IN holds %d bytes", got)
	}
}

func TestTopologyRefusesWhatMustNotChange(t *testing.T) {
	t.Parallel()
	s := bustest.StartServer(t)
	s.Bus(bus.Config{})
	other, err := bus.New(s.Connect(), bus.Config{Partitions: bustest.Partitions * 2})
	if err != nil {
		t.Fatal(err)
	}
	err = other.EnsureTopology(t.Context())
	if err == nil || !strings.Contains(err.Error(), "4 partitions") || !strings.Contains(err.Error(), "says 8") {
		t.Errorf("another partition count: %v", err)
	}
}

func TestTopologyRefusesAForeignStream(t *testing.T) {
	t.Parallel()
	s := bustest.StartServer(t)
	b, err := bus.New(s.Connect(), bus.Config{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.JetStream().CreateStream(t.Context(), jetstream.StreamConfig{Name: bus.Licenses, Subjects: []string{"other.>"}, Storage: jetstream.MemoryStorage})
	if err != nil {
		t.Fatal(err)
	}
	err = b.EnsureTopology(t.Context())
	for _, want := range []string{"LICENSES", "subjects", "storage", "deny delete"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error does not speak of %s: %v", want, err)
		}
	}
}

func TestStoredSubjectsHoldThePartition(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	p := b.Partition("contoso")
	for _, c := range []struct{ stream, subject, want, filter string }{
		{bus.LedgerIn, event.DirectorySubject("contoso", "page"), "directory.%.contoso.page", bus.DirectoryFilter(p)},
		{bus.LedgerIn, event.CommandSubject("contoso", "refresh"), "command.%.contoso.refresh", bus.CommandFilter(p, "refresh")},
		{bus.LedgerIn, event.CommandSubject("contoso", "read"), "command.%.contoso.read", bus.CommandFilter(p, "")},
		{bus.Notifications, event.NotificationSubject("contoso", directory.Entra), "notification.%.entra.contoso", bus.NotificationFilter(p, directory.Entra)},
	} {
		ack, err := b.Publish(t.Context(), c.subject, note(t, "contoso", c.subject, 1))
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Replace(c.want, "%", string(rune('0'+p)), 1)
		var got []string
		err = b.Read(t.Context(), bus.ReadSpec{Stream: c.stream, Filters: []string{c.filter}, FromSequence: ack.Sequence}, func(m bus.Message) error {
			got = append(got, m.Subject)
			return nil
		})
		if err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("filter %s found %v (%v), want %s", c.filter, got, err, want)
		}
	}
	// Nobody can choose a partition for himself.
	if _, err := b.Publish(t.Context(), "directory.0.contoso.page", note(t, "contoso", "x", 1)); !errors.Is(err, bus.ErrUnavailable) {
		t.Errorf("publishing to a stored subject: %v", err)
	}
}

func streamInfo(tb testing.TB, b *bus.Bus, name string) *jetstream.StreamInfo {
	tb.Helper()
	s, err := b.JetStream().Stream(tb.Context(), name)
	if err != nil {
		tb.Fatal(err)
	}
	return s.CachedInfo()
}
