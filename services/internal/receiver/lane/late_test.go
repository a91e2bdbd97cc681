package lane_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/receivertest"
)

// A lane that was stopped, and goes on when another owner has the tenant, may see what is newer than what its stamps say. So
// it must not move the cursors behind it: the other would never read it.
func TestALateLaneMovesNoCursor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var stop atomic.Bool
	stopped, goOn := make(chan struct{}), make(chan struct{})
	b.dir.Intercept = func(context.Context, receivertest.Call) error {
		if stop.CompareAndSwap(true, false) {
			close(stopped)
			<-goOn
		}
		return nil
	}
	fill(2)(b.dir)
	b.run()
	b.until(event.TypeSnapshotEnded, "")
	b.clock.BlockUntil(1)
	stop.Store(true)
	b.hint("hint-1", "", "")
	<-stopped
	first := b.stop
	endLate := sync.OnceFunc(func() {
		second := b.stop
		first() // forgets what else is to be stopped
		b.stop = second
	})
	t.Cleanup(endLate)

	b.stamps = &stamps{epoch: b.stamps.epoch + 1}
	b.run()
	b.until(event.TypeRoundEnded, "hint-1")
	b.clock.BlockUntil(1)
	before := b.feeds()
	b.dir.PutUser(user("u3"))
	close(goOn)
	late := <-b.told
	if page := data[event.DirectoryObserved](t, late.Event); page.Stamp.Epoch != before.Epoch-1 || len(page.Observations) != 1 {
		t.Fatalf("the late lane told %+v", page)
	}
	for range 3 {
		b.clock.BlockUntil(2)
		if now := b.feeds(); now.Users != before.Users || now.Epoch != before.Epoch {
			t.Fatalf("the late lane has moved the cursors from %+v to %+v", before, now)
		}
		b.clock.Advance(time.Second) // it tries again
	}
	endLate()
	b.hint("hint-2", "user", "u3")
	s := b.until(event.TypeRoundEnded, "hint-2")
	if s.says(t, "u3"); s.pages(t)[0].Stamp.Epoch != before.Epoch {
		t.Errorf("told in epoch %d, want %d", s.pages(t)[0].Stamp.Epoch, before.Epoch)
	}
}
