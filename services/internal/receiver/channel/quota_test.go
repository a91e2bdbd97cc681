package channel_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/channel"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/receivertest"
)

// limit lets the provider hold so many channels.
func (b *bench) limit(n int) {
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		if c.Method == "CreateChannel" && len(b.dir.Channels()) >= n {
			return fmt.Errorf("403 Forbidden: %w", receiver.ErrQuota)
		}
		return nil
	}
}

// duplicates makes channels of ours that nobody knows, as a process leaves that ended before it could store them.
func (b *bench) duplicates(n int) {
	for range n {
		b.dir.HoldChannel(receiver.NewChannel{Resource: "users", URL: url, Expires: b.clock.Now().Add(receivertest.Life)})
	}
}

func TestOverTheQuotaDuplicatesGoFirst(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.duplicates(5)
	b.limit(5)
	b.run()
	b.one()
	if n := b.count("DeleteChannel"); n != 5 {
		t.Errorf("%d were ended, want each duplicate once", n)
	}
}

// One channel too many leaves the others renewed, is tried again ever more rarely, and is told of.
func TestOverTheQuotaTheOthersAreKept(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var kept []error // read when the keeper has ended
	b.kept = func(err error) { kept = append(kept, err) }
	b.run()
	b.dir.DropChannel(b.one().ID)
	b.dir.HoldChannel(receiver.NewChannel{Resource: "mail", URL: "https://another.example.com/", Expires: b.clock.Now().Add(time.Hour)})
	b.limit(2)
	tries := b.count("CreateChannel")
	b.keeper.Look()
	b.waitFor(func() bool { return b.count("CreateChannel") > tries })
	b.clock.BlockUntil(1)
	if h := b.held(); len(h["users"]) != 0 || len(h["groups"]) != 1 {
		t.Fatalf("held %v", h)
	}
	for range 100 {
		b.clock.Advance(time.Minute)
		b.clock.BlockUntil(1)
	}
	if n := b.count("CreateChannel") - tries; n < 15 || n > 60 {
		t.Errorf("%d tries in 100 minutes", n)
	}
	if n := b.count("DeleteChannel"); n != 0 {
		t.Errorf("%d channels were ended", n)
	}
	for range 3 {
		b.clock.Advance(receivertest.Life / 4)
		b.clock.BlockUntil(1)
	}
	if b.count("RenewChannel") == 0 {
		t.Error("the channel that there is was not renewed")
	}
	b.stop()
	b.stop = nil
	for _, err := range kept[1:] {
		if receiver.TroubleOf(err) != receiver.Quota {
			t.Errorf("told of %v", err)
		}
	}
}

// The new channel is there before the old one goes.
func TestChannelsAreReplacedOnDemand(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.run()
	b.clock.Advance(time.Minute) // of two as long-lived ones the younger is kept
	b.clock.BlockUntil(1)
	before := b.dir.Channels()
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		if c.Method == "DeleteChannel" && b.count("CreateChannel") < 4 {
			return fmt.Errorf("the old one goes first")
		}
		return nil
	}
	b.keeper.Replace()
	b.waitFor(func() bool { return b.count("DeleteChannel") == 2 && len(b.dir.Channels()) == 2 })
	b.one()
	for _, c := range b.dir.Channels() {
		if slices.ContainsFunc(before, func(old receiver.Channel) bool { return old.ID == c.ID }) {
			t.Errorf("%+v is not new", c)
		}
	}
	b.keeper.Look()
	b.waitFor(func() bool { return b.count("ListChannels") == 3 })
	if n := b.count("CreateChannel"); n != 4 {
		t.Errorf("%d were made, want each resource's replaced once", n)
	}
}

func TestRotatingChannelsAreReplacedOnDemand(t *testing.T) {
	t.Parallel()
	r := setupRotation(t)
	r.run()
	first := r.of("admin")[0].ID
	r.after(time.Minute)
	r.anew()
	until(t, "new channel of each resource", func() bool { return len(r.dir.channels()) == 4 })
	r.clock.BlockUntil(1)
	r.want("admin", 2, map[channel.State]int{channel.Live: 2})
	r.after(3 * time.Minute)
	r.want("admin", 1, map[channel.State]int{channel.Live: 1, channel.Ended: 1})
	if r.of("admin")[0].ID == first {
		t.Error("the old one was kept")
	}
}
