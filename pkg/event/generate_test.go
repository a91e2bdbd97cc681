package event_test

import (
	"time"

	"pgregory.net/rapid"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// Generators of what the code may write. What they draw keeps to the contract.

var (
	slugs     = shared(rapid.StringMatching(`[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?`))
	tokens    = shared(rapid.StringMatching(`[A-Za-z0-9_-]{1,128}`))
	eventIDs  = shared(rapid.StringMatching(`[A-Za-z0-9._:~-]{1,100}`))
	addresses = shared(rapid.StringMatching(`[a-z0-9ü.#_-]{1,20}@[a-z0-9-]{1,20}\.com`))
	counts    = shared(rapid.IntRange(0, 1<<31))
	texts     = shared(rapid.StringN(1, 40, -1)) // any Unicode: quotes, control characters, what HTML would escape
	instants  = shared(rapid.Custom(func(t *rapid.T) time.Time {
		return time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "second"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanosecond")).UTC()
	}))
	stamps = shared(rapid.Custom(func(t *rapid.T) directory.Stamp {
		return directory.Stamp{Epoch: rapid.Int64Min(1).Draw(t, "epoch"), Counter: rapid.Uint64().Draw(t, "counter")}
	}))
	users = shared(rapid.Custom(func(t *rapid.T) directory.User {
		return directory.User{
			ID: tokens.Draw(t, "id"), Name: texts.Draw(t, "name"), Addresses: some(addresses).Draw(t, "addresses"),
			Status: rapid.SampledFrom([]directory.Status{
				directory.Active, directory.Suspended, directory.Archived, directory.Deleted,
			}).Draw(t, "status"),
			Guest: rapid.Bool().Draw(t, "guest"),
		}
	}))
	groups = shared(rapid.Custom(func(t *rapid.T) directory.Group {
		return directory.Group{
			ID: tokens.Draw(t, "id"), Name: texts.Draw(t, "name"), Addresses: some(addresses).Draw(t, "addresses"),
			Kind: rapid.SampledFrom([]directory.GroupKind{
				"", directory.Microsoft365, directory.Security, directory.MailEnabledSecurity, directory.Distribution,
				directory.WorkspaceGroup,
			}).Draw(t, "kind"),
			Deleted: rapid.Bool().Draw(t, "deleted"),
		}
	}))
	memberships = shared(rapid.Custom(func(t *rapid.T) directory.Membership {
		m := directory.Membership{GroupID: tokens.Draw(t, "group"), Present: rapid.Bool().Draw(t, "present")}
		m.Kind = rapid.SampledFrom([]directory.MemberKind{
			directory.UserMember, directory.GroupMember, directory.CustomerMember, directory.OtherMember,
		}).Draw(t, "kind")
		if m.Kind != directory.CustomerMember {
			m.ID = tokens.Draw(t, "member")
		}
		return m
	}))
	observations = shared(rapid.OneOf(
		rapid.Map(users, func(u directory.User) directory.Observation { return directory.Observation{User: &u} }),
		rapid.Map(groups, func(g directory.Group) directory.Observation { return directory.Observation{Group: &g} }),
		rapid.Map(memberships, func(m directory.Membership) directory.Observation { return directory.Observation{Membership: &m} }),
	))
)

// shared makes a generator fit for tests that run at once: rapid names a generator at first use, and reads the name
// without a lock.
func shared[T any](g *rapid.Generator[T]) *rapid.Generator[T] {
	_ = g.String()
	return g
}

// some draws nil or a few different ones: an empty slice is the same on the wire.
func some[T comparable](elements *rapid.Generator[T]) *rapid.Generator[[]T] {
	return rapid.OneOf(rapid.Just[[]T](nil), rapid.SliceOfNDistinct(elements, 1, 4, rapid.ID[T]))
}
