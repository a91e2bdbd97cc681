package bus_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
)

func TestPartitionIsTheServers(t *testing.T) {
	t.Parallel()
	for _, count := range []int{1, 7, 32, 100} {
		b := bustest.StartServer(t).Bus(bus.Config{Partitions: count})
		rapid.Check(t, func(r *rapid.T) {
			tenant := rapid.StringMatching(`[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?`).Draw(r, "tenant")
			for stream, subject := range map[string]string{
				bus.LedgerIn:      event.CommandSubject(tenant, "read"),
				bus.Notifications: event.NotificationSubject(tenant, directory.GoogleWorkspace),
			} {
				ack, err := b.Publish(t.Context(), subject, note(t, tenant, "same", 1), bus.WithoutDeduplication())
				if err != nil {
					r.Fatal(err)
				}
				s, err := b.JetStream().Stream(t.Context(), stream)
				if err != nil {
					r.Fatal(err)
				}
				msg, err := s.GetMsg(t.Context(), ack.Sequence)
				if err != nil {
					r.Fatal(err)
				}
				if got, want := strings.Split(msg.Subject, ".")[1], fmt.Sprint(b.Partition(tenant)); got != want {
					r.Fatalf("the server stored %s, Partition(%q) is %s", msg.Subject, tenant, want)
				}
			}
		})
	}
}

func TestPartitionCountIsBounded(t *testing.T) {
	t.Parallel()
	nc := bustest.Start(t)
	for _, count := range []int{-1, 101} {
		if _, err := bus.New(nc, bus.Config{Partitions: count}); err == nil {
			t.Errorf("%d partitions were accepted", count)
		}
	}
	if got := bus.DurableName("worker", 7); got != "worker-p07" {
		t.Errorf("durable name %q", got)
	}
}
