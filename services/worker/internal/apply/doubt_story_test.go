package apply_test

import (
	"slices"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

const doubt = 10 * time.Minute

// doubting is a tenant with the members ann and bob of its provisioning group; cid is a user and no member. What a read
// shows to be undone is doubted.
func doubting(t *testing.T, h *harness) {
	t.Helper()
	h.guard("contoso", ledger.Hold{Expiry: week})
	h.doubt = doubt
	h.begin()
	h.read(join([]obs{person("ann"), person("bob"), person("cid"), group("g", address)}, members("g", true, "ann", "bob")), "g")
	h.told()
	h.clock.Advance(time.Hour)
}

// answered has the receiver answer what was asked for since, with what it reads.
func (h *harness) answered(t *testing.T, seen ...obs) {
	t.Helper()
	h.tick()
	asked := h.drain()
	i := slices.IndexFunc(asked, func(ev event.Event) bool { return ev.Type() == event.TypeReadRequested })
	if i < 0 {
		t.Fatalf("nothing is asked for: %v", asked)
	}
	h.see(seen...)
	h.apply("contoso", event.TypeCandidatesRead, event.CandidatesRead{Request: asked[i].ID()})
}

// until is when the cursor came that the feed is asked with: a moment ago.
func (h *harness) until() time.Time {
	if h.feed.IsZero() || !h.cursor.IsZero() {
		return h.cursor
	}
	return h.clock.Now()
}

func TestAReadDoesNotUndoWhatHasJustChanged(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		doubting(t, h)
		h.see(member("g", "cid", true))
		h.expect("cid joins", "granted cid group-member")
		h.clock.Advance(9 * time.Minute)
		h.see(member("g", "cid", false))
		h.tick()
		h.expect("a replica that lags does not show it")
		h.see(member("g", "ann", false))
		h.expect("who has been a member for long leaves at once", "revoked ann not-a-member")

		h.clock.Advance(59 * time.Second)
		h.tick()
		h.expect("it is not time")
		h.restart()
		h.clock.Advance(time.Second)
		h.tick()
		h.expect("a read tells then", "read users=[] groups=[] members=1")
		h.tick()
		h.expect("and is asked for once")
		h.see(member("g", "cid", true))
		h.apply("contoso", event.TypeCandidatesRead, event.CandidatesRead{Request: h.events[len(h.events)-1].ID()})
		h.clock.Advance(time.Hour)
		h.tick()
		h.expect("cid has been there all the time")
	})
}

// Who was away and is back before anything told of it: of two reads one lags, and a third one tells which.
func TestAReadAgainstWhatWasJustToldIsFollowedByAnother(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		doubting(t, h)
		h.see(person("ann"), person("bob"))
		h.clock.Advance(time.Minute)
		h.see(personAs("ann", directory.Suspended), personAs("bob", directory.Suspended))
		h.expect("or is it a replica that lags")
		h.clock.Advance(doubt/120 - time.Microsecond)
		h.tick()
		h.expect("it is not time")
		h.clock.Advance(time.Microsecond)
		h.answered(t, person("ann"), personAs("bob", directory.Suspended))
		h.expect("of ann it was", "revoked bob suspended")
		h.clock.Advance(time.Hour)
		h.tick()
		h.expect("and nothing more is asked for")
		h.see(personAs("ann", directory.Suspended))
		h.expect("nobody has told of ann for long", "revoked ann suspended")
	})
}

func TestWhatStaysUndoneCountsWhenTheDoubtIsOver(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		doubting(t, h)
		h.see(member("g", "cid", true), person("dan"), member("g", "dan", true))
		h.expect("two join", "granted cid group-member", "granted dan group-member")
		h.clock.Advance(time.Minute)
		h.see(member("g", "cid", false), personAs("dan", directory.Suspended))
		h.expect("both may never have")
		h.clock.Advance(9 * time.Minute)
		h.answered(t, personAs("dan", directory.Suspended), member("g", "cid", false))
		h.expect("they have left", "revoked dan suspended", "revoked cid not-a-member")
		h.clock.Advance(time.Hour)
		h.tick()
		h.expect("and nothing more is asked for")
	})
}

func TestADoubtThatCannotBeReadIsAskedForEverMoreSeldom(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		doubting(t, h)
		h.see(member("g", "cid", true))
		h.see(member("g", "cid", false))
		h.clock.Advance(doubt)
		h.told()
		var asked []time.Duration
		begun := h.clock.Now()
		for range 40 {
			h.tick()
			for _, ev := range h.drain() {
				asked = append(asked, h.clock.Now().Sub(begun))
				h.apply("contoso", event.TypeCandidatesRead, event.CandidatesRead{Request: ev.ID(), Unproven: 1})
			}
			h.clock.Advance(time.Minute)
		}
		want := []time.Duration{0, 1, 3, 6, 10, 15, 21, 28, 36}
		for i := range want {
			want[i] *= time.Minute
		}
		if !slices.Equal(asked, want) {
			t.Errorf("asked after %v, want %v", asked, want)
		}
	})
}

// A complete read drops old tombstones, but not one that a replica may still contradict.
func TestACompleteReadKeepsWhatIsInDoubt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		doubting(t, h)
		h.see(member("g", "ann", false))
		h.expect("ann leaves", "revoked ann not-a-member")
		h.clock.Advance(10 * time.Second)
		h.read([]obs{person("ann"), person("bob"), person("cid"), group("g", address), member("g", "bob", true)}, "g")
		h.told()
		h.see(member("g", "ann", true))
		h.expect("a replica that lags shows her once more")
	})
}

// The replica that lagged may speak once more when the time is over, unless what contradicts it counts as new.
func TestWhatIsConfirmedAfterADoubtHasJustChanged(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		doubting(t, h)
		dan, gone := person("dan"), personAs("dan", directory.Deleted)
		h.see(dan, member("g", "dan", true), group("h", "h@contoso.com"))
		h.expect("one joins", "granted dan group-member")
		h.clock.Advance(9 * time.Minute)
		h.see(member("g", "dan", false), noGroup("h"))
		h.see(gone)
		h.see(dan, member("g", "dan", true), group("h", "h@contoso.com"))
		h.clock.Advance(9 * time.Minute)
		h.see(member("g", "dan", false), noGroup("h"))
		h.see(gone)
		if users, groups := h.live(t); users != 4 || groups != 2 {
			t.Errorf("%d users and %d groups are left, of 4 and 2", users, groups)
		}
		for _, ev := range h.drain() {
			if ev.Type() == event.TypeLicenseRevoked {
				t.Errorf("revoked: %s", ev)
			}
		}
	})
}

// live counts contoso's users and groups that are in the directory.
func (h *harness) live(t *testing.T) (users, groups int) {
	t.Helper()
	err := h.ledger.Update(t.Context(), func(tx *ledger.Tx) error {
		tn, err := tx.Tenant("contoso")
		if err == nil {
			users, groups, err = tx.Live(tn.ID)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return users, groups
}

// A feed tells each change in order: a license that it gives and takes within a second was there for a second.
func TestWhatTheFeedStatesIsNotDoubted(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		doubting(t, h)
		h.feed = h.clock.Now()
		h.see(member("g", "cid", true))
		h.clock.Advance(time.Second)
		h.see(member("g", "cid", false), member("g", "bob", false))
		h.see(member("g", "bob", true))
		h.tick()
		h.expect("all of it", "granted cid group-member", "revoked cid not-a-member", "revoked bob not-a-member", "granted bob group-member")
	})
}

// Who died before the cursor was stored asks once more with the one before, and a replica that lags may answer.
func TestWhatAFeedTellsOnceMoreIsDoubtedLikeARead(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		doubting(t, h)
		h.feed = h.clock.Now()
		h.clock.Advance(time.Minute)
		h.cursor = h.clock.Now()
		h.clock.Advance(time.Second)
		h.see(member("g", "cid", true))
		h.clock.Advance(time.Second)
		h.see(member("g", "cid", false))
		h.expect("asked once more", "granted cid group-member")
		h.cursor = h.clock.Now()
		h.see(member("g", "cid", false))
		h.expect("asked for what is behind both", "revoked cid not-a-member")
	})
}

// A feed that was begun anew repeats what had changed before it began, as its replica knows it.
func TestAFeedThatBeganLaterIsDoubtedLikeARead(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		doubting(t, h)
		h.feed = h.clock.Now()
		h.see(member("g", "cid", true))
		h.told()
		h.clock.Advance(time.Minute)
		h.feed = h.clock.Now()
		h.see(member("g", "cid", false))
		h.see(member("g", "cid", true))
		h.feed = time.Time{}
		h.see(member("g", "bob", false)) // a read, of what has stood for long
		h.feed = h.clock.Now()
		h.see(member("g", "bob", true)) // a statement that is behind the read
		h.expect("only what nothing speaks against", "revoked bob not-a-member")
	})
}

func TestAReadThatBringsBackWhatHasGoneIsDoubtedForAMoment(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		doubting(t, h)
		h.see(member("g", "ann", false), personAs("bob", directory.Suspended))
		h.expect("two lose it", "revoked ann not-a-member", "revoked bob suspended")
		h.clock.Advance(59 * time.Second)
		h.see(member("g", "ann", true), person("bob"))
		h.expect("that was before, perhaps")
		h.clock.Advance(time.Second)
		h.answered(t, person("bob"), member("g", "ann", true))
		h.expect("no, they are back", "granted bob group-member", "granted ann group-member")
		h.clock.Advance(time.Minute)
		h.see(member("g", "ann", false))
		h.expect("or was the replica wrong that long?")
		h.clock.Advance(9 * time.Minute)
		h.answered(t, member("g", "ann", false))
		h.expect("it was", "revoked ann not-a-member")
	})
}

func TestAGroupIsNotRenamedBackByARead(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		doubting(t, h)
		h.see(group("h", "other@contoso.com"), member("h", "cid", true))
		h.clock.Advance(time.Hour)
		h.see(group("g", "other@contoso.com"), group("h", address), member("h", "cid", true))
		h.told()
		h.clock.Advance(time.Second)
		h.see(group("g", address))
		h.see(group("h", "other@contoso.com"))
		h.expect("the old name is no conflict")
		h.clock.Advance(doubt)
		h.answered(t, group("g", "other@contoso.com"), group("h", address))
		h.clock.Advance(time.Hour)
		h.tick()
		for _, ev := range h.drain() {
			if ev.Type() == event.TypeReadRequested && dataOf[event.ReadRequested](t, ev).Groups != nil {
				t.Errorf("asked again: %s", ev)
			}
		}
	})
}

func TestNothingIsAskedOfATenantThatIsNotFollowed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		doubting(t, h)
		h.see(member("g", "cid", true))
		h.see(member("g", "cid", false))
		h.ask("contoso", event.VerbDisconnect, event.TypeDisconnectRequested, event.DisconnectRequested{Licenses: event.LicensesKeep, By: operator})
		h.tick()
		h.told()
		h.clock.Advance(doubt)
		h.tick()
		h.expect("nothing")
		if n := h.rowsIn("doubts"); n != 0 {
			t.Errorf("%d doubts are left", n)
		}
	})
}

// Of a complete read that does not show somebody, and a proof that does, one lags; nothing may come after them that tells which.
func TestWhatACompleteReadMissedAndNoProofTookAwayIsReadAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h *harness) {
		doubting(t, h)
		h.read([]obs{person("bob"), group("g", address)}, "g")
		h.expect("two are not shown, and no member", "read users=[ann cid] groups=[] members=2")
		h.answer("read2", person("ann"), personAs("cid", directory.Deleted), member("g", "bob", false)) // of ann's membership nothing
		h.expect("what is proved", "revoked bob not-a-member", "refreshed users=2 groups=1 granted=0 revoked=1 removed=2 unproven=0")
		h.restart()
		h.clock.Advance(doubt - time.Microsecond)
		h.tick()
		h.expect("it is not time")
		h.clock.Advance(time.Microsecond)
		h.tick()
		h.expect("what is there still", "read users=[ann] groups=[] members=1")
		h.see(personAs("ann", directory.Deleted))
		h.apply("contoso", event.TypeCandidatesRead, event.CandidatesRead{Request: h.events[len(h.events)-1].ID()})
		h.expect("the proof has lagged", "revoked ann deleted")
		h.clock.Advance(time.Hour)
		h.tick()
		h.expect("and nothing more is asked for")
	})
}
