package lane_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/receivertest"
)

const (
	inBulk  = 300 // members of g1, u000 and so on, of whom
	leavers = 200 // have left, with nothing that names them
)

// bulk is a bench of a group of inBulk members, of pages of ten, whose lane has read everything.
func bulk(t *testing.T) *bench {
	t.Helper()
	b := journals(t)
	b.cfg.Poll, b.dir.PageSize = 0, 10
	b.dir.PutGroup(group("g1", address))
	for i := range inBulk {
		b.dir.PutUser(user(fmt.Sprintf("u%03d", i)))
		b.dir.Add("g1", fmt.Sprintf("u%03d", i))
	}
	b.run()
	b.until(event.TypeSnapshotEnded, "")
	b.clock.BlockUntil(1)
	return b
}

// leave ends every membership but those of the first.
func (b *bench) leave() {
	for i := inBulk - leavers; i < inBulk; i++ {
		b.dir.Remove("g1", fmt.Sprintf("u%03d", i))
	}
	b.dir.Lose(leavers)
}

// within returns what is told while so much time passes.
func (b *bench) within(d time.Duration) []string {
	b.t.Helper()
	for end := b.clock.Now().Add(d); b.clock.Now().Before(end); {
		b.advance(200 * time.Millisecond)
	}
	b.clock.BlockUntil(1)
	return b.rest().said(b.t)
}

// ended counts the memberships of g1 that have ended.
func ended(words []string) (n int) {
	for _, w := range words {
		if strings.HasPrefix(w, "g1-") {
			n++
		}
	}
	return n
}

// What it costs that many leave at once follows the pages of their group: of those who left, only a sample is asked about.
func TestABulkOfLeaversCostsPages(t *testing.T) {
	t.Parallel()
	b := bulk(t)
	before := len(b.dir.Calls())
	b.leave()
	if n := ended(b.within(2 * listing)); n != leavers {
		t.Errorf("%d have left, want %d", n, leavers)
	}
	const pages, lists, sample = (inBulk - leavers) / 10, 3 + 1, 20 // one that would have come anyway
	if n := b.asked("Members", before); n > lists*pages {
		t.Errorf("%d pages were read, want %d at most", n, lists*pages)
	}
	if users, members := b.asked("User", before), b.asked("Member", before); users != sample || members != sample {
		t.Errorf("%d users and %d memberships were read, want %d of each", users, members, sample)
	}
}

// What is told of a bulk is told beside what the lists show that prove it: an event of the same id would be lost.
func TestABulkIsToldBesideNewcomers(t *testing.T) {
	t.Parallel()
	b := bulk(t)
	newcomers := 0 // the lane's own goroutine counts
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		if c.Method == "Members" && c.Cursor == "" {
			newcomers++
			b.dir.Add("g1", fmt.Sprintf("a%03d", 100-newcomers))
			b.dir.Lose(1)
		}
		return nil
	}
	b.leave()
	if n := ended(b.within(2 * listing)); n != leavers {
		t.Errorf("%d have left, want %d", n, leavers)
	}
}

// Many accounts are deleted at once, and each of their members is told to have left for that reason.
func TestAMassDeletionKeepsItsReason(t *testing.T) {
	t.Parallel()
	b := bulk(t)
	for i := inBulk - leavers; i < inBulk; i++ {
		b.dir.DeleteUser(fmt.Sprintf("u%03d", i))
	}
	b.dir.Lose(leavers) // of the memberships no journal tells anyway
	words := b.within(2 * listing)
	if n := ended(words); n != leavers {
		t.Errorf("%d have left, want %d", n, leavers)
	}
	for i, w := range words {
		if id, is := strings.CutPrefix(w, "g1-"); is && (i == 0 || words[i-1] != "-"+id) {
			t.Errorf("%s has left, and it is not told that the account is gone", id)
		}
	}
}

// As long as others leave while each list is read, no list is believed: who has left is asked about, after some of them.
func TestABurstWithoutEndHoldsUpNobodyForEver(t *testing.T) {
	t.Parallel()
	b := bulk(t)
	last := inBulk - leavers
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		if c.Method == "Members" && c.Cursor == "10" && last > 50 {
			last--
			b.dir.Remove("g1", fmt.Sprintf("u%03d", 100-last)) // on the page before
			b.dir.Lose(1)
		}
		return nil
	}
	b.leave()
	if n := ended(b.within(4 * listing)); n >= leavers {
		t.Errorf("%d have left by lists that were not still", n)
	}
	if n := ended(b.within(5 * listing)); n < leavers {
		t.Errorf("%d more have left, want %d at least", n, leavers)
	}
}

// Who is not shown by any list, whoever is to blame, is not taken for gone: the sample says that they are there.
func TestAListThatHidesManyRemovesNobody(t *testing.T) {
	t.Parallel()
	for name, hidden := range map[string]func(string) bool{
		"many":      func(id string) bool { return id >= "u100" },
		"everybody": func(string) bool { return true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := bulk(t)
			before := len(b.dir.Calls())
			b.dir.Edit = func(c receivertest.Call, p *receiver.Page) {
				if c.Method == "Members" {
					p.Observations = slices.DeleteFunc(p.Observations, func(o directory.Observation) bool { return hidden(o.Membership.ID) })
				}
			}
			if words := b.within(2 * listing); len(words) > 0 {
				t.Errorf("told %v", words)
			}
			if n := b.asked("Member", before); n < leavers {
				t.Errorf("only %d were asked about", n)
			}
		})
	}
}

// An empty list proves nothing against many, and they are asked about at once.
func TestABulkThatLeavesNobodyIsAskedAbout(t *testing.T) {
	t.Parallel()
	b := bulk(t)
	for i := range inBulk - leavers {
		b.dir.Remove("g1", fmt.Sprintf("u%03d", i))
	}
	b.dir.Lose(inBulk - leavers)
	before := len(b.dir.Calls())
	b.leave()
	if n := ended(b.within(listing)); n != inBulk {
		t.Errorf("%d have left, want %d", n, inBulk)
	}
	if n := b.asked("Member", before); n != inBulk {
		t.Errorf("%d were asked about, want %d", n, inBulk)
	}
}

// A page of each list comes from a replica that has not heard of a bulk of newcomers in front: it begins further behind, and
// skips members who stay, while others leave.
func TestAPageOfAStaleReplicaRemovesNobody(t *testing.T) {
	t.Parallel()
	for name, pages := range map[string][]string{"one in the middle": {"50"}, "every other": {"10", "30", "50", "70", "90"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := bulk(t)
			b.leave()
			old := make([]directory.Observation, 0, inBulk-leavers)
			for i := range inBulk - leavers {
				old = append(old, directory.Observation{Membership: &directory.Membership{
					GroupID: "g1", Kind: directory.UserMember, ID: fmt.Sprintf("u%03d", i), Present: true,
				}})
			}
			b.dir.Edit = func(c receivertest.Call, p *receiver.Page) {
				if at := 0; c.Method == "Members" && slices.Contains(pages, c.Cursor) {
					_, _ = fmt.Sscan(c.Cursor, &at)
					p.Observations = old[min(at, len(old)):min(at+10, len(old))]
				}
			}
			for i := range 67 {
				b.dir.Add("g1", fmt.Sprintf("a%03d", i))
			}
			b.dir.Lose(67)
			for _, w := range b.within(12 * listing) {
				if id, is := strings.CutPrefix(w, "g1-"); is && id < "u100" {
					t.Errorf("%s is told to have left", id)
				}
			}
		})
	}
}

// Nobody can be asked about: a bulk goes by two lists, as few do.
func TestABulkGoesByListsWhereOnlyTheyTell(t *testing.T) {
	t.Parallel()
	b := bulk(t)
	b.dir.ListsOnly = true
	b.leave()
	if n := ended(b.within(2 * listing)); n != leavers {
		t.Errorf("%d have left, want %d", n, leavers)
	}
	for i := range 60 {
		b.dir.Remove("g1", fmt.Sprintf("u%03d", i))
	}
	b.dir.Lose(60)
	before := len(b.dir.Calls())
	if n := ended(b.within(listing)); n != 60 {
		t.Errorf("%d have left, want 60", n)
	}
	if n, want := b.asked("Members", before), 2*4; n != want {
		t.Errorf("%d pages were read, want %d", n, want)
	}
}

// A proof that fails leaves the bulk to be asked about, one by one and by every list: nobody of it goes unproved.
func TestABulkOfWhichTheSampleCannotBeReadStays(t *testing.T) {
	t.Parallel()
	b := bulk(t)
	b.dir.Intercept = func(_ context.Context, c receivertest.Call) error {
		if c.Method == "Member" {
			return errors.New("not authorized")
		}
		return nil
	}
	b.leave()
	if words := b.within(4 * listing); len(words) > 0 {
		t.Errorf("told %v", words)
	}
	b.command("c-1", &event.ReadRequested{})
	b.within(4 * listing)
	if left, err := b.store.Commands(t.Context(), "contoso"); err != nil || len(left) > 0 {
		t.Errorf("a command waits for what can never be proved: %v, %v", left, err)
	}
}

// Whoever waits for the lists waits until those are cleared up whom they have missed, and no longer.
func TestACommandWaitsForTheDoubtsOfAList(t *testing.T) {
	t.Parallel()
	b := bulk(t)
	b.advance(time.Second)
	b.leave()
	began := b.clock.Now()
	b.command("c-1", &event.ReadRequested{})
	s := b.until(event.TypeRoundEnded, "c-1")
	if n := ended(s.said(t)); n != leavers {
		t.Errorf("%d have left before the round ended, want %d", n, leavers)
	}
	if round := data[event.RoundEnded](t, s.last()); round.Began.Before(began) {
		t.Errorf("the round that answers began %s before the command", began.Sub(round.Began))
	}
}
