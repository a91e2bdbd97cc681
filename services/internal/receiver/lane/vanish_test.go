package lane_test

import (
	"context"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/receivertest"
)

// A replica that is behind shows the group once more, after the feed has said that it is gone and will not say so again.
func TestVanishedGroupThatAReplicaStillShows(t *testing.T) {
	t.Parallel()
	b := connected(t, watched)
	b.dir.DeleteGroup("g1")
	b.hint("hint-1", "group", "g1")
	b.until(event.TypeRoundEnded, "hint-1").says(t)
	b.silent()
	b.dir.Hold() // the feed has nothing more to say
	stale := true
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		switch {
		case c.Method == "Group" && stale:
			watched(b.dir)
			stale = false
		case !stale:
			b.dir.Intercept = nil
			b.dir.DeleteGroup("g1")
		}
		return nil
	}
	stop := b.passing(vanish)
	b.until(event.TypeDirectoryObserved, "hint-1").says(t, "-g1")
	stop()
}
