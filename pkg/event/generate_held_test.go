package event_test

import (
	"fmt"

	"pgregory.net/rapid"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

var (
	actors    = shared(rapid.StringMatching(`[A-Za-z0-9._:-]{1,64}`))
	revisions = shared(rapid.IntRange(1, 1<<31))
	kinds     = shared(rapid.SampledFrom([]string{event.HeldFlip, event.HeldRevocations, event.HeldRefresh, event.HeldFreeze}))
	heldUsers = shared(rapid.Custom(func(t *rapid.T) event.HeldUser {
		u := event.HeldUser{User: tokens.Draw(t, "user"), Listed: rapid.Bool().Draw(t, "listed"), Licensed: rapid.Bool().Draw(t, "licensed")}
		if u.Listed || rapid.Bool().Draw(t, "says why") {
			u.Reason = decisions(u.Licensed).Draw(t, "decision").Reason
		}
		return u
	}))
	lists        = shared(rapid.SliceOfNDistinct(heldUsers, 1, 4, func(u event.HeldUser) string { return u.User }))
	refreshHolds = shared(rapid.Custom(func(t *rapid.T) event.RefreshHold {
		return event.RefreshHold{
			Product: slugs.Draw(t, "product"), Held: held(t, event.HeldRefresh), Revision: revisions.Draw(t, "revision"),
			Grants: counts.Draw(t, "grants"), Revocations: counts.Draw(t, "revocations"),
		}
	}))
)

func held(t *rapid.T, kind string) string {
	return fmt.Sprintf("%s-%d", kind, rapid.Uint64Min(1).Draw(t, "held"))
}

// maybe draws nil or a value.
func maybe[T any](t *rapid.T, values *rapid.Generator[T], label string) *T {
	return rapid.Ptr(values, true).Draw(t, label)
}

func drawHeldOpened(t *rapid.T, d *drawn) any {
	product, kind := d.onLicenses(t), kinds.Draw(t, "kind")
	opened := event.HeldOpened{
		Tenant: d.meta.Tenant, Product: product, Held: held(t, kind), Kind: kind, Revision: revisions.Draw(t, "revision"),
		Grants: counts.Draw(t, "grants"), Revocations: counts.Draw(t, "revocations"), Licensed: counts.Draw(t, "licensed"),
		Purchased: maybe(t, counts, "purchased"), Expires: instants.Draw(t, "expires"),
	}
	if kind == event.HeldFlip {
		opened.Mode, opened.Group = side(t, "mode", "all-users", "group-members")
		opened.PreviousMode, opened.PreviousGroup = side(t, "previous mode", "all-users", "group-members")
	}
	return opened
}

func drawHeldListed(t *rapid.T, d *drawn) any {
	return event.HeldListed{
		Product: d.onLicenses(t), Tenant: d.meta.Tenant, Held: held(t, kinds.Draw(t, "kind")), Revision: revisions.Draw(t, "revision"),
		Users: lists.Draw(t, "users"),
	}
}

func drawHeldClosed(t *rapid.T, d *drawn) any {
	product, kind := d.onLicenses(t), kinds.Draw(t, "kind")
	closed := event.HeldClosed{
		Tenant: d.meta.Tenant, Product: product, Held: held(t, kind), Kind: kind, Revision: revisions.Draw(t, "revision"),
		Outcome: rapid.SampledFrom([]string{event.HeldApproved, event.HeldRejected, event.HeldExpired, event.HeldWithdrawn}).Draw(t, "outcome"),
		Grants:  counts.Draw(t, "grants"), Revocations: counts.Draw(t, "revocations"),
	}
	if closed.Outcome == event.HeldApproved || closed.Outcome == event.HeldRejected {
		closed.By = actors.Draw(t, "by")
	}
	return closed
}

func drawSettingsChanged(t *rapid.T, d *drawn) any {
	return event.SettingsChanged{
		Product: d.onLicenses(t), Tenant: d.meta.Tenant, By: actors.Draw(t, "by"), Paused: rapid.Bool().Draw(t, "paused"),
		Frozen: rapid.Bool().Draw(t, "frozen"), Connected: rapid.Bool().Draw(t, "connected"),
		Hold: event.HoldSettings{
			Flips: flips.Draw(t, "flips"), Share: shares.Draw(t, "share"), Least: counts.Draw(t, "least"),
			ExpirySeconds: seconds.Draw(t, "expiry"),
		},
	}
}

func drawSeatsChanged(t *rapid.T, d *drawn) any {
	return event.SeatsChanged{
		Product: d.onLicenses(t), Tenant: d.meta.Tenant, By: actors.Draw(t, "by"), Purchased: maybe(t, counts, "purchased"),
		Enforce: rapid.Bool().Draw(t, "enforce"), Used: counts.Draw(t, "used"),
	}
}

func drawSeatsUse(exceeded bool) func(*rapid.T, *drawn) any {
	return func(t *rapid.T, d *drawn) any {
		use := event.SeatsUse{Product: d.onLicenses(t), Tenant: d.meta.Tenant, Enforce: rapid.Bool().Draw(t, "enforce")}
		if use.Purchased = counts.Draw(t, "purchased"); exceeded {
			use.Used = use.Purchased + revisions.Draw(t, "over")
		} else {
			use.Used = rapid.IntRange(0, use.Purchased).Draw(t, "used")
		}
		return use
	}
}

func drawLineChanged(t *rapid.T, d *drawn) any {
	return event.LineChanged{
		Product: d.onLicenses(t), Tenant: d.meta.Tenant, User: tokens.Draw(t, "user"), Waiting: rapid.Bool().Draw(t, "waiting"),
		Place: revisions.Draw(t, "place"),
	}
}

func drawActivated(t *rapid.T, d *drawn) any {
	return event.UserActivated{
		Product: d.onLicenses(t), Tenant: d.meta.Tenant, User: tokens.Draw(t, "user"), At: instants.Draw(t, "at"), By: actors.Draw(t, "by"),
	}
}
