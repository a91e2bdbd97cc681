package rights

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/natsserver/natstest"
)

func TestMain(m *testing.M) { bustest.VerifyNoLeaks(m) }

const patience = 20 * time.Second

// house is a server with everything on it, and license events of two tenants.
type house struct {
	t      *testing.T
	server *natstest.Server
	worker *bus.Bus
	last   uint64
}

func open(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, server: natstest.Start(t)}
	cfg := bus.Config{Partitions: 4}
	h.worker = h.server.Bus("worker", cfg)
	if err := h.worker.VerifyTopology(t.Context(), bus.LedgerIn, bus.Licenses); !errors.Is(err, bus.ErrNotProvisioned) {
		t.Errorf("before there are streams: %v", err)
	}
	for range 2 { // a second time there is nothing to do
		if err := h.server.Bus("operator", cfg).EnsureTopology(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := h.server.Bus("readers-operator", cfg).EnsureCopies(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := h.server.Bus("contoso-operator", cfg).EnsureCopiesOf(t.Context(), "contoso"); err != nil {
			t.Fatal(err)
		}
	}
	for _, tenant := range []string{"contoso", "initech"} {
		for n := uint64(1); n <= 40; n++ {
			h.publish(tenant, n)
		}
	}
	return h
}

// publish tells a license event as the relay does.
func (h *house) publish(tenant string, n uint64) {
	h.t.Helper()
	user := fmt.Sprintf("u%d", n)
	meta := event.Meta{
		ID: event.LicenseID(tenant, "p", n), Source: event.LicenseSource(tenant, "p"), Subject: user, Time: time.Now(), Tenant: tenant, Sequence: n,
	}
	ev, err := event.New(event.TypeLicenseGranted, meta, event.Entitlement{
		Tenant: tenant, Product: "p", User: user, Licensed: true, Since: time.Now(), Reason: "domain-default",
	})
	if err != nil {
		h.t.Fatal(err)
	}
	body, err := event.Encode(ev)
	if err != nil {
		h.t.Fatal(err)
	}
	h.last, err = h.worker.PublishBatch(h.t.Context(), []bus.Outgoing{{Subject: event.LicenseSubject(tenant, "p", user), ID: ev.ID(), Body: body}}, h.last)
	if err != nil {
		h.t.Fatal(err)
	}
}

// visitor is a connection of a user that hears what it was refused.
type visitor struct {
	t  *testing.T
	nc *nats.Conn

	mu      sync.Mutex
	refused []string
}

func (h *house) visitor(user string) *visitor {
	h.t.Helper()
	v := &visitor{t: h.t}
	v.nc = h.server.Connect(user, nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.refused = append(v.refused, err.Error())
	}))
	return v
}

// may reports whether the server has refused nothing of an act.
func (v *visitor) may(act func() error) bool {
	v.t.Helper()
	v.mu.Lock()
	v.refused = nil
	v.mu.Unlock()
	if err := act(); err != nil {
		v.t.Fatal(err)
	}
	for range 2 { // the refusal comes before the second answer, and is told in a goroutine of its own
		if err := v.nc.FlushTimeout(patience); err != nil {
			v.t.Fatal(err)
		}
	}
	late := time.After(50 * time.Millisecond)
	for {
		v.mu.Lock()
		refused := len(v.refused) > 0
		v.mu.Unlock()
		if refused {
			return false
		}
		select {
		case <-late:
			return true
		case <-time.After(time.Millisecond):
		}
	}
}

func (v *visitor) mayPublish(subject string) bool {
	v.t.Helper()
	return v.may(func() error { return v.nc.PublishRequest(subject, "_INBOX_nobody", []byte("{}")) })
}

func (v *visitor) maySubscribe(subject string) bool {
	v.t.Helper()
	return v.may(func() error {
		s, err := v.nc.SubscribeSync(subject)
		if err == nil {
			err = s.AutoUnsubscribe(1)
		}
		return err
	})
}

// entitlement is where the license of a user is kept.
const entitlement = "$KV.entitlements.contoso.p.u1"

// never are acts that only the named users may do; everybody else is tried, and they too: each line could be wrong.
var never = map[string][]string{
	"license.contoso.p.user.u1":                              {"worker"},
	"license.contoso.p.policy":                               {"worker"},
	entitlement:                                              {},
	"rollcall.API." + entitlement:                            {},
	"notification.contoso.entra":                             {"operator", "graph-receiver"},
	"notification.contoso.google-workspace":                  {"operator", "workspace-receiver"},
	"directory.contoso.page":                                 {"operator", "graph-receiver", "workspace-receiver"},
	"command.contoso.refresh":                                {"operator", "worker", "control-center"},
	"dead.LEDGER_IN.contoso":                                 {"graph-receiver", "workspace-receiver", "worker"},
	"wake.relay":                                             {"worker"},
	"$KV.tenants.contoso":                                    {"operator", "graph-receiver", "workspace-receiver"},
	"$KV.tenants.directory.entra.9f4a":                       {"operator", "graph-receiver"},
	"$KV.tenants.directory.google-workspace.C0":              {"operator", "workspace-receiver"},
	"connect.entra":                                          {"control-center"},
	"connect.google-workspace":                               {"control-center"},
	"_INBOX_control-center.x":                                {"graph-receiver", "workspace-receiver"},
	"$KV.cursors.contoso.feeds":                              {"operator", "graph-receiver", "workspace-receiver"},
	"$KV.channels.contoso.c":                                 {"operator", "graph-receiver", "workspace-receiver"},
	"$KV.owners.worker.p00":                                  {"worker"},
	"$KV.owners.relay.p00":                                   {"worker"},
	"$KV.owners.entra-receiver.p00":                          {"graph-receiver"},
	"$KV.owners.google-workspace-receiver.p00":               {"workspace-receiver"},
	"$KV.sessions.s":                                         {"control-center"},
	"$KV.tokens.t":                                           {"operator", "control-center"},
	"$JS.API.STREAM.PURGE.KV_sessions":                       {"operator", "readers-operator", "contoso-operator", "control-center"},
	"$JS.API.STREAM.PURGE.NOTIFICATIONS":                     {"operator", "readers-operator", "contoso-operator", "graph-receiver", "workspace-receiver"},
	"$JS.API.STREAM.PURGE.LEDGER_IN":                         {"operator", "readers-operator", "contoso-operator", "graph-receiver", "workspace-receiver"},
	"$JS.API.STREAM.PURGE.DEAD_LETTERS":                      {"operator", "readers-operator", "contoso-operator", "graph-receiver", "workspace-receiver"},
	"$JS.API.STREAM.PURGE.LICENSES":                          {"operator", "readers-operator", "contoso-operator"},
	"$JS.API.STREAM.PURGE.KV_tokens":                         {"operator", "readers-operator", "contoso-operator"},
	"$JS.API.DIRECT.GET.KV_tokens.$KV.tokens.t":              {"operator", "readers-operator", "contoso-operator", "control-center"},
	"$JS.API.STREAM.CREATE.LICENSES":                         {"operator", "readers-operator", "contoso-operator"},
	"$JS.API.STREAM.UPDATE.LICENSES":                         {"operator", "readers-operator", "contoso-operator"},
	"$JS.API.STREAM.DELETE.NONE":                             {"operator", "readers-operator", "contoso-operator"},
	"$JS.API.STREAM.PURGE.NONE":                              {"operator", "readers-operator", "contoso-operator"},
	"$JS.API.STREAM.MSG.GET.LICENSES":                        {"operator", "readers-operator", "contoso-operator"},
	"$JS.API.STREAM.NAMES":                                   {"operator", "readers-operator", "contoso-operator"},
	"$JS.API.CONSUMER.CREATE.NOTIFICATIONS.x.notification.>": {"operator", "readers-operator", "contoso-operator", "graph-receiver", "workspace-receiver"},
	"$JS.API.CONSUMER.CREATE.LEDGER_IN.x.directory.>":        {"operator", "readers-operator", "contoso-operator", "graph-receiver", "workspace-receiver", "worker", "control-center"},
	"$JS.API.CONSUMER.CREATE.KV_tenants.x.$KV.tenants.>":     {"operator", "readers-operator", "contoso-operator", "graph-receiver", "workspace-receiver", "worker", "control-center"},
	"$JS.API.DIRECT.GET.KV_tenants.$KV.tenants.contoso":      {"operator", "readers-operator", "contoso-operator", "graph-receiver", "workspace-receiver", "worker", "control-center"},
	"$JS.API.CONSUMER.CREATE.LICENSES.x.license.>":           {"operator", "readers-operator", "contoso-operator", "worker", "control-center", "consumer", "consumer-contoso"},
	"$JS.API.CONSUMER.CREATE.LICENSES.contoso.license.contoso.>": {
		"operator", "readers-operator", "contoso-operator", "worker", "control-center", "consumer", "consumer-contoso",
	},
	"$JS.API.CONSUMER.CREATE.LICENSES.contoso.license.initech.>":              {"operator", "readers-operator", "contoso-operator", "worker", "control-center", "consumer", "consumer-contoso"},
	"$JS.API.CONSUMER.CREATE.LICENSES.contoso":                                {"operator", "readers-operator", "contoso-operator", "worker", "control-center", "consumer", "consumer-contoso"},
	"$JS.API.CONSUMER.MSG.NEXT.LICENSES.other":                                {"operator", "readers-operator", "contoso-operator", "worker", "control-center", "consumer", "consumer-contoso"},
	"$JS.API.CONSUMER.DELETE.LICENSES.other":                                  {"operator", "readers-operator", "contoso-operator", "worker", "control-center", "consumer", "consumer-contoso"},
	"$JS.API.STREAM.INFO.LICENSES":                                            {"operator", "readers-operator", "contoso-operator", "worker", "control-center", "consumer", "consumer-contoso"},
	"$JS.API.DIRECT.GET.KV_entitlements.$KV.entitlements.contoso.p.u1":        {"operator", "readers-operator", "contoso-operator", "control-center", "consumer", "consumer-contoso"},
	"$JS.API.DIRECT.GET.KV_entitlements.$KV.entitlements.initech.p.u1":        {"operator", "readers-operator", "contoso-operator", "control-center", "consumer", "consumer-contoso"},
	"$JS.API.DIRECT.GET.KV_entitlements":                                      {"operator", "readers-operator", "contoso-operator"},
	"rollcall.API.CONSUMER.CREATE.LICENSES.x.license.>":                       {},
	"rollcall.API.CONSUMER.CREATE.KV_entitlements.x.$KV.entitlements.contoso": {},
}

func TestWhoMayPublishWhat(t *testing.T) {
	t.Parallel()
	h := open(t)
	for _, user := range natstest.Users {
		v := h.visitor(user)
		for subject, by := range never {
			if may := v.mayPublish(subject); may != slices.Contains(by, user) {
				t.Errorf("%s may publish %s: %t", user, subject, may)
			}
		}
		for _, subject := range []string{">", "connect.>", "connect.entra", "connect.google-workspace", "license.>", "$KV.>", "notification.>", "directory.>", "_INBOX.>", "copies.>", "copies.contoso.>", "$JS.ACK.>"} {
			if v.maySubscribe(subject) {
				t.Errorf("%s may listen to %s", user, subject)
			}
		}
		for _, other := range natstest.Users {
			if subject := "_INBOX_" + other + ".x"; v.maySubscribe(subject) != (other == user) {
				t.Errorf("%s may listen to %s: %t", user, subject, other != user)
			}
		}
	}
	if _, err := nats.Connect(h.server.URL()); err == nil {
		t.Error("nobody may sign in as nobody")
	}
}
