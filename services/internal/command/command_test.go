package command_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/command"
)

func TestMain(m *testing.M) { bustest.VerifyNoLeaks(m) }

// worker answers every command of the tenant contoso with what say makes of it, until the test ends.
func worker(t *testing.T, b *bus.Bus, say func(event.Event) event.Answered) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	t.Cleanup(func() { cancel(); <-done })
	go func() {
		defer close(done)
		_ = b.Read(ctx, bus.ReadSpec{Stream: bus.LedgerIn, Filters: []string{"command.*.contoso.*"}, Follow: true}, func(m bus.Message) error {
			if m.Event.Type() == event.TypeAnswered {
				return nil
			}
			answer := say(m.Event)
			answer.Command = m.Event.ID()
			return tell(ctx, b, "contoso", answer)
		})
	}()
}

func tell(ctx context.Context, b *bus.Bus, tenant string, answer event.Answered) error {
	ev, err := event.New(event.TypeAnswered, event.Meta{
		ID: answer.Command + ".answered", Source: event.CommandSource(tenant), Time: time.Now(), Tenant: tenant, Cause: answer.Command,
	}, answer)
	if err != nil {
		return err
	}
	_, err = b.Publish(ctx, event.CommandSubject(tenant, event.VerbAnswered), ev)
	return err
}

func done(event.Event) event.Answered { return event.Answered{Outcome: event.OutcomeDone} }

func TestCommandsAreAnswered(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	var seen []string // by the worker, one after the other
	worker(t, b, func(ev event.Event) event.Answered {
		seen = append(seen, ev.ID()+" "+ev.Type()+" "+string(ev.Data()))
		return done(ev)
	})
	c := command.New(b, clock.System())
	seats, yes := 40, true
	for i, data := range []any{
		event.ApproveRequested{Product: "p", Held: "flip-7", Revision: 2, By: "ada"},
		event.RejectRequested{Product: "p", Held: "flip-7", By: "ada"},
		event.SeatsRequested{Product: "p", Purchased: &seats, By: "ada"},
		event.SettingsRequested{Frozen: &yes, By: "ada"},
		event.DisconnectRequested{Licenses: event.LicensesKeep, By: "ada"},
		event.ConnectRequested{By: "ada"},
		event.EraseRequested{By: "ada"},
		event.ActivationReported{Product: "p", User: "u", At: time.Unix(1, 0).UTC(), By: "ada"},
	} {
		key := string(rune('a' + i))
		if answer, err := c.Do(t.Context(), "contoso", key, data); err != nil || !strings.HasSuffix(answer.Command, "."+key) {
			t.Errorf("%T: %+v, %v", data, answer, err)
		}
	}
	want := []string{
		`contoso.approve.a io.rollcall.command.approve-requested.v1 {"product":"p","held":"flip-7","revision":2,"by":"ada"}`,
		`contoso.reject.b io.rollcall.command.reject-requested.v1 {"product":"p","held":"flip-7","by":"ada"}`,
		`contoso.seats.c io.rollcall.command.seats-requested.v1 {"product":"p","purchased":40,"by":"ada"}`,
		`contoso.settings.d io.rollcall.command.settings-requested.v1 {"frozen":true,"by":"ada"}`,
		`contoso.disconnect.e io.rollcall.command.disconnect-requested.v1 {"licenses":"keep","by":"ada"}`,
		`contoso.connect.f io.rollcall.command.connect-requested.v1 {"by":"ada"}`,
		`contoso.erase.g io.rollcall.command.erase-requested.v1 {"by":"ada"}`,
		`contoso.activation.h io.rollcall.command.activation-reported.v1 {"product":"p","user":"u","at":"1970-01-01T00:00:01Z","by":"ada"}`,
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("what the worker saw (-want +got):\n%s", diff)
	}
}

func TestRefusalsAreErrors(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	changes := []event.HeldUser{{User: "u1", Listed: true, Reason: "not-a-member"}}
	worker(t, b, func(ev event.Event) event.Answered {
		if ev.Type() == event.TypeRejectRequested {
			return event.Answered{Outcome: event.OutcomeRefused, Code: event.CodeNotOpen}
		}
		return event.Answered{Outcome: event.OutcomeRefused, Code: event.CodeRevision, Message: "it has changed", Held: "flip-7", Revision: 9, Changes: changes}
	})
	c := command.New(b, clock.System())
	_, err := c.Do(t.Context(), "contoso", "", event.ApproveRequested{Product: "p", Held: "flip-7", Revision: 8, By: "ada"})
	refused, ok := errors.AsType[*command.Refused](err)
	if !ok || err.Error() != "refused: it has changed" || refused.Answer.Revision != 9 || len(refused.Answer.Changes) != 1 {
		t.Errorf("approve: %v, %+v", err, refused)
	}
	_, err = c.Do(t.Context(), "contoso", "", event.RejectRequested{Product: "p", Held: "flip-7", By: "ada"})
	if err == nil || err.Error() != "refused: it is not open any more" {
		t.Errorf("reject: %v", err)
	}
}

// TestAKeyCountsOnce: a second command under the same key is the first one, and must be the same.
func TestAKeyCountsOnce(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	n := 0
	worker(t, b, func(event.Event) event.Answered {
		n++
		return event.Answered{Outcome: event.OutcomeDone, Revision: n}
	})
	c := command.New(b, clock.System())
	for range 2 {
		answer, err := c.Do(t.Context(), "contoso", "k", event.ConnectRequested{By: "ada"})
		if err != nil || answer.Revision != 1 {
			t.Errorf("%+v, %v", answer, err)
		}
	}
	if _, err := c.Do(t.Context(), "contoso", "k", event.ConnectRequested{By: "grace"}); !errors.Is(err, command.ErrKeyUsed) {
		t.Errorf("another one's command under the key: %v", err)
	}
	if _, err := c.Do(t.Context(), "contoso", "other", event.ConnectRequested{By: "grace"}); err != nil || n != 2 {
		t.Errorf("another key: %v, %d commands", err, n)
	}
}

// TestAKeyCountsOnceForLong: behind the time for which the server remembers ids, the stream does.
func TestAKeyCountsOnceForLong(t *testing.T) {
	t.Parallel()
	b := bustest.StartServer(t).Bus(bus.Config{Duplicates: 100 * time.Millisecond})
	c := command.New(b, clock.System())
	first, err := c.Send(t.Context(), "contoso", "k", event.ConnectRequested{By: "ada"})
	if err != nil {
		t.Fatal(err)
	}
	forgotten := time.After(300 * time.Millisecond)
	if _, err := c.Send(t.Context(), "contoso", "other", event.ConnectRequested{By: "ada"}); err != nil {
		t.Fatal(err)
	}
	<-forgotten
	again, err := c.Send(t.Context(), "contoso", "k", event.ConnectRequested{By: "ada"})
	if err != nil || again.Sequence != first.Sequence {
		t.Errorf("%+v, and again %+v, %v", first, again, err)
	}
}

// TestAnswersOfOthersAreNotTaken: neither of another command nor of another tenant with the same key.
func TestAnswersOfOthersAreNotTaken(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	c := command.New(b, clock.System())
	mine, err := c.Send(t.Context(), "contoso", "k", event.EraseRequested{By: "ada"})
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := c.Send(t.Context(), "fabrikam", "k", event.EraseRequested{By: "ada"})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []struct {
		tenant string
		answer event.Answered
	}{
		{"contoso", event.Answered{Command: "contoso.erase.other", Outcome: event.OutcomeDone, Revision: 1}},
		{"fabrikam", event.Answered{Command: theirs.ID, Outcome: event.OutcomeDone, Revision: 2}},
		{"contoso", event.Answered{Command: mine.ID, Outcome: event.OutcomeDone, Revision: 3}},
	} {
		if err := tell(t.Context(), b, a.tenant, a.answer); err != nil {
			t.Fatal(err)
		}
	}
	if answer, err := c.Wait(t.Context(), mine); err != nil || answer.Revision != 3 {
		t.Errorf("%+v, %v", answer, err)
	}
}

func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	c := command.New(b, clock.System())
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	sent, err := c.Send(t.Context(), "contoso", "late", event.ConnectRequested{By: "ada"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Wait(ctx, sent); !errors.Is(err, command.ErrNoAnswer) || !strings.Contains(err.Error(), "contoso.connect.late") {
		t.Errorf("%v", err)
	}
	if err := tell(t.Context(), b, "contoso", event.Answered{Command: sent.ID, Outcome: event.OutcomeDone}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Do(t.Context(), "contoso", "late", event.ConnectRequested{By: "ada"}); err != nil {
		t.Errorf("asked again once it was answered: %v", err)
	}
}

func TestWhatIsNoCommandIsNotSent(t *testing.T) {
	t.Parallel()
	c := command.New(bustest.New(t), clock.System())
	for name, one := range map[string]struct {
		key  string
		data any
	}{
		"an address":         {"k", event.ConnectRequested{By: "ada@contoso.com"}},
		"nobody":             {"k", event.ConnectRequested{}},
		"a refresh by Ada":   {"k", event.RefreshRequested{RequestedBy: "Ada"}},
		"a refresh by mail":  {"k", event.RefreshRequested{RequestedBy: "cli", By: "ada@contoso.com"}},
		"a key with a slash": {"a/b", event.ConnectRequested{By: "ada"}},
		"an answer":          {"k", event.Answered{}},
	} {
		if _, err := c.Send(t.Context(), "contoso", one.key, one.data); !errors.Is(err, command.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
