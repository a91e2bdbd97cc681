package rights

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
)

// What a role gives up, the operator can look at, replay and drop, and no role that the message is not of.
func TestTheOperatorReplaysDeadLetters(t *testing.T) {
	t.Parallel()
	h := open(t)
	cfg := bus.Config{Partitions: 4}
	receiver := h.server.Bus("graph-receiver", cfg)
	for subject, source := range map[string]string{
		event.DirectorySubject("contoso", "round"):          event.DirectorySource("contoso"),
		event.NotificationSubject("contoso", "entra"):       "urn:rollcall:notification:contoso",
		event.CommandSubject("contoso", event.VerbAnswered): event.CommandSource("contoso"),
	} {
		from := receiver
		if subject == event.CommandSubject("contoso", event.VerbAnswered) {
			from = h.worker
		}
		ev, err := event.New(event.TypeRoundEnded, event.Meta{ID: subject, Source: source, Time: time.Now(), Tenant: "contoso"}, event.RoundEnded{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := from.Publish(t.Context(), subject, ev); err != nil {
			t.Fatal(err)
		}
	}
	for _, stream := range []string{bus.LedgerIn, bus.Notifications} {
		h.giveUp(t, receiver, stream)
	}
	operator, n := h.server.Bus("operator", cfg), 0
	err := operator.Letters(t.Context(), "", "contoso", func(l bus.Letter) error {
		n++
		if _, err := operator.Replay(t.Context(), l); err != nil {
			t.Errorf("replay what came on %s: %v", l.Subject, err)
		}
		return operator.DropLetter(t.Context(), l)
	})
	if err != nil || n != 3 {
		t.Errorf("%d letters, %v", n, err)
	}
	nc := h.server.Connect("worker", nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	worker, err := bus.New(nc, cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := worker.Letter(ctx, 1); !errors.Is(err, bus.ErrUnavailable) || !errors.Is(nc.LastError(), nats.ErrPermissionViolation) {
		t.Errorf("a worker looks at dead letters: %v, %v", err, nc.LastError())
	}
}

// giveUp has a role give up all that is on a stream.
func (h *house) giveUp(t *testing.T, b *bus.Bus, stream string) {
	t.Helper()
	info, err := b.StreamInfo(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	left := info.State.Msgs
	err = b.Consume(ctx, bus.Consumer{Stream: stream, Durable: "critic"}, func(context.Context, bus.Message) error {
		if left--; left == 0 {
			cancel()
		}
		return bus.Reject(errors.New("not today"))
	})
	if err != nil || left != 0 {
		t.Fatalf("%d messages left on %s, %v", left, stream, err)
	}
}
