package event_test

import (
	"pgregory.net/rapid"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

var (
	classes = shared(rapid.SampledFrom([]string{
		event.ClassSignIn, event.ClassConsent, event.ClassUnreachable, event.ClassThrottled, event.ClassFailing,
		event.ClassQuota, event.ClassSilent,
	}))
	checks    = shared(rapid.SampledFrom([]string{"", "sign-in", "read-users", "consent"}))
	days      = shared(rapid.SampledFrom([]int{30, 7, 1}))
	sentences = shared(rapid.StringMatching(`[A-Za-z0-9 .,:;>"&<ü-]{1,60}`))
)

func drawConnectionObserved(t *rapid.T, d *drawn) any {
	d.meta.Source = event.DirectorySource(d.meta.Tenant)
	seen := event.ConnectionObserved{
		Stamp: event.StampOf(stamps.Draw(t, "stamp")), State: event.ConnectionWorking, Since: instants.Draw(t, "since"),
	}
	if seen.Unheard = rapid.Bool().Draw(t, "is unheard"); !seen.Unheard && rapid.Bool().Draw(t, "is degraded") {
		seen.State, seen.Class, seen.Check = event.ConnectionDegraded, classes.Draw(t, "class"), checks.Draw(t, "check")
		seen.Detail, seen.Action = sentences.Draw(t, "detail"), sentences.Draw(t, "action")
	}
	switch expires := instants.Draw(t, "expires"); rapid.IntRange(0, 3).Draw(t, "credential") {
	case 1:
		seen.Credential = &event.CredentialSeen{}
	case 2:
		seen.Credential = &event.CredentialSeen{Expires: expires}
	case 3:
		seen.Credential = &event.CredentialSeen{
			Expires: expires, Days: days.Draw(t, "days"), Detail: sentences.Draw(t, "end"), Action: sentences.Draw(t, "todo"),
		}
	}
	return seen
}

func drawDegraded(t *rapid.T, d *drawn) any {
	return event.Degraded{
		Product: d.onLicenses(t), Tenant: d.meta.Tenant, Class: classes.Draw(t, "class"), Since: instants.Draw(t, "since"),
		Check: checks.Draw(t, "check"), Detail: sentences.Draw(t, "detail"), Action: sentences.Draw(t, "action"),
	}
}

func drawRecovered(t *rapid.T, d *drawn) any {
	return event.Recovered{
		Product: d.onLicenses(t), Tenant: d.meta.Tenant, Class: classes.Draw(t, "class"), Since: instants.Draw(t, "since"),
	}
}

func drawExpiring(t *rapid.T, d *drawn) any {
	return event.CredentialExpiring{
		Product: d.onLicenses(t), Tenant: d.meta.Tenant, Expires: instants.Draw(t, "expires"), Days: days.Draw(t, "days"),
		Detail: sentences.Draw(t, "detail"), Action: sentences.Draw(t, "action"),
	}
}

func drawReplaced(t *rapid.T, d *drawn) any {
	replaced := event.CredentialReplaced{Product: d.onLicenses(t), Tenant: d.meta.Tenant, Was: instants.Draw(t, "was")}
	if rapid.Bool().Draw(t, "its end is known") {
		replaced.Expires = instants.Draw(t, "expires")
	}
	return replaced
}
