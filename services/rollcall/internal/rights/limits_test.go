package rights

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/rollcall-hq/rollcall/pkg/bus"
)

// A server answers wherever the asker says, and its answer may be another request. So within an account rights are no wall:
// docs/security.md says what follows. Should one of these come to fail, that page is to be mended: it warns of more than there
// is.

// TestWithinTheAccountRightsAreNoWall: a role has the server publish what it wrote itself where it may not, and delete what
// it may not.
func TestWithinTheAccountRightsAreNoWall(t *testing.T) {
	t.Parallel()
	h := open(t)
	record, nc := h.server.Bus("operator", bus.Config{}), h.server.Connect("graph-receiver")
	answer := h.ask(nc, "$JS.API.CONSUMER.CREATE.LEDGER_IN.forge.directory.*.contoso.page", map[string]any{
		"stream_name": "LEDGER_IN", "action": "create",
		"config": map[string]any{"name": "forge", "durable_name": "forge", "filter_subject": "directory.*.contoso.page", "ack_policy": "explicit"},
	})
	if refused([]byte(answer)) {
		t.Fatal(answer)
	}
	for _, to := range []string{"license.contoso.p.user.u1", "$KV.tenants.contoso"} {
		h.ask(nc, "directory.contoso.page", "whatever it likes")
		h.send(nc, "$JS.API.CONSUMER.MSG.NEXT.LEDGER_IN.forge", to)
	}
	h.until("LICENSES holds what the worker has not published", func() bool { return h.lastOf(record, bus.Licenses) == 81 })
	h.until("the registry holds what the operator has not written", func() bool { return h.lastOf(record, "KV_"+bus.BucketTenants) == 1 })
	h.send(nc, "$JS.API.DIRECT.GET.KV_tenants.$KV.tenants.nobody", "$JS.API.STREAM.DELETE.LICENSES")
	h.until("LICENSES is deleted", func() bool { return h.lastOf(record, bus.Licenses) == 0 })
}

// TestConsumersReachTheirCopiesAlone: consumers can have the copies in their account deleted, which are made anew. Those of
// another account, and what Rollcall itself works with, they do not reach, and no answer becomes a request there.
func TestConsumersReachTheirCopiesAlone(t *testing.T) {
	t.Parallel()
	for user, operator := range map[string]string{"consumer": "readers-operator", "consumer-contoso": "contoso-operator"} {
		t.Run(user, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			h.publish("contoso", 41)
			all := map[string]*bus.Bus{}
			for _, of := range []string{"operator", "readers-operator", "contoso-operator"} {
				all[of] = h.server.Bus(of, bus.Config{})
				h.settled(all[of])
			}
			nc := h.server.Connect(user)
			// The answer to this tells of a consumer, much as a request for one does.
			body, err := json.Marshal(map[string]any{
				"stream_name": "LICENSES", "action": "create",
				"config": map[string]any{"name": "x", "filter_subject": "license.contoso.>", "deliver_subject": "copies.readers.x", "ack_policy": "none"},
			})
			if err != nil {
				t.Fatal(err)
			}
			const create = "CONSUMER.CREATE.LICENSES.x.license.contoso.>"
			if err := nc.PublishRequest("$JS.API."+create, "rollcall.API."+create, body); err != nil {
				t.Fatal(err)
			}
			for _, stream := range []string{"LICENSES", "KV_entitlements"} {
				const nothing = "$JS.API.DIRECT.GET.KV_entitlements.$KV.entitlements.contoso.nothing.there"
				h.send(nc, nothing, "rollcall.API.STREAM.DELETE."+stream)
				h.send(nc, nothing, "$JS.API.STREAM.DELETE."+stream)
				h.until(stream+" is deleted in the account of the user", func() bool { return h.lastOf(all[operator], stream) == 0 })
			}
			delete(all, operator)
			for of, b := range all {
				for _, stream := range []string{"LICENSES", "KV_entitlements"} {
					if last := h.lastOf(b, stream); last != h.last {
						t.Errorf("%s of %s has come to %d", stream, of, last)
					}
				}
			}
			if answer := h.ask(h.server.Connect("operator"), "$JS.API.CONSUMER.INFO.LICENSES.x", map[string]any{}); !refused([]byte(answer)) {
				t.Errorf("LICENSES has a consumer of theirs: %s", answer)
			}
		})
	}
}

// The user of the server's own account sees how the server does. It neither reads nor writes what the other accounts hold.
func TestTheSystemUserReachesNoStream(t *testing.T) {
	t.Parallel()
	h := open(t)
	nc := h.server.Connect("system")
	heard, err := nc.SubscribeSync("license.>")
	if err != nil {
		t.Fatal(err)
	}
	for _, subject := range []string{"license.contoso.p.user.u1", "command.contoso.refresh", "directory.contoso.page", "$KV.tenants.contoso"} {
		if err := nc.Publish(subject, []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if answer, err := nc.RequestWithContext(ctx, "$JS.API.STREAM.INFO.LICENSES", nil); err == nil && !refused(answer.Data) {
		t.Errorf("it is told of LICENSES: %s", answer.Data)
	}
	h.publish("contoso", 41) // what was published before this would be stored before it
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	if n, _, err := heard.Pending(); err != nil || n != 1 { // its own
		t.Errorf("it has heard %d license events, %v", n, err)
	}
	record := h.server.Bus("operator", bus.Config{})
	for stream, want := range map[string]uint64{bus.Licenses: 81, bus.LedgerIn: 0, "KV_" + bus.BucketTenants: 0} {
		if last := h.lastOf(record, stream); last != want {
			t.Errorf("%s has come to %d", stream, last)
		}
	}
}

// What was published to LICENSES stays as it is for as long as the stream is there: not even the operator takes a part of it
// out. The stream as a whole the operator may delete.
func TestNobodyTakesAnEventOutOfTheRecord(t *testing.T) {
	t.Parallel()
	h := open(t)
	nc := h.server.Connect("operator")
	for subject, request := range map[string]map[string]any{
		"$JS.API.STREAM.MSG.DELETE.LICENSES":        {"seq": 1},
		"$JS.API.STREAM.PURGE.LICENSES":             {},
		"$JS.API.STREAM.MSG.DELETE.KV_entitlements": {"seq": 1},
		"$JS.API.STREAM.PURGE.KV_entitlements":      {},
	} {
		if answer := h.ask(nc, subject, request); !refused([]byte(answer)) {
			t.Errorf("%s: %s", subject, answer)
		}
	}
	if answer := h.ask(nc, "$JS.API.STREAM.DELETE.LICENSES", map[string]any{}); refused([]byte(answer)) {
		t.Errorf("the operator does not delete the stream: %s", answer)
	}
}

// refused reports whether the server answered with an error.
func refused(answer []byte) bool {
	var a struct {
		Error *struct{} `json:"error"`
	}
	return json.Unmarshal(answer, &a) == nil && a.Error != nil
}

// send sends an empty request whose answer goes to a subject.
func (h *house) send(nc *nats.Conn, subject, answer string) {
	h.t.Helper()
	if err := nc.PublishRequest(subject, answer, nil); err != nil {
		h.t.Fatal(err)
	}
	if err := nc.FlushTimeout(patience); err != nil {
		h.t.Fatal(err)
	}
}

// lastOf is the last sequence of a stream, 0 where there is no such stream.
func (h *house) lastOf(b *bus.Bus, stream string) uint64 {
	info, err := b.StreamInfo(h.t.Context(), stream)
	if err != nil {
		return 0
	}
	return info.State.LastSeq
}

func (h *house) until(what string, so func() bool) {
	h.t.Helper()
	late := time.After(patience)
	for !so() {
		select {
		case <-late:
			h.t.Fatalf("it is not so that %s", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}
