package bus_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/event"
)

// letters are all that there are, of one stream and tenant where these are named.
func letters(tb testing.TB, b *bus.Bus, stream, tenant string) (all []bus.Letter) {
	tb.Helper()
	if err := b.Letters(tb.Context(), stream, tenant, func(l bus.Letter) error {
		all = append(all, l)
		return nil
	}); err != nil {
		tb.Fatal(err)
	}
	return all
}

// giveUp has a consumer reject what is on a stream until it has rejected n messages.
func giveUp(tb testing.TB, b *bus.Bus, stream string, n int) {
	tb.Helper()
	settled := make(chan bus.Settled, 100)
	observed, err := bus.New(b.JetStream().Conn(), bus.Config{Partitions: bustest.Partitions, Observe: func(s bus.Settled) { settled <- s }})
	if err != nil {
		tb.Fatal(err)
	}
	stop := consume(tb, observed, bus.Consumer{Stream: stream, Durable: "critic"}, func(context.Context, bus.Message) error {
		return bus.Reject(errBroken)
	})
	for range n {
		if s := receive(tb, settled); s.Outcome != bus.DeadLettered {
			tb.Fatalf("it was %s: %v", s.Outcome, s.Err)
		}
	}
	if err := stop(); err != nil {
		tb.Fatal(err)
	}
}

// messages are all that is on a stream.
func messages(tb testing.TB, b *bus.Bus, stream string) (all []bus.Message) {
	tb.Helper()
	if err := b.Read(tb.Context(), bus.ReadSpec{Stream: stream}, func(m bus.Message) error {
		all = append(all, m)
		return nil
	}); err != nil {
		tb.Fatal(err)
	}
	return all
}

func TestLettersAreReplayedWhereTheyCameFrom(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	publish(t, b, "contoso", 1, 1)
	for subject, tenant := range map[string]string{
		event.CommandSubject("initech", "read"): "initech", event.NotificationSubject("initech", "entra"): "initech",
	} {
		if _, err := b.Publish(t.Context(), subject, note(t, tenant, subject, 7)); err != nil {
			t.Fatal(err)
		}
	}
	giveUp(t, b, bus.LedgerIn, 2)
	giveUp(t, b, bus.Notifications, 1)
	if n := len(letters(t, b, "", "initech")); n != 2 {
		t.Errorf("%d letters of a tenant", n)
	}
	if n := len(letters(t, b, bus.LedgerIn, "")); n != 2 {
		t.Errorf("%d letters of a stream", n)
	}
	for _, l := range letters(t, b, "", "") {
		one, err := b.Letter(t.Context(), l.Number)
		if err != nil || one.Fault != nil || one.EventID != l.EventID || one.Type != event.TypeRoundEnded || one.Reason != "rejected: broken" {
			t.Errorf("letter %d: %+v, %v", l.Number, one, err)
		}
		before := messages(t, b, l.Stream)
		for i, again := range []bool{false, true} { // the second time it is known that it was replayed
			ack, err := b.Replay(t.Context(), one)
			if err != nil || ack.Duplicate != again {
				t.Fatalf("replay %d: %+v, %v", i, ack, err)
			}
		}
		after := messages(t, b, l.Stream)
		if len(after) != len(before)+1 {
			t.Fatalf("%d messages on %s, before the replay %d", len(after), l.Stream, len(before))
		}
		original, copied := before[l.Sequence-1], after[len(after)-1]
		if copied.Subject != original.Subject || string(copied.Body) != string(original.Body) || copied.Event.ID() != l.EventID {
			t.Errorf("replayed on %s: %s", copied.Subject, copied.Body)
		}
		for _, want := range []error{nil, bus.ErrNoLetter} {
			if err := b.DropLetter(t.Context(), one); !errors.Is(err, want) {
				t.Errorf("drop it: %v, want %v", err, want)
			}
		}
		if _, err := b.Letter(t.Context(), l.Number); !errors.Is(err, bus.ErrNoLetter) {
			t.Errorf("dropped: %v", err)
		}
	}
	if left := letters(t, b, "", ""); len(left) != 0 {
		t.Errorf("left: %+v", left)
	}
}

// A message in binary mode has its attributes in headers, which the letter does not hold; one that is gone from its stream
// is replayed from the letter.
func TestAReplayNeedsTheMessageOrAWholeCopy(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	binary := nats.NewMsg(event.DirectorySubject("contoso", "round"))
	binary.Header = nats.Header{
		"ce-specversion": {"1.0"}, "ce-id": {"b"}, "ce-source": {"urn:x"}, "ce-type": {"t"}, "ce-partitionkey": {"contoso"},
		"Nats-Msg-Id": {"b"}, "content-type": {"application/json"},
	}
	binary.Data = []byte(`{"requests":1}`)
	large := nats.NewMsg(event.DirectorySubject("contoso", "page"))
	large.Data = []byte(`{"specversion":"1.0","id":"l","source":"urn:x","type":"t","partitionkey":"contoso","data":"` + strings.Repeat("<", 200*1024) + `"}`)
	for _, msg := range []*nats.Msg{binary, large} {
		if _, err := b.JetStream().PublishMsg(t.Context(), msg); err != nil {
			t.Fatal(err)
		}
	}
	publish(t, b, "contoso", 1, 1)
	giveUp(t, b, bus.LedgerIn, 3)
	all := letters(t, b, "", "")
	for _, l := range all {
		body, err := b.LetterBody(t.Context(), l)
		if _, replayed := b.Replay(t.Context(), l); replayed != nil || err != nil || len(body) == 0 {
			t.Errorf("%s: %v, %d bytes, %v", l.EventID, replayed, len(body), err)
		}
	}
	stored := messages(t, b, bus.LedgerIn)
	if len(stored) != 6 || stored[3].Event.ID() != "b" || string(stored[3].Event.Data()) != `{"requests":1}` || stored[4].Event.ID() != "l" {
		t.Errorf("%d messages after three replays", len(stored))
	}
	s, err := b.JetStream().Stream(t.Context(), bus.LedgerIn)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, want := range []error{bus.ErrNotReplayable, bus.ErrNotReplayable, nil} {
		if _, err := b.Replay(t.Context(), all[i]); !errors.Is(err, want) {
			t.Errorf("%s, after the stream has forgotten it: %v, want %v", all[i].EventID, err, want)
		}
	}
	if body, err := b.LetterBody(t.Context(), all[0]); err != nil || string(body) != `{"requests":1}` {
		t.Errorf("what is left of it: %s, %v", body, err)
	}
}

// Whoever may give up messages can write to DEAD_LETTERS: a letter leads nowhere that its subject does not name.
func TestWhatIsNoLetterIsShownAndNotReplayed(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	inner := `{"specversion":"1.0","id":"e","source":"urn:x","type":"t","partitionkey":"contoso"}`
	forged := func(stream, subject string) event.Event {
		ev, err := event.New(event.TypeDeadLetter, event.Meta{ID: subject, Source: event.DeadLetterSource(stream), Tenant: "contoso"},
			event.DeadLetter{Stream: stream, Sequence: 1, Subject: subject, Consumer: "c", Deliveries: 1, Reason: "r", Event: []byte(inner)})
		if err != nil {
			t.Fatal(err)
		}
		return ev
	}
	for _, c := range []struct {
		subject string
		ev      event.Event
	}{
		{"dead.LEDGER_IN.contoso", note(t, "contoso", "1", 1)},
		{"dead.LEDGER_IN.contoso", forged(bus.LedgerIn, "directory.1.initech.page")},
		{"dead.LEDGER_IN.contoso", forged(bus.Notifications, "notification.1.entra.contoso")},
		{"dead.LEDGER_IN.contoso", forged(bus.LedgerIn, "license.1.contoso.page")},
		{"dead.LEDGER_IN.contoso", forged(bus.LedgerIn, "directory.1.contoso.>")},
		{"dead.LICENSES.contoso", forged(bus.Licenses, "license.contoso.p.policy")},
		{"dead.LEDGER_IN.unknown", forged(bus.LedgerIn, "directory")},
	} {
		ack, err := b.Publish(t.Context(), c.subject, c.ev, bus.WithoutDeduplication())
		if err != nil {
			t.Fatal(err)
		}
		l, err := b.Letter(t.Context(), ack.Sequence)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Replay(t.Context(), l); !errors.Is(err, bus.ErrNotReplayable) {
			t.Errorf("%s: %v", c.ev.ID(), err)
		}
		if err := b.DropLetter(t.Context(), l); err != nil {
			t.Error(err)
		}
	}
	if diff := cmp.Diff(0, len(messages(t, b, bus.LedgerIn))+len(messages(t, b, bus.Licenses))+len(messages(t, b, bus.Notifications))); diff != "" {
		t.Error(diff)
	}
}

func TestAReplayIntoAFullStreamSaysSo(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	publish(t, b, "contoso", 1, 1)
	giveUp(t, b, bus.LedgerIn, 1)
	s, err := b.JetStream().Stream(t.Context(), bus.LedgerIn)
	if err != nil {
		t.Fatal(err)
	}
	cfg := s.CachedInfo().Config
	cfg.MaxBytes = int64(s.CachedInfo().State.Bytes) + 1
	if _, err := b.JetStream().UpdateStream(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	l := letters(t, b, "", "")[0]
	if _, err := b.Replay(t.Context(), l); !errors.Is(err, bus.ErrFull) || !errors.Is(err, bus.ErrUnavailable) {
		t.Errorf("replay: %v", err)
	}
	if _, err := b.Letter(t.Context(), l.Number); err != nil {
		t.Error(err)
	}
	if _, err := b.Letter(t.Context(), 99); !errors.Is(err, bus.ErrNoLetter) || errors.Is(err, jetstream.ErrMsgNotFound) {
		t.Errorf("a letter that never was: %v", err)
	}
}
