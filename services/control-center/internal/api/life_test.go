package api_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/centertest"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// stored is what the registry has of contoso.
func (h *house) stored(t *testing.T) tenant.Tenant {
	t.Helper()
	one, err := h.Registry.Get(t.Context(), centertest.Contoso)
	if err != nil {
		t.Fatal(err)
	}
	return one
}

func (h *house) disconnect(body, key string) centertest.Answer {
	return h.Do(centertest.Admin, http.MethodPost, rows["disconnectTenant"].path, body, "Idempotency-Key", key)
}

// TestATenantIsDisconnected by the worker first, which may refuse, and then by a receiver. Sent again it is answered alike.
func TestATenantIsDisconnected(t *testing.T) {
	t.Parallel()
	h := newHouse(t, patience)
	var s seen
	answers := make(chan event.Answered, 2)
	h.Work(func(ev event.Event) event.Answered { s.note(ev); return <-answers })
	const keep, revoke = `{"licenses":"keep"}`, `{"licenses":"revoke"}`

	answers <- event.Answered{Outcome: event.OutcomeRefused, Code: event.CodeFrozen}
	if a := h.disconnect(revoke, "a"); statusAndCode(a) != "409 tenant-frozen" || h.stored(t).Disconnected {
		t.Errorf("refused: %+v", a)
	}
	answers <- event.Answered{Outcome: event.OutcomeDone}
	if a := h.disconnect(keep, "b"); statusAndCode(a) != "503 no-receiver" || a.Header.Get("Retry-After") == "" || h.stored(t).Disconnected {
		t.Errorf("without a receiver: %+v", a)
	}
	h.Receive()
	first := h.disconnect(keep, "b") // goes on
	if first.Status != http.StatusOK || !h.stored(t).Disconnected {
		t.Errorf("%+v", first)
	}
	if again := h.disconnect(keep, "b"); again.Status != http.StatusOK || again.Body != first.Body {
		t.Errorf("the same again: %+v", again)
	}
	if a := h.disconnect(revoke, "b"); statusAndCode(a) != "422 idempotency-key-used" {
		t.Errorf("another one under the key: %+v", a)
	}
	answers <- event.Answered{Outcome: event.OutcomeDone}
	if a := h.disconnect(revoke, "c"); a.Status != http.StatusOK {
		t.Errorf("revoked later: %+v", a)
	}
	if a := h.disconnect(`{"licenses":"sell"}`, "d"); statusAndCode(a) != "400 invalid-request" {
		t.Errorf("%+v", a)
	}
	want := []string{
		`contoso.disconnect.a {"licenses":"revoke","by":"ada.admin"}`, `contoso.disconnect.b {"licenses":"keep","by":"ada.admin"}`,
		`contoso.disconnect.c {"licenses":"revoke","by":"ada.admin"}`,
	}
	if diff := cmp.Diff(want, s.all); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestADisconnectionWaitsForTheWorker: before it has answered the directory is followed as it was.
func TestADisconnectionWaitsForTheWorker(t *testing.T) {
	t.Parallel()
	h := newHouse(t, time.Millisecond)
	h.Receive()
	a := h.disconnect(`{"licenses":"keep"}`, "k")
	if a.Status != http.StatusAccepted || a.Header.Get("Location") != "/api/v1/tenants/contoso/commands/disconnect.k" || h.stored(t).Disconnected {
		t.Errorf("%+v", a)
	}
	if told := h.Do(centertest.Admin, http.MethodGet, a.Header.Get("Location"), ""); told.Status != http.StatusOK {
		t.Errorf("%+v", told)
	}
}

// disconnected has contoso registered, and disconnected.
func (h *house) disconnected() {
	h.Again()
	if _, err := h.Registry.Change(context.Background(), centertest.Contoso, tenant.Disconnect); err != nil {
		panic(err)
	}
}

func (h *house) erase(key string) centertest.Answer {
	return h.Do(centertest.Operator, http.MethodPost, rows["eraseTenant"].path, rows["eraseTenant"].body, "Idempotency-Key", key)
}

// TestATenantIsErased once it is disconnected and somebody has typed its name: by the worker first, and then by a receiver.
func TestATenantIsErased(t *testing.T) {
	t.Parallel()
	h := newHouse(t, patience)
	var s seen
	answers := make(chan event.Answered, 2)
	h.Work(func(ev event.Event) event.Answered { s.note(ev); return <-answers })
	if a := h.erase("a"); statusAndCode(a) != "409 not-disconnected" {
		t.Errorf("of one that is connected: %+v", a)
	}
	h.disconnected()
	if a := h.Do(centertest.Operator, http.MethodPost, rows["eraseTenant"].path, `{"confirm":"Contoso"}`); statusAndCode(a) != "400 invalid-request" {
		t.Errorf("not confirmed: %+v", a)
	}
	answers <- event.Answered{Outcome: event.OutcomeRefused, Code: event.CodeBadRequest, Message: "users hold licenses"}
	if a := h.erase("b"); statusAndCode(a) != "422 refused" {
		t.Errorf("refused: %+v", a)
	}
	answers <- event.Answered{Outcome: event.OutcomeDone}
	if a := h.erase("c"); statusAndCode(a) != "503 no-receiver" || !h.stored(t).Disconnected {
		t.Errorf("without a receiver: %+v", a)
	}
	h.Receive()
	if a := h.erase("c"); a.Status != http.StatusOK {
		t.Errorf("%+v", a)
	}
	if _, err := h.Registry.Get(t.Context(), centertest.Contoso); !errors.Is(err, tenant.ErrNotFound) {
		t.Errorf("it is there: %v", err)
	}
	if diff := cmp.Diff([]string{`contoso.erase.b {"by":"olga"}`, `contoso.erase.c {"by":"olga"}`}, s.all); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// Of what is erased nothing is known, not even that it was: what an erasing that broke off has left goes all the same.
	kv, err := h.Bus.KeyValue(t.Context(), bus.BucketCursors)
	if err == nil {
		_, err = kv.Put(t.Context(), "contoso.feeds", []byte("{}"))
	}
	if err != nil {
		t.Fatal(err)
	}
	if a := h.erase("c"); statusAndCode(a) != "404 no-such-tenant" {
		t.Errorf("again: %+v", a)
	}
	if _, err := kv.Get(t.Context(), "contoso.feeds"); err == nil {
		t.Error("something is left")
	}
}
