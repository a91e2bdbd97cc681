package graphreceiver_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event/eventtest"
	graphreceiver "github.com/rollcall-hq/rollcall/services/graph-receiver"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/secret"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

func TestMain(m *testing.M) { bustest.VerifyNoLeaks(m) }

const (
	contosoID  = "9f4a1c2e-0000-4000-8000-000000000001"
	fabrikamID = "9f4a1c2e-0000-4000-8000-000000000002"
)

// intake is a whole service whose tenants' directories do not answer, behind a real listener.
type intake struct {
	t       *testing.T
	nats    *bustest.Server
	bus     *bus.Bus
	keys    secret.Keys
	service *graphreceiver.Service
	url     string
}

func start(t *testing.T) *intake {
	t.Helper()
	in := &intake{t: t, nats: bustest.StartServer(t)}
	in.bus = in.nats.Bus(bus.Config{})
	kv, err := in.bus.KeyValue(t.Context(), bus.BucketTenants)
	if err != nil {
		t.Fatal(err)
	}
	registry := tenant.NewRegistry(kv)
	for id, directoryID := range map[string]string{"contoso": contosoID, "fabrikam": fabrikamID} {
		err := registry.Add(t.Context(), tenant.Tenant{
			ID: id, Provider: directory.Entra, DirectoryID: directoryID, Domain: id + ".com", Products: []tenant.Product{tenant.SecureShare()},
			Credential: tenant.Credential{Kind: tenant.ClientSecret, ClientID: "app", Env: "NO_SUCH_SECRET"},
			Endpoints:  tenant.Endpoints{API: "https://127.0.0.1:1/v1.0", Authority: "https://127.0.0.1:1"},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	keysFile := filepath.Join(t.TempDir(), "intake.keys")
	in.service, err = graphreceiver.New(graphreceiver.Config{KeysFile: keysFile, CreateKeys: true}, graphreceiver.Deps{
		Bus: in.bus, Tenants: registry, Logger: slog.New(slog.DiscardHandler), Clock: clock.System(), Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if in.keys, err = secret.Load(keysFile); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(in.service.Handler())
	t.Cleanup(server.Close)
	in.url = server.URL + graphreceiver.NotificationPath
	return in
}

func (in *intake) run() {
	in.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- in.service.Run(ctx) }()
	in.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			in.t.Errorf("Run: %v", err)
		}
	})
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for in.service.Ready(in.t.Context()) != nil {
		<-tick.C
	}
}

// secret is the clientState of a tenant's subscription, as JSON.
func (in *intake) secret(tenantID string) string {
	in.t.Helper()
	s, err := in.keys.Sign(directory.Entra, secret.Proof{Tenant: tenantID, Channel: "c1"})
	if err != nil {
		in.t.Fatal(err)
	}
	return strconv.Quote(s)
}

// item is one of Graph's: state is JSON, and rest is put into the group's resourceData.
func item(subscription, directoryID, state, group, rest string) string {
	return fmt.Sprintf(`{"changeType":"updated","clientState":%s,"resource":"Groups/%s","resourceData":{"@odata.type":"#Microsoft.Graph.Group",`+
		`"@odata.id":"Groups/%s","id":%q,"organizationId":%q%s},"subscriptionExpirationDateTime":"2026-12-02T11:00:00+00:00","subscriptionId":%q,"tenantId":%q}`,
		state, group, group, group, directoryID, rest, subscription, directoryID)
}

func (in *intake) good() string { return item("s1", contosoID, in.secret("contoso"), "g1", "") }

// with is a good item whose members@delta is the given.
func (in *intake) with(members string) string {
	return item("s1", contosoID, in.secret("contoso"), "g1", `,"members@delta":[`+members+`]`)
}

func (in *intake) request(method, target, contentType, body string) int {
	in.t.Helper()
	r, err := http.NewRequestWithContext(in.t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		in.t.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		in.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode
}

func (in *intake) post(body string) int {
	return in.request(http.MethodPost, in.url, "application/json; charset=utf-8", body)
}

func (in *intake) push(items ...string) int {
	return in.post(`{"value":[` + strings.Join(items, ",") + `]}`)
}

// shake sends a handshake and checks what is echoed.
func (in *intake) shake(token string) int {
	in.t.Helper()
	r, err := http.NewRequestWithContext(in.t.Context(), http.MethodPost, in.url+"?validationToken="+url.QueryEscape(token), http.NoBody)
	if err != nil {
		in.t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		in.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		in.t.Fatal(err)
	}
	if answer.StatusCode == http.StatusOK && string(body) != token {
		in.t.Errorf("echoed %q, want %q", body, token)
	}
	return answer.StatusCode
}

// slow sends a body that does not come to its end.
func (in *intake) slow() int {
	in.t.Helper()
	conn, err := (&net.Dialer{}).DialContext(in.t.Context(), "tcp", strings.Split(in.url, "/")[2])
	if err != nil {
		in.t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{", graphreceiver.NotificationPath); err != nil {
		in.t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		in.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	return answer.StatusCode
}

func (in *intake) lifecycle() string {
	return fmt.Sprintf(`{"subscriptionId":"s1","subscriptionExpirationDateTime":"2026-12-02T11:00:00Z","tenantId":%q,"clientState":%s,"lifecycleEvent":"reauthorizationRequired"}`,
		contosoID, in.secret("contoso"))
}

// cases are the rows of the table, by their names. They run in the order of the table, on one service.
func (in *intake) cases() map[string]func() int {
	const added, removed = `{"id":"u1"}`, `{"id":"u1","@removed":"deleted"}`
	forged := strconv.Quote("v1.k1.contoso.c1.AAAAAAAAAAAAAAAAAAAAAAAAAAA")
	another := func() string { return item("s2", fabrikamID, in.secret("fabrikam"), "g9", "") }
	return map[string]func() int{
		"handshake": func() int {
			return in.shake("Validation: Testing client application reachability for subscription Request-Id: 1+2/3=")
		},
		"handshake with markup in its token":               func() int { return in.shake("<script>alert(1)</script>") },
		"good item":                                        func() int { return in.push(in.good()) },
		"the same change twice in one request":             func() int { return in.push(in.good(), in.good()) },
		"several subscriptions and tenants in one request": func() int { return in.push(in.good(), another()) },
		"forged clientState":                               func() int { return in.push(item("s1", contosoID, forged, "g1", "")) },
		"clientState null":                                 func() int { return in.push(item("s1", contosoID, "null", "g1", "")) },
		"clientState missing": func() int {
			return in.push(strings.Replace(in.good(), `"clientState"`, `"nothing"`, 1))
		},
		"unknown subscription, clientState proved": func() int {
			return in.push(item("never-seen", contosoID, in.secret("contoso"), "g1", ""))
		},
		"unknown subscription, clientState not proved": func() int { return in.push(item("never-seen", contosoID, forged, "g1", "")) },
		"foreign tenant":                        func() int { return in.push(item("s1", fabrikamID, in.secret("contoso"), "g1", "")) },
		"tenant that is not connected":          func() int { return in.push(item("s1", contosoID, in.secret("nobody"), "g1", "")) },
		"good and bad items in one request":     func() int { return in.push(item("s1", contosoID, forged, "g1", ""), another(), `"no object"`) },
		"item with fields of a wrong type":      func() int { return in.push(strings.Replace(in.good(), `"s1"`, `7`, 1)) },
		"lifecycle item without resource":       func() int { return in.push(in.lifecycle()) },
		"member added and removed in one array": func() int { return in.push(in.with(added + "," + removed)) },
		"@removed as a string":                  func() int { return in.push(in.with(removed)) },
		"@removed as an object":                 func() int { return in.push(in.with(`{"id":"u1","@removed":{"reason":"deleted"}}`)) },
		"no items":                              func() int { return in.push() },
		"wrong content type":                    func() int { return in.request(http.MethodPost, in.url, "text/html", `{"value":[`+in.good()+`]}`) },
		"broken JSON":                           func() int { return in.post(`{"value":[` + in.good()) },
		"JSON without a list of items":          func() int { return in.post(`{"values":{}}`) },
		"5 MB":                                  func() int { return in.post(`{"value":[` + strings.Repeat(" ", 5_000_000) + in.good() + `]}`) },
		"slow body":                             in.slow,
		"not POST":                              func() int { return in.request(http.MethodPut, in.url, "application/json", `{"value":[`+in.good()+`]}`) },
		"another path": func() int {
			return in.request(http.MethodPost, in.url+"/more", "application/json", `{"value":[`+in.good()+`]}`)
		},
		"tenants not known yet":          func() int { return start(in.t).push(in.good()) },
		"NATS away":                      func() int { in.nats.Stop(); return in.push(in.good()) },
		"sent again after NATS was away": func() int { return in.push(in.good()) },
	}
}

// row is one of the table in docs/notifications.md.
type row struct {
	name          string
	answer, hints int
}

func table(t *testing.T) []row {
	t.Helper()
	text, err := os.ReadFile("../../docs/notifications.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) != 6 {
			continue
		}
		answer, err := strconv.Atoi(strings.TrimSpace(cells[2]))
		if err != nil {
			continue // the head
		}
		hints, err := strconv.Atoi(strings.TrimSpace(cells[3]))
		if err != nil {
			t.Errorf("row without a number of hints: %s", line)
		}
		rows = append(rows, row{strings.TrimSpace(cells[1]), answer, hints})
	}
	return rows
}

func TestEveryCaseOfTheTable(t *testing.T) {
	t.Parallel()
	in := start(t)
	in.run()
	cases := in.cases()
	stored := 0
	for _, r := range table(t) {
		run, ok := cases[r.name]
		if !ok {
			t.Errorf("%s: no test runs it", r.name)
			continue
		}
		delete(cases, r.name)
		if answer := run(); answer != r.answer {
			t.Errorf("%s: answer %d, the table says %d", r.name, answer, r.answer)
		}
		if r.name == "NATS away" {
			in.nats.Resume()
			in.settle()
			stored = in.hints() // what NATS was sent before it came back may have arrived since: a hint more does no harm
			continue
		}
		if n := in.hints() - stored; n != r.hints {
			t.Errorf("%s: %d hints, the table says %d", r.name, n, r.hints)
		}
		stored = in.hints()
	}
	for name := range cases {
		t.Errorf("%s: not in the table", name)
	}
}

// settle waits until NATS is there again.
func (in *intake) settle() {
	in.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := in.bus.StreamCreated(in.t.Context(), bus.Notifications); err == nil {
			return
		}
		<-tick.C
	}
}

// hints counts what is on NOTIFICATIONS, and checks each against its schema.
func (in *intake) hints() int {
	in.t.Helper()
	n := 0
	err := in.bus.Read(in.t.Context(), bus.ReadSpec{Stream: bus.Notifications}, func(m bus.Message) error {
		n++
		eventtest.Validate(in.t, m.Event)
		return nil
	})
	if err != nil {
		in.t.Fatal(err)
	}
	return n
}
