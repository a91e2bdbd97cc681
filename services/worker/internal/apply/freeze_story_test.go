package apply_test

import (
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

func TestFreezeRevokesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		grouped(h, 10)
		h.freeze(true)
		h.expect("", "settings paused=false frozen=true connected=true hold 20% 5 604800s", "done")
		h.see(personAs("u1", "deleted"), person("ann"), member("g", "ann", true))
		h.expect("not even one who is gone; grants go on", "opened freeze#1 r1 +0 -1 of 10", "reason u1 held", "granted ann group-member",
			"listed freeze#1 r1 u1:-deleted")
		h.see(members("g", false, ids(2, 4)...)...)
		h.expect("the list grows", "reason u2 held", "reason u3 held", "reason u4 held",
			"listed freeze#1 r2 u2:-not-a-member u3:-not-a-member u4:-not-a-member")
		h.see(member("g", "u2", true))
		h.expect("and shrinks", "reason u2 group-member", "listed freeze#1 r3 u2:off")
		h.approve("freeze#1", 3)
		h.expect("nobody can approve it", "refused frozen")
		h.reject("freeze#1")
		h.expect("or reject it", "refused bad-request")
		h.clock.Advance(10 * week)
		h.tick()
		h.expect("it does not expire")
		h.freeze(false)
		h.expect("thawed", "settings paused=false frozen=false connected=true hold 20% 5 604800s",
			"closed freeze#1 r3 withdrawn +0 -3", "done")
		h.tick()
		h.expect("it is decided as ever", "revoked u1 deleted", "revoked u3 not-a-member", "revoked u4 not-a-member")
	})
}

func TestThawOfManyIsABulk(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		grouped(h, 10)
		h.freeze(true)
		for _, id := range ids(1, 5) {
			h.see(personAs(id, "suspended"))
		}
		h.freeze(false)
		h.told()
		h.tick()
		h.expect("one list", "opened revocations#1 r1 +0 -5 of 10", "listed revocations#1 r1 u1:-suspended u2:-suspended u3:-suspended "+
			"u4:-suspended u5:-suspended")
		h.reject("revocations#1")
		h.freeze(true)
		h.freeze(false)
		h.tick()
		h.expect("that was rejected, frozen again or not", "closed revocations#1 r1 rejected +0 -5 user:ops", "done revocations#1 r1",
			"settings paused=false frozen=true connected=true hold 20% 5 604800s", "done",
			"settings paused=false frozen=false connected=true hold 20% 5 604800s", "done")
	})
}

// What was approved rests while the tenant is frozen, wherever it has come to, and goes on afterwards.
func TestFreezeStopsWhatWasApproved(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		h.read(people(10))
		h.see(join([]obs{group("g", address)}, members("g", true, ids(1, 4)...))...)
		h.settled()
		h.told()
		h.approve("flip#1", 1)
		for range 3 {
			h.tickOnce()
		}
		h.told()
		h.freeze(true)
		h.told()
		h.tick()
		h.expect("nothing")
		h.see(renamed("u9"))
		h.expect("also not one by one", "opened freeze#1 r1 +0 -1 of 8", "reason u9 held", "listed freeze#1 r1 u9:-not-a-member")
		h.freeze(false)
		h.tick()
		h.expect("it goes on", "settings paused=false frozen=false connected=true hold 20% 5 604800s",
			"closed freeze#1 r1 withdrawn +0 -1", "done",
			"revoked u7 not-a-member", "revoked u8 not-a-member", "revoked u9 not-a-member", "revoked u10 not-a-member")
	})
}

func TestPauseDecidesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		grouped(h, 10)
		h.pause(true)
		h.expect("", "settings paused=true frozen=false connected=true hold 20% 5 604800s", "done")
		h.see(join([]obs{person("ann"), member("g", "ann", true), personAs("u9", "suspended")}, members("g", false, ids(1, 5)...))...)
		h.tick()
		h.expect("the mirror takes it, and nothing follows")
		h.restart()
		h.pause(false)
		h.tick()
		h.expect("then it is one list", join([]string{
			"settings paused=false frozen=false connected=true hold 20% 5 604800s", "done", "granted ann group-member",
			"opened revocations#1 r1 +0 -6 of 11", "listed revocations#1 r1 u1:-not-a-member u2:-not-a-member u3:-not-a-member " +
				"u4:-not-a-member u5:-not-a-member u9:-suspended",
		}, eachOf("reason %s held", "u1", "u2", "u3", "u4", "u5", "u9"))...)
	})
}

func TestPauseWithFewChanges(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		grouped(h, 10)
		h.pause(true)
		h.see(members("g", false, ids(1, 2)...)...)
		h.pause(false)
		h.told()
		h.tick()
		h.expect("no list for two", "revoked u1 not-a-member", "revoked u2 not-a-member")
		h.see(members("g", false, ids(3, 5)...)...)
		if got := h.told(); got[0] != "opened revocations#1 r1 +0 -3 of 8" {
			h.t.Fatalf("they count in the hour: %v", got)
		}
	})
}

// A list that was made before a pause is not what follows from its approval: what has changed since is not on it.
func TestListsOfAPausedTenantWait(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		proposed(h)
		h.pause(true)
		h.see(member("g", "bob", true))
		h.told()
		h.approve("flip#1", 1)
		h.expect("not now", "refused bad-request")
		h.pause(false)
		h.told()
		h.approve("flip#1", 1)
		h.expect("nor while everybody is looked at", "refused listing")
		h.tick()
		h.expect("now it is known", "listed flip#1 r2 bob:off")
		h.approve("flip#1", 1)
		h.approve("flip#1", 2)
		h.tick()
		h.expect("", "refused revision flip#1 r2 bob:off", "closed flip#1 r2 approved +0 -1 user:ops", "policy group-members g",
			"done flip#1 r2", "reason ann group-member", "reason bob group-member", "revoked cid not-a-member")
	})
}

func TestSettingsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, h *harness) {
		threeLicensed(h)
		for _, hold := range []event.HoldRequest{
			{Flips: "perhaps"},
			{Share: number(101)},
			{Share: number(-1)},
			{Least: number(-1)},
			{ExpirySeconds: number(0)},
			{ExpirySeconds: number(1 << 62)},
		} {
			h.holding(hold)
			h.expect("nothing changes", "refused bad-request")
		}
		h.pause(false)
		h.expect("what is so already is done", "done")
		h.ask("contoso", event.VerbSettings, event.TypeSettingsRequested, event.SettingsRequested{Paused: new(bool), By: "ops@contoso.com"})
		h.expect("who asks is not told by an address", "refused bad-request")
		h.approve("flip-1", 1)
		h.ask("contoso", event.VerbApprove, event.TypeApproveRequested, event.ApproveRequested{Product: "other", Held: "flip-1", Revision: 1, By: operator})
		h.expect("there is no such thing", "refused no-such-held", "refused bad-request")
	})
}
