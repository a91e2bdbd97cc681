package api_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/api/openapi"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/centertest"
)

// seen is what a worker was told, in order.
type seen struct {
	mu  sync.Mutex
	all []string
}

func (s *seen) note(ev event.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, ev.ID()+" "+string(ev.Data()))
}

// TestCommandsSayWhoAsked, and what for, exactly.
func TestCommandsSayWhoAsked(t *testing.T) {
	t.Parallel()
	h := newHouse(t, patience)
	var s seen
	h.Work(func(ev event.Event) event.Answered { s.note(ev); return done(ev) })
	for i, id := range []string{"approveHeldChange", "rejectHeldChange", "putSeats", "putSettings"} {
		method := http.MethodPost
		if strings.HasPrefix(id, "put") {
			method = http.MethodPut
		}
		a := h.Do(centertest.Admin, method, rows[id].path, rows[id].body, "Idempotency-Key", string(rune('a'+i)))
		if a.Status != http.StatusOK || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %+v", id, a)
		}
	}
	h.Do(centertest.Admin, http.MethodPut, rows["putSeats"].path, `{"purchased":null,"enforce":false}`, "Idempotency-Key", "e")
	h.Do(centertest.Admin, http.MethodPut, rows["putActivation"].path, rows["putActivation"].body, "Idempotency-Key", "f")
	h.Do(centertest.Admin, http.MethodPatch, rows["patchSettings"].path, `{"frozen":false,"hold":{"share":0,"flips":"apply"}}`, "Idempotency-Key", "g")
	want := []string{
		`contoso.approve.a {"product":"secure-share","held":"revocations-2","revision":4,"by":"ada.admin"}`,
		`contoso.reject.b {"product":"secure-share","held":"revocations-2","by":"ada.admin"}`,
		`contoso.seats.c {"product":"secure-share","purchased":250,"enforce":true,"by":"ada.admin"}`,
		`contoso.settings.d {"paused":false,"frozen":true,"hold":{"flips":"hold","share":20,"least":5,"expiry_seconds":604800},"by":"ada.admin"}`,
		`contoso.seats.e {"product":"secure-share","purchased":-1,"enforce":false,"by":"ada.admin"}`,
		`contoso.activation.f {"product":"secure-share","user":"ada","at":"2026-03-02T09:00:00Z","by":"ada.admin"}`,
		`contoso.settings.g {"frozen":false,"hold":{"flips":"apply","share":0},"by":"ada.admin"}`,
	}
	if diff := cmp.Diff(want, s.all); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestAKeyCountsOnce: the same again is the same command; another one, or somebody else's, under its key is refused.
func TestAKeyCountsOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t, patience)
	var s seen
	h.Work(func(ev event.Event) event.Answered { s.note(ev); return done(ev) })
	put := func(who int, body string) centertest.Answer {
		return h.Do(roles[who].who, http.MethodPut, rows["putSeats"].path, body, "Idempotency-Key", "k")
	}
	first, again := put(0, seatsBody), put(0, seatsBody)
	if first.Status != http.StatusOK || first.Body != again.Body || again.Status != http.StatusOK {
		t.Errorf("%+v, %+v", first, again)
	}
	for who, body := range map[int]string{0: `{"purchased":1,"enforce":true}`, 1: seatsBody} {
		if a := put(who, body); statusAndCode(a) != "422 idempotency-key-used" {
			t.Errorf("%s: %+v", body, a)
		}
	}
	if a := h.Do(centertest.OtherAdmin, http.MethodPut, strings.Replace(rows["putSeats"].path, "contoso", "fabrikam", 1), seatsBody, "Idempotency-Key", "k"); a.Status != 200 {
		t.Errorf("another tenant: %+v", a)
	}
	if len(s.all) != 2 {
		t.Errorf("the worker has seen %v", s.all)
	}
}

// TestNobodyAnswers: the command stays on the stream; the client is told where to look, and hears of its end there.
func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	h := newHouse(t, time.Millisecond)
	a := h.Do(centertest.Admin, http.MethodPut, rows["putSeats"].path, seatsBody, "Idempotency-Key", "late")
	place := a.Header.Get("Location")
	if a.Status != http.StatusAccepted || place != "/api/v1/tenants/contoso/commands/seats.late" || a.Header.Get("Retry-After") != "2" {
		t.Fatalf("%+v", a)
	}
	want := openapi.Command{ID: "seats.late", State: openapi.CommandStatePending, At: h.Clock.Now()}
	if diff := cmp.Diff(want, get[openapi.Command](t, h, place)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	answer := event.Answered{Command: "contoso.seats.late", Outcome: event.OutcomeRefused, Code: event.CodeBadRequest, Message: "fewer than ada@contoso.com thinks"}
	if _, err := h.Tell(t.Context(), "contoso", event.VerbAnswered, event.TypeAnswered, "x.answered", answer.Command, answer); err != nil {
		t.Fatal(err)
	}
	got := get[openapi.Command](t, h, place)
	if got.State != openapi.CommandStateRefused || got.Problem.Code != "refused" || strings.Contains(got.Problem.Detail, "@") {
		t.Errorf("%+v", got)
	}
	for _, id := range []string{"seats.never", "seats", "answered.x", "refresh.day", "seats.a%2Fb", "erase.late"} {
		if a := h.Do(centertest.Admin, http.MethodGet, "/api/v1/tenants/contoso/commands/"+id, ""); statusAndCode(a) != "404 no-such-command" {
			t.Errorf("%s: %+v", id, a)
		}
	}
}

// TestRefusals have a code each, and what has changed on a list.
func TestRefusals(t *testing.T) {
	t.Parallel()
	h := newHouse(t, patience)
	changes := []event.HeldUser{{User: "eve", Listed: true, Reason: "not-a-member"}, {User: "dan"}}
	answers := make(chan event.Answered, 1)
	h.Work(func(event.Event) event.Answered { return <-answers })
	for code, want := range map[string]string{
		event.CodeRevision: "409 held-changed", event.CodeNotOpen: "409 held-not-open", event.CodeListing: "409 held-listing",
		event.CodeNoSuchHeld: "404 no-such-held-change", event.CodeFrozen: "409 tenant-frozen", event.CodeBadRequest: "422 refused",
	} {
		answers <- event.Answered{Outcome: event.OutcomeRefused, Code: code, Revision: 5, Changes: changes}
		a := h.Do(centertest.Operator, http.MethodPost, rows["approveHeldChange"].path, `{"revision":4}`)
		if statusAndCode(a) != want {
			t.Errorf("%s: %+v, want %s", code, a, want)
		}
		if code != event.CodeRevision {
			continue
		}
		var p openapi.Problem
		a.JSON(t, &p)
		want := []openapi.HeldLineChange{{User: "eve", Listed: true, WouldBeReason: "not-a-member"}, {User: "dan"}}
		if diff := cmp.Diff(want, p.Changes); diff != "" || p.Revision != 5 {
			t.Errorf("%d (-want +got):\n%s", p.Revision, diff)
		}
	}
	if a := h.Do(centertest.Operator, http.MethodPut, strings.Replace(rows["putActivation"].path, "/ada", "/zoe", 1), rows["putActivation"].body); statusAndCode(a) != "404 no-such-user" {
		t.Errorf("%+v", a)
	}
	if a := h.Do(centertest.Operator, http.MethodPost, strings.Replace(rows["rejectHeldChange"].path, "secure-share", "email", 1), ""); statusAndCode(a) != "404 no-such-product" {
		t.Errorf("%+v", a)
	}
}
