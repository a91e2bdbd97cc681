package bus_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/event"
)

func TestPublishIsStructuredAndDeduplicated(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	ev := note(t, "contoso", "id-1", 1)
	first, err := b.Publish(t.Context(), "directory.contoso.round", ev)
	if err != nil || first.Duplicate {
		t.Fatalf("%+v, %v", first, err)
	}
	again, err := b.Publish(t.Context(), "directory.contoso.round", ev)
	if err != nil || !again.Duplicate || again.Sequence != first.Sequence {
		t.Errorf("second publish: %+v, %v", again, err)
	}
	third, err := b.Publish(t.Context(), "directory.contoso.round", ev, bus.WithoutDeduplication())
	if err != nil || third.Duplicate || third.Sequence != first.Sequence+1 {
		t.Errorf("without deduplication: %+v, %v", third, err)
	}
	s, err := b.JetStream().Stream(t.Context(), bus.LedgerIn)
	if err != nil {
		t.Fatal(err)
	}
	msg, err := s.GetMsg(t.Context(), first.Sequence)
	if err != nil {
		t.Fatal(err)
	}
	if got := msg.Header.Get("Content-Type"); got != event.ContentType {
		t.Errorf("content type %q", got)
	}
	if got := msg.Header.Get("Nats-Msg-Id"); got != "id-1" {
		t.Errorf("message id %q", got)
	}
	if _, err := event.Decode(msg.Data); err != nil {
		t.Error(err)
	}
}

func TestPublishExpectingASequence(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	if _, err := b.Publish(t.Context(), "license.t.p.policy", note(t, "t", "1", 1), bus.ExpectLastSequence(0)); err != nil {
		t.Fatal(err)
	}
	_, err := b.Publish(t.Context(), "license.t.p.policy", note(t, "t", "2", 2), bus.ExpectLastSequence(0))
	if !errors.Is(err, bus.ErrUnexpectedSequence) {
		t.Errorf("wrong expectation: %v", err)
	}
}

func TestPublishBatchIsAllOrNothing(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	last, err := b.PublishBatch(t.Context(), batch(t, 1, 600), 0)
	if err != nil || last != 600 {
		t.Fatalf("last %d, %v", last, err)
	}
	if last, err = b.PublishBatch(t.Context(), batch(t, 601, 601), 600); err != nil || last != 601 {
		t.Fatalf("batch of one: last %d, %v", last, err)
	}
	for name, c := range map[string]struct {
		msgs   []bus.Outgoing
		expect uint64
		want   error
	}{
		"behind":            {batch(t, 700, 710), 600, bus.ErrUnexpectedSequence},
		"ahead":             {batch(t, 700, 710), 700, bus.ErrUnexpectedSequence},
		"one, behind":       {batch(t, 700, 700), 600, bus.ErrUnexpectedSequence},
		"known id":          {batch(t, 600, 610), 601, bus.ErrDuplicate},
		"one, known id":     {batch(t, 601, 601), 601, bus.ErrDuplicate},
		"no such stream":    {[]bus.Outgoing{{Subject: "nowhere.1"}, {Subject: "nowhere.2"}}, 0, bus.ErrUnavailable},
		"one, no such":      {[]bus.Outgoing{{Subject: "nowhere.1"}}, 0, bus.ErrUnavailable},
		"empty":             {nil, 601, nil},
		"larger than bound": {batch(t, 1000, 2000), 601, nil},
	} {
		_, err := b.PublishBatch(t.Context(), c.msgs, c.expect)
		if err == nil || (c.want != nil && !errors.Is(err, c.want)) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if got := streamInfo(t, b, bus.Licenses).State.LastSeq; got != 601 {
		t.Errorf("refused batches left something: last sequence %d", got)
	}
}

func TestPublishToAFullStreamIsUnavailable(t *testing.T) {
	t.Parallel()
	b := bustest.StartServer(t).Bus(bus.Config{LedgerInMaxBytes: 2000})
	var err error
	for n := 0; err == nil && n < 100; n++ {
		_, err = b.Publish(t.Context(), "directory.contoso.round", note(t, "contoso", fmt.Sprint(n), n))
	}
	if !errors.Is(err, bus.ErrUnavailable) {
		t.Errorf("full stream: %v", err)
	}
	if last := streamInfo(t, b, bus.LedgerIn).State.FirstSeq; last != 1 {
		t.Errorf("a full LEDGER_IN dropped messages: first is %d", last)
	}
}

func TestPublishWithoutNATSIsUnavailable(t *testing.T) {
	t.Parallel()
	s := bustest.StartServer(t)
	b := s.Bus(bus.Config{})
	s.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := b.Publish(ctx, "directory.contoso.round", note(t, "contoso", "1", 1)); !errors.Is(err, bus.ErrUnavailable) {
		t.Errorf("server away: %v", err)
	}
	b.JetStream().Conn().Close()
	if _, err := b.Publish(t.Context(), "directory.contoso.round", note(t, "contoso", "1", 1)); !errors.Is(err, bus.ErrUnavailable) {
		t.Errorf("connection closed: %v", err)
	}
	if _, err := b.PublishBatch(t.Context(), batch(t, 1, 3), 0); !errors.Is(err, bus.ErrUnavailable) {
		t.Errorf("batch, connection closed: %v", err)
	}
}

func TestACallersCancellationIsNotUnavailable(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.Publish(ctx, "directory.contoso.round", note(t, "contoso", "1", 1))
	if !errors.Is(err, context.Canceled) || errors.Is(err, bus.ErrUnavailable) {
		t.Errorf("canceled: %v", err)
	}
}

func batch(tb testing.TB, from, to int) []bus.Outgoing {
	tb.Helper()
	var msgs []bus.Outgoing
	for n := from; n <= to; n++ {
		id := event.LicenseID("t", "p", uint64(n))
		body, err := event.Encode(note(tb, "t", id, n))
		if err != nil {
			tb.Fatal(err)
		}
		msgs = append(msgs, bus.Outgoing{Subject: event.LicenseSubject("t", "p", fmt.Sprint(n)), ID: id, Body: body})
	}
	return msgs
}

// BenchmarkPublish compares single publishes with atomic batches, each message written to disk before its ack.
func BenchmarkPublish(b *testing.B) {
	for _, size := range []int{1, 10, 32, 100, 1000} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			queue := bustest.New(b, bustest.SyncAlways())
			last := uint64(0)
			for b.Loop() {
				msgs := batch(b, int(last)+1, int(last)+size)
				var err error
				if last, err = queue.PublishBatch(b.Context(), msgs, last); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(last)/b.Elapsed().Seconds(), "msgs/s")
		})
	}
}
