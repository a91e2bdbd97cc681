package engine_test

import (
	"fmt"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

// Many tenants of one application that are all read completely leave room for what hints ask for, of whichever tenant.
func TestCompleteReadsLeaveRoomForHints(t *testing.T) {
	t.Parallel()
	const others = 250 // each of them with a request in hand would be half a minute
	b := setup(t)
	b.provider.Follow = &receiver.Traits{MemberFeeds: true, MaxFeedGroups: 50, PerMinuteApp: 600} // 90 at once, and 8 a second
	dir := b.tenant("contoso")
	for i := range others {
		b.found(fmt.Sprintf("other-%03d", i))
	}
	b.run()
	b.connected("contoso")
	for i := range others {
		b.enter(fmt.Sprintf("other-%03d", i))
	}
	b.waitFor("the budget of the background is spent", func() bool { return b.complete() > 10 })
	dir.PutUser(user("u2"))
	b.pushed("contoso", "u2")
	before := b.complete()
	b.shows("contoso", "u2")
	if n := b.complete() - before; n > others/10 {
		t.Errorf("%d others were read before the hinted change", n)
	}
}

// complete is how many complete reads have ended.
func (b *bench) complete() (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.told {
		if m.Event.Type() == event.TypeSnapshotEnded {
			n++
		}
	}
	return n
}
