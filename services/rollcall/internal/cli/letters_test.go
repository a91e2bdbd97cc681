package cli_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/natsserver/natstest"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// letter is what tests look at of a dead letter.
type letter struct {
	Sequence                    uint64
	Stream, Tenant, Type, Event string
	Outcome, Reason             string
}

// spoil publishes an event of contoso whose data nobody can use.
func (h *house) spoil(t *testing.T, id, subject, eventType string) {
	t.Helper()
	ev, err := event.New(eventType, event.Meta{ID: id, Source: event.DirectorySource("contoso"), Time: time.Now(), Tenant: "contoso"},
		map[string]any{"stamp": "yesterday", "product": 7})
	fatal(t, err)
	_, err = h.bus(t).Publish(t.Context(), subject, ev)
	fatal(t, err)
}

// awaitLetters waits until so many dead letters of contoso are there.
func (h *house) awaitLetters(t *testing.T, n int) (all []letter) {
	t.Helper()
	eventually(t, fmt.Sprintf("there are %d dead letters", n), func() bool {
		all = ask[[]letter](t, h, "dead-letters", "list", "--tenant", "contoso", "--stream", "LEDGER_IN")
		return len(all) == n
	})
	return all
}

func TestDeadLettersAreListedReplayedAndDropped(t *testing.T) {
	t.Parallel()
	h := open(t, 50*time.Millisecond)
	h.connect(t)
	h.permit(t, nil) // so that the full read cannot make up for it
	h.spoil(t, "page-1", event.DirectorySubject("contoso", "page"), event.TypeDirectoryObserved)
	h.spoil(t, "seats-1", event.CommandSubject("contoso", event.VerbSeats), event.TypeSeatsRequested)
	all := h.awaitLetters(t, 2)
	if one := all[0]; one.Event != "page-1" || one.Stream != bus.LedgerIn || one.Tenant != "contoso" || one.Type != event.TypeDirectoryObserved || !strings.Contains(one.Reason, "not usable") {
		t.Errorf("listed as %+v", one)
	}
	if out := h.must(t, "tenants", "show", "contoso"); !strings.Contains(out, "contoso is STALE since 20") || !strings.Contains(out, "dead-letters list --tenant contoso") {
		t.Errorf("tenants show:\n%s", out)
	}
	if out := h.must(t, "tenants", "list"); !strings.Contains(out, "STALE") {
		t.Errorf("tenants list:\n%s", out)
	}
	h.permit(t, control.DefaultPermissions())
	eventually(t, "the full read has made up for it", func() bool { return !strings.Contains(h.must(t, "tenants", "list"), "STALE") })

	if out := h.must(t, "dead-letters", "list"); !strings.HasPrefix(out, "SEQUENCE  TIME") || strings.Count(out, "\n") != 3 {
		t.Errorf("table:\n%s", out)
	}
	if out := h.must(t, "dead-letters", "list", "-o", "csv"); !strings.HasPrefix(out, "sequence,time,stream,tenant,type,event,deliveries,reason,consumer,stream_sequence,subject\n") {
		t.Errorf("CSV:\n%s", out)
	}
	shown := ask[struct{ Body struct{ ID string } }](t, h, "dead-letters", "show", fmt.Sprint(all[0].Sequence))
	if out := h.must(t, "dead-letters", "show", fmt.Sprint(all[0].Sequence)); shown.Body.ID != "page-1" || !strings.Contains(out, `"stamp": "yesterday"`) || !strings.Contains(out, "given up") {
		t.Errorf("shown as %+v\n%s", shown, out)
	}

	out, stderr, code := h.run(t, "dead-letters", "replay", "--all", "--tenant", "contoso")
	if code != 1 || stderr != "" || strings.Count(out, "replayed ") != 1 || !strings.Contains(out, "left ") || !strings.Contains(out, "name it to replay it") {
		t.Errorf("replay --all: %d %s\n%s", code, stderr, out)
	}
	again := h.awaitLetters(t, 2) // it is no better than it was
	if again[0] != all[1] || again[1].Event != "page-1" || again[1].Sequence <= all[1].Sequence {
		t.Errorf("after the replay: %+v", again)
	}
	seats := fmt.Sprint(all[1].Sequence)
	if one := ask[[]letter](t, h, "dead-letters", "replay", seats); len(one) != 1 || one[0].Outcome != "replayed" || one[0].Event != "seats-1" {
		t.Errorf("replayed: %+v", one)
	}
	for _, command := range [][]string{{"show", seats}, {"replay", seats}, {"drop", seats, "--reason", "done"}} {
		if _, stderr, code := h.run(t, append([]string{"dead-letters"}, command...)...); code != 1 || !strings.Contains(stderr, "there is no such dead letter") {
			t.Errorf("%v: %d %s", command, code, stderr)
		}
	}
	for _, one := range h.awaitLetters(t, 2) {
		out, stderr, code := h.run(t, "dead-letters", "drop", fmt.Sprint(one.Sequence), "--reason", "of no use", "--by", "ada")
		if code != 0 || !strings.Contains(out, "is dropped") || !strings.Contains(stderr, `by=ada reason="of no use"`) || !strings.Contains(stderr, "event="+one.Event) {
			t.Errorf("drop: %d %s%s", code, stderr, out)
		}
	}
	if out := h.must(t, "dead-letters", "list", "-o", "json"); strings.TrimSpace(out) != "[]" {
		t.Errorf("left:\n%s", out)
	}
}

// TestWhoMayNotSeeDeadLettersIsTold: the server does not answer what it refuses.
func TestWhoMayNotSeeDeadLettersIsTold(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t)
	fatal(t, s.Bus("operator", bus.Config{}).EnsureTopology(t.Context()))
	args := []string{"dead-letters", "list", "--nats", s.URL(), "--nats-user", "worker", "--nats-password-file", s.PasswordFile("worker")}
	if _, stderr, code := run(t, args...); code != 1 || !strings.Contains(stderr, "the NATS user has not the right") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("%d: %s", code, stderr)
	}
}
