package intake_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/event/eventtest"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/channel"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/intake"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/receivertest"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/secret"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// kept is a publisher that keeps hints, until it is full.
type kept struct {
	mu    sync.Mutex
	hints []event.Event
	full  bool
}

func (k *kept) Publish(_ context.Context, hints []event.Event) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.full {
		return errors.New("full")
	}
	k.hints = append(k.hints, hints...)
	return nil
}

type roster struct{ loading bool }

func (r roster) Loaded() bool { return !r.loading }

func (r roster) Tenant(id string) (tenant.Tenant, bool) {
	known := id == "contoso" || id == "fabrikam"
	return tenant.Tenant{ID: id, DirectoryID: "d-" + id}, known
}

type bench struct {
	keys    secret.Keys
	store   *kept
	log     *bytes.Buffer
	metrics *prometheus.Registry
	handler *intake.Handler
}

func setup(cfg intake.Config, r roster) *bench {
	b := &bench{keys: secret.Generate(), store: &kept{}, log: &bytes.Buffer{}, metrics: prometheus.NewRegistry()}
	b.handler = intake.New(cfg, intake.Deps{
		Provider: &receivertest.Provider{}, Keys: b.keys, Tenants: r, Channels: channel.NewBook(), Publisher: b.store,
		Logger: slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug})), Clock: clock.System(), Metrics: b.metrics,
	})
	return b
}

// item is a good item of a tenant.
func (b *bench) item(t testing.TB, tenantID string) receivertest.Item {
	t.Helper()
	s, err := b.keys.Sign(directory.Entra, secret.Proof{Tenant: tenantID, Channel: "c1"})
	if err != nil {
		t.Fatal(err)
	}
	return receivertest.Item{Directory: "d-" + tenantID, Subscription: "s1", Secret: s, Resource: "group", ID: "g1", Change: "updated"}
}

func (b *bench) post(body []byte) int {
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body)))
	return w.Code
}

func TestGoodItemIsOneHint(t *testing.T) {
	t.Parallel()
	b := setup(intake.Config{}, roster{})
	item := b.item(t, "contoso")
	other := item
	other.ID = "g2"
	if code := b.post(receivertest.Body(item, item, other, item)); code != http.StatusAccepted {
		t.Errorf("answer %d", code)
	}
	if len(b.store.hints) != 2 {
		t.Fatalf("%d hints, want one for each thing that changed", len(b.store.hints))
	}
	for _, hint := range b.store.hints {
		eventtest.Validate(t, hint)
	}
	got, err := event.Data[event.NotificationReceived](b.store.hints[0])
	want := event.NotificationReceived{Provider: "entra", SubscriptionID: "s1", Channel: "c1", Resource: "group", ID: "g1", Change: "updated"}
	if err != nil || got != want {
		t.Errorf("hint %+v, %v, want %+v", got, err, want)
	}
	body, err := event.Encode(b.store.hints[0])
	if err != nil || bytes.Contains(body, []byte(item.Secret)) {
		t.Errorf("the hint holds the secret: %v", err)
	}
}

func TestItemsAreProvedOneByOne(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil  func(*receivertest.Item)
		reason string
	}{
		"no secret":                   {func(i *receivertest.Item) { i.Secret = "" }, "forged"},
		"forged secret":               {func(i *receivertest.Item) { i.Secret += "x" }, "forged"},
		"another tenant's directory":  {func(i *receivertest.Item) { i.Directory = "d-fabrikam" }, "foreign-tenant"},
		"broken":                      {func(i *receivertest.Item) { i.Broken = true }, "malformed"},
		"an id that is no token":      {func(i *receivertest.Item) { i.ID = "ada@contoso.com" }, "malformed"},
		"no subscription":             {func(i *receivertest.Item) { i.Subscription = "" }, "malformed"},
		"neither change nor news":     {func(i *receivertest.Item) { i.Resource = "device" }, "malformed"},
		"a subscription of any words": {func(i *receivertest.Item) { i.Subscription = "a b" }, "malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(intake.Config{}, roster{})
			bad, good := b.item(t, "contoso"), b.item(t, "fabrikam")
			c.spoil(&bad)
			if code := b.post(receivertest.Body(bad, good)); code != http.StatusAccepted {
				t.Errorf("answer %d", code)
			}
			if len(b.store.hints) != 1 || event.Tenant(b.store.hints[0]) != "fabrikam" {
				t.Errorf("hints %v, want the good item's alone", b.store.hints)
			}
			want := fmt.Sprintf(`
				# HELP rollcall_notifications_total Pushed items by result and, where not accepted, the reason.
				# TYPE rollcall_notifications_total counter
				rollcall_notifications_total{provider="entra",reason="",result="accepted"} 1
				rollcall_notifications_total{provider="entra",reason=%q,result="refused"} 1
			`, c.reason)
			if err := testutil.GatherAndCompare(b.metrics, strings.NewReader(want), "rollcall_notifications_total"); err != nil {
				t.Error(err)
			}
			for _, hidden := range []string{good.Secret, bad.Secret, "ada@", "a b"} {
				if hidden != "" && strings.Contains(b.log.String(), hidden) {
					t.Errorf("the log shows %q", hidden)
				}
			}
		})
	}
}

func TestUnknownTenantIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(intake.Config{}, roster{})
	if code := b.post(receivertest.Body(b.item(t, "gone"))); code != http.StatusAccepted || len(b.store.hints) != 0 {
		t.Errorf("answer %d with %d hints", code, len(b.store.hints))
	}
}

func TestLifecycleNeedsNoResource(t *testing.T) {
	t.Parallel()
	b := setup(intake.Config{}, roster{})
	item := b.item(t, "contoso")
	item.Resource, item.ID, item.Change, item.Lifecycle = "", "", "", string(receiver.ChannelExpires)
	if code := b.post(receivertest.Body(item)); code != http.StatusAccepted || len(b.store.hints) != 1 {
		t.Fatalf("answer %d with %d hints", code, len(b.store.hints))
	}
	eventtest.Validate(t, b.store.hints[0])
}

// A 2xx only for what is durable (design, §10.1).
func TestNothingIsAcceptedThatIsNotStored(t *testing.T) {
	t.Parallel()
	b := setup(intake.Config{}, roster{})
	b.store.full = true
	good := b.item(t, "contoso")
	if code := b.post(receivertest.Body(good)); code != http.StatusServiceUnavailable {
		t.Errorf("answer %d", code)
	}
	b.store.full = false
	if code := b.post(receivertest.Body(good)); code != http.StatusAccepted || len(b.store.hints) != 1 {
		t.Errorf("sent again: answer %d with %d hints", code, len(b.store.hints))
	}
	loading := setup(intake.Config{}, roster{loading: true})
	if code := loading.post(receivertest.Body(good)); code != http.StatusServiceUnavailable {
		t.Errorf("before the tenants are known: answer %d", code)
	}
}

func TestManyItemsOfATenantAreFewHints(t *testing.T) {
	t.Parallel()
	b := setup(intake.Config{}, roster{})
	var items []receivertest.Item
	for i := range 1000 {
		item := b.item(t, "contoso")
		item.ID = fmt.Sprintf("g%d", i)
		items = append(items, item)
	}
	news := b.item(t, "contoso")
	news.Resource, news.ID, news.Lifecycle = "", "", "missed"
	if code := b.post(receivertest.Body(append(items, news)...)); code != http.StatusAccepted || len(b.store.hints) != 65 {
		t.Errorf("answer %d with %d hints", code, len(b.store.hints))
	}
}

func TestRequestsThatAreNoPush(t *testing.T) {
	t.Parallel()
	b := setup(intake.Config{MaxBody: 1 << 10}, roster{})
	for name, c := range map[string]struct {
		method, target, body string
		want                 int
	}{
		"GET":                         {http.MethodGet, "/", "", http.StatusMethodNotAllowed},
		"GET that looks like a shake": {http.MethodGet, "/?handshake=x", "", http.StatusMethodNotAllowed},
		"handshake":                   {http.MethodPost, "/?handshake=x", "", http.StatusOK},
		"broken JSON":                 {http.MethodPost, "/", `[{"Dire`, http.StatusBadRequest},
		"nothing":                     {http.MethodPost, "/", "", http.StatusBadRequest},
		"no items":                    {http.MethodPost, "/", "[]", http.StatusAccepted},
		"too much":                    {http.MethodPost, "/", strings.Repeat(" ", 1<<10) + "[]", http.StatusRequestEntityTooLarge},
	} {
		w := httptest.NewRecorder()
		b.handler.ServeHTTP(w, httptest.NewRequest(c.method, c.target, strings.NewReader(c.body)))
		if w.Code != c.want {
			t.Errorf("%s: answer %d, want %d", name, w.Code, c.want)
		}
	}
	unsized := httptest.NewRequest(http.MethodPost, "/", io.LimitReader(spaces{}, 1<<20))
	unsized.ContentLength = -1
	w := httptest.NewRecorder()
	if b.handler.ServeHTTP(w, unsized); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("too much without a length: answer %d", w.Code)
	}
}

type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestSlowBodyIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	b := setup(intake.Config{ReadTimeout: 50 * time.Millisecond}, roster{})
	server := httptest.NewServer(b.handler)
	t.Cleanup(server.Close)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n["); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusServiceUnavailable || !answer.Close {
		t.Errorf("answer %s, closed %t", answer.Status, answer.Close)
	}
}

func FuzzHandler(f *testing.F) {
	b := setup(intake.Config{MaxBody: 1 << 16}, roster{})
	f.Add(receivertest.Body(b.item(f, "contoso")))
	f.Add([]byte(`[{"Secret":null}]`))
	f.Add([]byte(`[{"Lifecycle":"missed"},[]]`))
	f.Add([]byte(`{`))
	documented := map[int]bool{202: true, 400: true, 413: true}
	f.Fuzz(func(t *testing.T, body []byte) {
		if code := b.post(body); !documented[code] {
			t.Errorf("answer %d to %q", code, body)
		}
		for _, hint := range b.store.hints {
			eventtest.Validate(t, hint)
		}
		b.store.hints = nil
	})
}
