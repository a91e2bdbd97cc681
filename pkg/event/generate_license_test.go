package event_test

import (
	"pgregory.net/rapid"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

func decisions(licensed bool) *rapid.Generator[event.Previous] {
	return rapid.Custom(func(t *rapid.T) event.Previous {
		d := event.Previous{Licensed: licensed, Since: instants.Draw(t, "since")}
		reasons := []string{"not-a-member", "suspended", "deleted", "guest", "over-seat-limit", "disconnected"}
		if licensed {
			reasons = []string{"domain-default", "group-member", "held"}
		}
		if d.Reason = rapid.SampledFrom(reasons).Draw(t, "reason"); d.Reason == "group-member" {
			d.Path = rapid.SliceOfN(tokens, 1, 3).Draw(t, "path")
		}
		return d
	})
}

// entitlement draws the data of a license event that moves access from one value to another, or leaves it.
func entitlement(t *rapid.T, tenant, product, user string, from, to bool) event.Entitlement {
	now := decisions(to).Draw(t, "decision")
	before := decisions(from).Draw(t, "previous")
	switch {
	case from == to:
		now.Since = before.Since
	case now.Since.Before(before.Since):
		now.Since, before.Since = before.Since, now.Since
	}
	return event.Entitlement{
		Tenant: tenant, Product: product, User: user,
		Licensed: now.Licensed, Since: now.Since, Reason: now.Reason, Path: now.Path, Previous: &before,
	}
}

// side draws one of the modes, with the group that it needs.
func side(t *rapid.T, name string, modes ...string) (mode, group string) {
	if mode = rapid.SampledFrom(modes).Draw(t, name); mode == "group-members" {
		group = tokens.Draw(t, name+" group")
	}
	return mode, group
}

func policy(t *rapid.T, tenant, product string) event.PolicyChanged {
	p := event.PolicyChanged{Tenant: tenant, Product: product}
	p.Mode, p.Group = side(t, "mode", "all-users", "group-members")
	p.PreviousMode, p.PreviousGroup = side(t, "previous mode", "", "all-users", "group-members")
	return p
}

func drawLicense(from, to bool) func(*rapid.T, *drawn) any {
	return func(t *rapid.T, d *drawn) any {
		product := d.onLicenses(t)
		d.meta.Subject = tokens.Draw(t, "user")
		return entitlement(t, d.meta.Tenant, product, d.meta.Subject, from, to)
	}
}

func drawReasonChanged(t *rapid.T, d *drawn) any {
	licensed := rapid.Bool().Draw(t, "licensed")
	return drawLicense(licensed, licensed)(t, d)
}

func drawPolicy(t *rapid.T, d *drawn) any {
	product := d.onLicenses(t)
	return policy(t, d.meta.Tenant, product)
}

// onLicenses gives an event its place in a source of LICENSES and returns the product.
func (d *drawn) onLicenses(t *rapid.T) (product string) {
	product = slugs.Draw(t, "product")
	d.meta.Sequence = rapid.Uint64Min(1).Draw(t, "sequence")
	d.meta.Source = event.LicenseSource(d.meta.Tenant, product)
	d.meta.ID = event.LicenseID(d.meta.Tenant, product, d.meta.Sequence)
	return product
}
