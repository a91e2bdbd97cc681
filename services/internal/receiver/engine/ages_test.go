package engine_test

import (
	"fmt"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// A tenant that goes while it is being read leaves nothing behind: an age that nobody looks after any more would grow, and wake somebody.
func TestATenantThatGoesWhileItIsReadLeavesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.run()
	for n := range 20 {
		id := fmt.Sprintf("guest-%d", n)
		b.tenant(id)
		b.connected(id)
		if err := b.registry.Delete(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	b.waitFor("end of all ages", func() bool {
		n, err := testutil.GatherAndCount(b.metrics, "rollcall_freshness_seconds", "rollcall_snapshot_age_seconds")
		return err == nil && n == 0
	})
}
