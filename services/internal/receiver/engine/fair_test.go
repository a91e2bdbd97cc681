package engine_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/receivertest"
)

// refresh commands a complete read of a tenant.
func (b *bench) refresh(tenantID, id string) {
	b.t.Helper()
	ev, err := event.New(event.TypeRefreshRequested, event.Meta{
		ID: id, Source: event.CommandSource(tenantID), Time: time.Now(), Tenant: tenantID,
	}, event.RefreshRequested{RequestedBy: "cli"})
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.bus.Publish(b.t.Context(), event.CommandSubject(tenantID, "refresh"), ev); err != nil {
		b.t.Fatal(err)
	}
}

// However many commands wait for a tenant that cannot be read, those of the partition's others are carried out.
func TestCommandsOfATenantInTroubleDelayNoOther(t *testing.T) {
	t.Parallel()
	b := setup(t)
	other := "t-0"
	for i := 1; b.bus.Partition(other) != b.bus.Partition("contoso"); i++ {
		other = fmt.Sprintf("t-%d", i)
	}
	b.tenant(other).Intercept = func(ctx context.Context, _ receivertest.Call) error {
		<-ctx.Done()
		return ctx.Err()
	}
	b.tenant("contoso")
	b.run()
	b.connected("contoso")
	for i := range 40 {
		b.refresh(other, fmt.Sprintf("stuck-%d", i))
	}
	b.refresh("contoso", "refresh-1")
	b.find("snapshot of the command", func(ev event.Event) bool {
		return ev.Type() == event.TypeSnapshotEnded && event.Cause(ev) == "refresh-1"
	})
}
