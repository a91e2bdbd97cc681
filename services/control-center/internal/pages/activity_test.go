package pages_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

var listedEvent = regexp.MustCompile(`<tr id="event-([^"]+)"`)

func events(html string) (ids []string) {
	for _, m := range listedEvent.FindAllStringSubmatch(html, -1) {
		ids = append(ids, m[1])
	}
	return ids
}

// Every kind of event is told, in words, with its sequence.
func TestActivityTellsEveryEvent(t *testing.T) {
	t.Parallel()
	w := contoso(t)
	purchased, yes := 40, event.HoldSettings{Flips: event.FlipsHold, Share: 20, Least: 5, ExpirySeconds: 3600}
	for _, e := range []struct {
		subject, eventType string
		data               any
		want               string
	}{
		{event.PolicySubject("contoso", "secure-share"), event.TypePolicyChanged, event.PolicyChanged{Mode: "group-members", Group: "g"}, "The members of the provisioning group are licensed."},
		{event.PolicySubject("contoso", "secure-share"), event.TypeSettingsChanged, event.SettingsChanged{By: "ada", Connected: true, Frozen: true, Hold: yes}, "Frozen, flips are held, revocations are held over 20 % and from 5, for 1h0m0s, by ada."},
		{event.SeatsSubject("contoso", "secure-share"), event.TypeSeatsChanged, event.SeatsChanged{By: "ada", Purchased: &purchased, Enforce: true, Used: 2}, "Purchased: 40, a limit; in use: 2, by ada."},
		{event.SeatsSubject("contoso", "secure-share"), event.TypeSeatsExceeded, event.SeatsUse{Purchased: 1, Used: 2}, "2 in use of 1."},
		{event.SeatsSubject("contoso", "secure-share"), event.TypeLineChanged, event.LineChanged{User: "ann", Waiting: true, Place: 3}, "The user waits for a seat, at place 3."},
		{event.ActivationSubject("contoso", "secure-share"), event.TypeUserActivated, event.UserActivated{User: "ann", At: time.Date(2026, 11, 23, 10, 2, 0, 0, time.UTC), By: "secure-share"}, "The user first signed in on 23 November 2026, 10:02 UTC, by secure-share."},
		{event.HeldSubject("contoso", "secure-share"), event.TypeHeldOpened, event.HeldOpened{Held: "flip-7", Kind: "flip", Revision: 1, Grants: 1, Revocations: 9}, "1 license would be granted and 9 revoked."},
		{event.HeldSubject("contoso", "secure-share"), event.TypeHeldListed, event.HeldListed{Held: "flip-7", Revision: 2, Users: []event.HeldUser{{User: "ann"}}}, "The list of a held change has become another one."},
		{event.HeldSubject("contoso", "secure-share"), event.TypeHeldClosed, event.HeldClosed{Held: "flip-7", Outcome: "rejected", By: "grace"}, "Flip-7 was rejected, by grace."},
		{event.ConnectionSubject("contoso", "secure-share"), event.TypeConnectionDegraded, event.Degraded{Class: "sign-in", Action: "make a new secret"}, "Sign-in: make a new secret."},
		{event.ConnectionSubject("contoso", "secure-share"), event.TypeConnectionRecovered, event.Recovered{Class: "sign-in"}, "followed again as it should be"},
		{event.ConnectionSubject("contoso", "secure-share"), event.TypeCredentialExpiring, event.CredentialExpiring{Detail: "the secret ends", Action: "make a new secret"}, "The secret ends. Make a new secret."},
		{event.ConnectionSubject("contoso", "secure-share"), event.TypeCredentialReplaced, event.CredentialReplaced{Was: time.Date(2026, 12, 24, 9, 0, 0, 0, time.UTC)}, "ends on 24 December 2026"},
	} {
		w.record("contoso", "secure-share", e.subject, e.eventType, e.data)
		text := w.page("/tenants/contoso/activity")
		has(t, text, e.want)
		if first := events(text)[0]; first != fmt.Sprintf("secure-share-%d", w.products["contoso secure-share"].Sequence) {
			t.Errorf("%s: the first is %s", e.eventType, first)
		}
	}
	has(t, w.page("/tenants/contoso/activity?what=licenses"), "Granted", "Revoked", "Suspended in the directory.")
	lacks(t, w.page("/tenants/contoso/activity?what=licenses"), "flip-7")
	has(t, w.page("/tenants/contoso/activity?what=activations"), "The user first signed in")
	lacks(t, w.page("/tenants/contoso/activity?what=activations"), "flip-7", `badge good">Granted`)
	has(t, w.page("/tenants/contoso/activity?what=held"), "/tenants/contoso/held/flip-7?product=secure-share", "settings")
	lacks(t, w.page("/tenants/contoso/activity?what=held"), `badge good">Granted`)
}

// From page to page every event comes once, the last one first, however many there are of one moment.
func TestActivityComesInPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.house("contoso", tenant.SecureShare(), tenant.Drive())
	var want []string
	var people []directory.User
	var granted []decided
	for i := range 130 {
		id, at := fmt.Sprintf("u%03d", i), w.origin.Add(-time.Duration(130-i)*24*time.Hour)
		if i >= 40 {
			at = w.origin // a bulk
		}
		people = append(people, person(id, "User "+id))
		granted = append(granted, decided{user: id, licensed: true, reason: licensing.DomainDefault, at: at})
		want = append([]string{fmt.Sprintf("secure-share-%d", i+1)}, want...)
	}
	w.put("contoso", append(people, person("old", "Old One"))...)
	w.decide("contoso", "secure-share", granted...)
	w.decide("contoso", "drive", decided{user: "old", licensed: true, reason: licensing.DomainDefault, at: w.origin.Add(-300 * 24 * time.Hour)})
	want = append(want, "drive-1")
	var all []string
	next := "/tenants/contoso/activity"
	for pages := 0; next != ""; pages++ {
		text := w.page(next)
		all, next = append(all, events(text)...), ""
		if m := regexp.MustCompile(`id="next" href="([^"]+)"`).FindStringSubmatch(text); m != nil {
			next = strings.ReplaceAll(m[1], "&amp;", "&")
		}
		if pages > 4 {
			t.Fatal("it does not end")
		}
	}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Errorf("(-want +listed):\n%s", diff)
	}
	if a := w.get("/tenants/contoso/activity?before=nonsense"); a.status != http.StatusBadRequest {
		t.Errorf("%d", a.status)
	}
}
