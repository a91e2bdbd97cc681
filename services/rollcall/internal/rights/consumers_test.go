package rights

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/license"
	"github.com/rollcall-hq/rollcall/services/internal/erase"
	"github.com/rollcall-hq/rollcall/services/internal/natsserver/natstest"
)

// A consumer has everything that package license can do, and the bucket: of all tenants, or of one.
func TestAConsumerReads(t *testing.T) {
	t.Parallel()
	for _, user := range []string{"consumer", "consumer-contoso"} {
		t.Run(user, func(t *testing.T) {
			t.Parallel()
			open(t).reads(t, user)
		})
	}
}

func (h *house) reads(t *testing.T, user string) {
	t.Helper()
	nc := h.server.Connect(user)
	client, err := license.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	h.publish("contoso", 41)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for name, read := range map[string]func(func(license.Event)) error{
		"replay": func(fn func(license.Event)) error {
			return client.Replay(ctx, license.Options{Tenant: "contoso", Follow: true}, stopAt(41, fn))
		},
		"from a sequence": func(fn func(license.Event)) error {
			return client.Replay(ctx, license.Options{Tenant: "contoso", Product: "p", FromSequence: 41, Follow: true}, stopAt(41, fn))
		},
		"durable": func(fn func(license.Event)) error {
			return client.Subscribe(ctx, license.Options{Tenant: "contoso", Product: "p", FromSequence: 1, Durable: "billing"}, stopAt(41, fn))
		},
	} {
		var last license.Event
		if err := read(func(e license.Event) { last = e }); err == nil || err.Error() != "enough" || last.Sequence != 41 {
			t.Errorf("%s: %v, up to %d", name, err, last.Sequence)
		}
	}
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	kv, err := js.KeyValue(ctx, bus.BucketEntitlements)
	if err != nil {
		t.Fatal(err)
	}
	watch, err := kv.Watch(ctx, "contoso.p.u41")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = watch.Stop() }()
	for entry := range watch.Updates() {
		if entry == nil {
			continue
		}
		if e, err := license.Decode(entry.Value()); err != nil || e.Sequence != 41 {
			t.Errorf("the bucket says %+v, %v", e, err)
		}
		break
	}
	if _, err := kv.Put(ctx, "contoso.p.u41", []byte("{}")); err == nil {
		t.Error("a consumer has written an entitlement")
	}
}

func stopAt(n uint64, fn func(license.Event)) license.Handler {
	return func(_ context.Context, e license.Event) error {
		if fn(e); e.Sequence == n {
			return fmt.Errorf("enough")
		}
		return nil
	}
}

// TestAConsumerOfOneTenantSeesNoOther: what it reads from holds nothing else.
func TestAConsumerOfOneTenantSeesNoOther(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.publish("initech", 41)
	h.publish("contoso", 41)
	copies := h.server.Bus("contoso-operator", bus.Config{})
	h.settled(copies)
	for stream, prefix := range map[string]string{bus.Licenses: "license.contoso.", "KV_" + bus.BucketEntitlements: "$KV.entitlements.contoso."} {
		s, err := copies.JetStream().Stream(t.Context(), stream)
		if err != nil {
			t.Fatal(err)
		}
		info, err := s.Info(t.Context(), jetstream.WithSubjectFilter(">"))
		if err != nil || len(info.State.Subjects) != 41 {
			t.Fatalf("%s holds %d subjects, %v", stream, len(info.State.Subjects), err)
		}
		for subject := range info.State.Subjects {
			if !strings.HasPrefix(subject, prefix) {
				t.Errorf("%s holds %s", stream, subject)
			}
		}
	}
	client, err := license.New(h.server.Connect("consumer-contoso"))
	if err != nil {
		t.Fatal(err)
	}
	err = client.Replay(t.Context(), license.Options{Tenant: "initech"}, func(_ context.Context, e license.Event) error {
		t.Errorf("it is told of %+v", e)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// A tenant's name must not be a wildcard.
func TestCopiesAreOfOneTenant(t *testing.T) {
	t.Parallel()
	b := natstest.Start(t).Bus("contoso-operator", bus.Config{})
	for _, name := range []string{"", "*", ">", "contoso.>", "Contoso"} {
		if err := b.EnsureCopiesOf(t.Context(), name); err == nil || !strings.Contains(err.Error(), "want the id of one") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func (h *house) ask(nc *nats.Conn, subject string, request any) string {
	h.t.Helper()
	body, err := json.Marshal(request)
	if err != nil {
		h.t.Fatal(err)
	}
	answer, err := nc.Request(subject, body, patience)
	if err != nil {
		h.t.Fatal(err)
	}
	return string(answer.Data)
}

// Who may create a consumer can have the server deliver to any subject of the account. In that of the consumers nothing
// listens: neither the record nor the entitlements change.
func TestDeliveriesOfConsumersWriteNothing(t *testing.T) {
	t.Parallel()
	h := open(t)
	record, copies := h.server.Bus("operator", bus.Config{}), h.server.Bus("readers-operator", bus.Config{})
	h.settled(copies)
	nc := h.server.Connect("consumer")
	for i, deliver := range []string{"license.initech.p.user.u2", entitlement, "$KV.entitlements.initech.p.u1", "directory.contoso.page", "command.contoso.refresh"} {
		name := fmt.Sprintf("push-%d", i)
		answer := h.ask(nc, "$JS.API.CONSUMER.CREATE.LICENSES."+name+".license.contoso.p.user.u1", map[string]any{
			"stream_name": "LICENSES", "action": "create",
			"config": map[string]any{"name": name, "filter_subject": "license.contoso.p.user.u1", "deliver_subject": deliver, "ack_policy": "none"},
		})
		if strings.Contains(answer, `"error"`) {
			t.Fatalf("it cannot even be tried: %s", answer)
		}
	}
	h.publish("contoso", 41) // what was delivered before this would be stored before it
	h.settled(copies)
	for of, b := range map[string]*bus.Bus{"the record": record, "the copy": copies} {
		for _, stream := range []string{bus.Licenses, "KV_" + bus.BucketEntitlements} {
			info, err := b.StreamInfo(t.Context(), stream)
			if err != nil || info.State.Msgs != 81 || info.State.LastSeq != 81 {
				t.Errorf("%s of %s holds %d messages up to %d, %v", of, stream, info.State.Msgs, info.State.LastSeq, err)
			}
		}
	}
	if info, err := record.StreamInfo(t.Context(), bus.LedgerIn); err != nil || info.State.LastSeq != 0 {
		t.Errorf("LEDGER_IN holds something: %v", err)
	}
}

// settled waits until the copies hold what was published.
func (h *house) settled(copies *bus.Bus) {
	h.t.Helper()
	late := time.After(patience)
	for {
		kv, err := copies.StreamInfo(h.t.Context(), "KV_"+bus.BucketEntitlements)
		record, errs := copies.StreamInfo(h.t.Context(), bus.Licenses)
		if err == nil && errs == nil && kv.State.LastSeq == h.last && record.State.LastSeq == h.last {
			return
		}
		select {
		case <-late:
			h.t.Fatal("the copies stay behind")
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// The operator's commands run with its user.
func TestTheOperator(t *testing.T) {
	t.Parallel()
	h := open(t)
	b := h.server.Bus("operator", bus.Config{})
	kv, err := b.KeyValue(t.Context(), bus.BucketTenants)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Create(t.Context(), "contoso", []byte("{}")); err != nil {
		t.Error(err)
	}
	ev, err := event.New(event.TypeRefreshRequested, event.Meta{
		ID: "r1", Source: event.CommandSource("contoso"), Time: time.Now(), Tenant: "contoso",
	}, event.RefreshRequested{RequestedBy: "cli"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Publish(t.Context(), event.CommandSubject("contoso", "refresh"), ev); err != nil {
		t.Error(err)
	}
	for stream, want := range map[string]int{bus.Licenses: 80, bus.LedgerIn: 1} {
		n := 0
		err := b.Read(t.Context(), bus.ReadSpec{Stream: stream}, func(bus.Message) error { n++; return nil })
		if err != nil || n != want {
			t.Errorf("%s: %d messages, %v", stream, n, err)
		}
	}
}

// What the operator erases, it may.
func TestTheOperatorErases(t *testing.T) {
	t.Parallel()
	h := open(t)
	b := h.server.Bus("operator", bus.Config{})
	for bucket, key := range map[string]string{bus.BucketCursors: "contoso.feeds", bus.BucketChannels: "contoso.c"} {
		kv, err := b.KeyValue(t.Context(), bucket)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := kv.Put(t.Context(), key, []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	if err := erase.Tenant(t.Context(), b, "contoso", erase.Any); err != nil {
		t.Error(err)
	}
	for _, bucket := range []string{bus.BucketCursors, bus.BucketChannels} {
		kv, err := b.KeyValue(t.Context(), bucket)
		if err != nil {
			t.Fatal(err)
		}
		if keys, err := kv.Keys(t.Context()); !errors.Is(err, jetstream.ErrNoKeysFound) {
			t.Errorf("%s holds %v, %v", bucket, keys, err)
		}
	}
}
