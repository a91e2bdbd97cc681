package health_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/health"
)

// changed shows users that have changed.
func (b *bench) changed(n int) {
	var page receiver.Page
	for i := range n {
		page.Observations = append(page.Observations, directory.Observation{User: &directory.User{ID: fmt.Sprint("u", i)}})
	}
	b.watch.Showed(receiver.UsersFeed, page)
}

// settled lets the time pass in which a push may be late, and more.
func (b *bench) settled() { b.after(11 * time.Minute) }

// silent is a story of a watch that has listened for long enough, of a directory that works.
func silent(t *testing.T, story func(*bench)) {
	t.Helper()
	in(t, health.Config{}, func(b *bench) {
		b.watch.Worked("round", nil)
		b.settled()
		b.expect("", "?")
		story(b)
	})
}

// wantReplaced wants the channels to have been replaced so often.
func (b *bench) wantReplaced(what string, n int) {
	b.t.Helper()
	if _, got := b.counts(); got != n {
		b.t.Fatalf("%s: replaced %d times, want %d", what, got, n)
	}
}

func TestChannelsThatDiedAreReplaced(t *testing.T) {
	t.Parallel()
	silent(t, func(b *bench) {
		b.changed(19)
		b.settled()
		b.wantReplaced("nineteen changes prove nothing", 0)
		b.changed(1)
		b.after(9 * time.Minute)
		b.wantReplaced("the push of the last may be late", 0)
		b.after(2 * time.Minute)
		b.wantReplaced("twenty do", 1)
		b.expect("and the new ones may help")
		b.settled()
		b.watch.Pushed(receiver.UserResource)
		b.expect("they do", "")
		b.changed(100)
		b.settled()
		b.wantReplaced("changes beside a push are no news", 1)
	})
}

// New channels that stay silent are said to be, and are replaced ever more rarely: after 1, 2, 4, ... 24 hours.
func TestChannelsThatStaySilent(t *testing.T) {
	t.Parallel()
	silent(t, func(b *bench) {
		b.changed(20)
		b.settled()
		b.wantReplaced("", 1)
		b.changed(3)
		b.settled()
		b.expect("what shows in the first minutes may have been before")
		began := time.Now()
		b.changed(3)
		b.settled()
		last := b.expect("three changes more", "silent")
		verified, replaced := b.counts()
		if last.Since.After(began) || verified != 0 {
			t.Errorf("told %+v; %d verifications", last, verified)
		}
		var at []time.Duration
		for time.Since(began) < 100*time.Hour {
			b.changed(3)
			b.after(11 * time.Minute)
			if _, now := b.counts(); now != replaced {
				replaced = now
				at = append(at, time.Since(began).Round(time.Hour))
			}
		}
		b.forget() // each hour, what stands
		for i := 1; i < len(at); i++ {
			if wait := at[i] - at[i-1]; wait < time.Duration(min(1<<i, 24))*time.Hour-time.Hour {
				t.Errorf("replaced after %v", at)
			}
		}
		if len(at) < 6 || len(at) > 8 {
			t.Errorf("replaced after %v", at)
		}
		b.watch.Pushed(receiver.GroupResource)
		b.expect("those of groups are others")
		b.watch.Pushed(receiver.UserResource)
		b.expect("a push ends it", "")
	})
}

// A tenant whose pushes come every few minutes is silent sooner than one whose come once a day.
func TestSilenceIsMeasuredByHabit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		habit    time.Duration
		changes  int
		sooner   time.Duration
		replaced time.Duration // 0: never
	}{
		"often":            {5 * time.Minute, 3, 39 * time.Minute, 41 * time.Minute},
		"rarely":           {24 * time.Hour, 3, 8*24*time.Hour - time.Minute, 8*24*time.Hour + time.Minute},
		"nothing is shown": {5 * time.Minute, 2, 47 * time.Hour, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			silent(t, func(b *bench) {
				b.each(c.habit, 20*c.habit, func() { b.watch.Pushed(receiver.UserResource) })
				b.watch.Pushed(receiver.UserResource)
				b.forget()
				last := time.Now()
				b.after(11 * time.Minute)
				b.changed(c.changes)
				b.after(time.Until(last.Add(c.sooner)))
				b.wantReplaced("sooner", 0)
				if c.replaced > 0 {
					b.after(time.Until(last.Add(c.replaced)))
					b.wantReplaced("later", 1)
				}
			})
		})
	}
}

func TestEntriesOfJournalsCountOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := start(t, health.Config{}, true)
		defer b.stop()
		b.settled()
		page := receiver.Page{Shown: []string{"a1", "a2", "a3"}}
		for range 40 {
			b.watch.Showed(receiver.UsersFeed, page)
			b.after(11 * time.Minute)
		}
		b.wantReplaced("the same entries come again and again", 0)
		page.Shown = nil
		for i := range 20 {
			page.Shown = append(page.Shown, fmt.Sprint("b", i))
		}
		b.watch.Showed(receiver.GroupsFeed, page)
		b.settled()
		b.wantReplaced("twenty others", 1)
	})
}
