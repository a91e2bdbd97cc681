package health_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

// A channel on which no first message comes is replaced, once; where none comes on the next either it is said, until one does.
func TestFirstMessageMustCome(t *testing.T) {
	t.Parallel()
	silent(t, func(b *bench) {
		b.watch.Made("c1")
		b.watch.Opened("c1")
		b.watch.Opened("c2") // before it is known that it was made
		b.watch.Made("c2")
		b.after(time.Hour)
		b.expect("both push", "")
		b.wantReplaced("", 0)
		b.watch.Made("c3")
		b.after(time.Minute)
		b.wantReplaced("it may be late", 0)
		b.after(2 * time.Minute)
		b.wantReplaced("it is not to be waited for", 1)
		b.watch.Made("c4")
		b.watch.Opened("c4")
		b.after(time.Hour)
		b.expect("the next pushes")
		b.watch.Made("c5")
		b.after(3 * time.Minute)
		b.wantReplaced("", 2)
		b.watch.Made("c6")
		b.after(8 * time.Minute)
		b.expect("nor does the next", "silent")
		b.wantReplaced("not again at once", 2)
		b.watch.Opened("c6")
		b.expect("late, but it does", "")
	})
}

// A push through one channel tells as much as a first message on another.
func TestPushesStandForFirstMessages(t *testing.T) {
	t.Parallel()
	silent(t, func(b *bench) {
		for i := range 2 {
			b.watch.Made(fmt.Sprint("c", i))
			b.after(8 * time.Minute)
		}
		b.expect("", "silent")
		b.watch.Pushed(receiver.ActivityResource)
		b.expect("", "")
	})
}
