package reports

import (
	"strings"

	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

// mostEvents is how many events share an activity when an admin does many things at once.
const mostEvents = 20

// scribe writes the activities of one customer.
type scribe struct {
	tenant store.Tenant
	opaque bool // ids rather than addresses in groups_enterprise
	admin  actor
}

func newScribe(v store.View, opaque bool) scribe {
	t := v.Tenant()
	s := scribe{tenant: t, opaque: opaque, admin: actor{CallerType: "USER", Email: "admin@" + t.Domains[0]}}
	if len(t.App.Admins) > 0 {
		s.admin.Email = strings.ToLower(t.App.Admins[0].Address)
	}
	for _, id := range v.At(s.admin.Email) {
		s.admin.ProfileID = id
	}
	return s
}

// write makes the activities that one mutation leaves in an application. It is a function of the changes alone.
func (s scribe) write(app string, changes []store.Change) []activity {
	var out []activity
	add := func(c store.Change, events ...event) {
		if n := len(out) - 1; n >= 0 && share(c) && out[n].version+1 == c.Version && len(out[n].events)+len(events) <= mostEvents {
			out[n].events = append(out[n].events, events...)
			out[n].version = c.Version
			return
		}
		out = append(out, activity{
			app: app, customer: s.tenant.DirectoryID, domain: s.tenant.Domains[0], at: c.At, first: max(c.First, 1), index: len(out),
			version: c.Version, actor: s.actor(c), events: events,
		})
	}
	if app == appAdmin && len(changes) > 0 && base(changes[0].Via) == store.ViaBulkUpload {
		if e, ok := upload(changes); ok {
			add(changes[len(changes)-1], e)
		}
		return out
	}
	for _, c := range changes {
		if c.Implied { // it follows from another change, of which alone Google tells
			continue
		}
		if events := s.events(app, c); len(events) > 0 {
			add(c, events...)
		}
	}
	return out
}

// share reports whether a change is told in one activity with those beside it: what is done through an API is one call
// each.
func share(c store.Change) bool { return c.Via == store.ViaConsole }

func (s scribe) events(app string, c store.Change) []event {
	switch app {
	case appAdmin:
		return adminEvents(c)
	case appEnterprise:
		return s.enterpriseEvents(c)
	case appGroups:
		return groupsEvents(c)
	case appLogin:
		return loginEvents(c)
	default:
		return nil
	}
}

// actor is who made a change.
func (s scribe) actor(c store.Change) actor {
	switch how := base(c.Via); {
	case self(c.Via):
		return actor{CallerType: "USER", Email: strings.ToLower(c.MemberAddress), ProfileID: c.Member}
	case how == store.ViaGoogle, how == ViaDynamic:
		return actor{CallerType: "KEY", Key: "Google System"}
	default:
		out := s.admin
		if how == store.ViaAPI || how == store.ViaCloudIdentity {
			out.Application = &applicationInfo{ClientID: s.tenant.App.ClientID, Name: "Directory tool", Impersonation: true}
		}
		return out
	}
}

// backwards yields the mutations of a stretch of the log, the last one first.
func backwards(changes []store.Change) func(yield func([]store.Change) bool) {
	return func(yield func([]store.Change) bool) {
		for end := len(changes); end > 0; {
			begin := end - 1
			for begin > 0 && changes[end-1].First != 0 && changes[begin-1].First == changes[end-1].First {
				begin--
			}
			if !yield(changes[begin:end]) {
				return
			}
			end = begin
		}
	}
}
