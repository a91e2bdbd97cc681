package notice_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/prometheus/client_golang/prometheus"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/notice"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
)

func TestMain(m *testing.M) { bustest.VerifyNoLeaks(m) }

const (
	key      = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	patience = 30 * time.Second
)

// office is a notifier over a real NATS server, with a webhook's receiver and a mail server that take what it sends.
type office struct {
	t        *testing.T
	bus      *bus.Bus
	clock    *clock.Fake
	file     string
	log      *bytes.Buffer
	hooks    chan *hook
	refuse   atomic.Int32 // so many webhooks are answered with 503
	hookURL  string
	mails    chan string
	mailHost string
	mailPort string
	sequence map[string]uint64
}

// hook is one webhook that came.
type hook struct {
	header http.Header
	body   []byte
}

func open(t *testing.T) *office {
	t.Helper()
	o := &office{
		t: t, bus: bustest.New(t), clock: clock.NewFake(time.Now()), file: filepath.Join(t.TempDir(), "notices.yaml"), log: &bytes.Buffer{},
		hooks: make(chan *hook, 100), mails: make(chan string, 100), sequence: map[string]uint64{},
	}
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if o.refuse.Add(-1) >= 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		o.hooks <- &hook{r.Header, body}
	}))
	t.Cleanup(receiver.Close)
	o.hookURL = receiver.URL
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := smtp.NewServer(mailbox{o.mails})
	server.Domain, server.ErrorLog = "mail.test", slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(listener) }()
	t.Cleanup(func() { _, _ = listener.Close(), server.Close(); <-served }) // a server that has not begun knows of no listener
	if o.mailHost, o.mailPort, err = net.SplitHostPort(listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(o.file+".key", []byte(key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return o
}

// write writes the file of destinations: contoso's webhook and what is given of its mail.
func (o *office) write(email string) {
	o.t.Helper()
	text := "smtp: {host: " + o.mailHost + ", port: " + o.mailPort + ", from: rollcall@example.com, plain: true}\n" +
		"tenants:\n  contoso:\n    webhooks:\n      - {url: '" + o.hookURL + "/hook?token=of-its-own', secret_file: " + o.file + ".key}\n" + email
	if err := os.WriteFile(o.file, []byte(text), 0o600); err != nil {
		o.t.Fatal(err)
	}
}

// start runs a notifier until the test ends, or stop is called.
func (o *office) start() (n *notice.Notifier, stop func()) {
	o.t.Helper()
	n, err := notice.New(notice.Config{File: o.file, PublicURL: "https://rollcall.example.com", Retry: 10 * time.Millisecond}, notice.Deps{
		Bus: o.bus, Logger: slog.New(slog.NewTextHandler(o.log, nil)), Clock: o.clock, Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		o.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			o.t.Errorf("it ended with %v", err)
		}
	}
	o.t.Cleanup(stop)
	return n, stop
}

// await waits until so many destinations have a position on the stream.
func (o *office) await(positions int) {
	o.t.Helper()
	for deadline := time.Now().Add(patience); ; {
		info, err := o.bus.StreamInfo(o.t.Context(), bus.Licenses)
		if err != nil {
			o.t.Fatal(err)
		}
		if info.State.Consumers == positions {
			return
		}
		if time.Now().After(deadline) {
			o.t.Fatalf("%d positions, want %d", info.State.Consumers, positions)
		}
	}
}

// tell publishes an event of a product of contoso.
func (o *office) tell(eventType, what, product string, at time.Time, data any) (id string) {
	o.t.Helper()
	o.sequence[product]++
	id = event.LicenseID("contoso", product, o.sequence[product])
	ev, err := event.New(eventType, event.Meta{
		ID: id, Source: event.LicenseSource("contoso", product), Time: at, Tenant: "contoso", Sequence: o.sequence[product],
	}, data)
	if err != nil {
		o.t.Fatal(err)
	}
	if _, err := o.bus.Publish(o.t.Context(), "license.contoso."+product+"."+what, ev); err != nil {
		o.t.Fatal(err)
	}
	return id
}

func held(product, id string) event.HeldOpened {
	return event.HeldOpened{
		Tenant: "contoso", Product: product, Held: id, Kind: "revocations", Revision: 1, Revocations: 12, Licensed: 30,
		Expires: time.Date(2026, 12, 3, 10, 0, 0, 0, time.UTC),
	}
}

func (o *office) tellHeld(id string) string {
	o.t.Helper()
	return o.tell(event.TypeHeldOpened, "held", "secure-share", o.clock.Now(), held("secure-share", id))
}

func receive[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

// mailbox takes mail by SMTP.
type mailbox struct{ mails chan string }

func (m mailbox) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{mailbox: m}, nil }

type session struct{ mailbox }

func (*session) Mail(string, *smtp.MailOptions) error { return nil }

func (*session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if strings.HasPrefix(to, "gone@") {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user here"}
	}
	return nil
}

func (s *session) Data(r io.Reader) error {
	body, err := io.ReadAll(r)
	s.mails <- string(body)
	return err
}

func (*session) Reset()        {}
func (*session) Logout() error { return nil }

// What is told arrives at each destination once, and the stock library of Standard Webhooks accepts the signature.
func TestWhatWaitsIsTold(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.write("    email: [ada@contoso.com]\n")
	_, _ = o.start()
	o.await(2)
	id := o.tellHeld("revocations-1")
	h := receive(t, o.hooks)
	verifier, err := standardwebhooks.NewWebhook(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := verifier.Verify(h.body, h.header); err != nil {
		t.Errorf("the signature: %v", err)
	}
	if err := verifier.Verify(append(h.body, ' '), h.header); err == nil {
		t.Error("another body has the same signature")
	}
	var got struct {
		Type, Tenant, Summary string
		Data                  event.HeldOpened
	}
	if err := json.Unmarshal(h.body, &got); err != nil {
		t.Fatal(err)
	}
	if got.Type != event.TypeHeldOpened || got.Tenant != "contoso" || got.Data.Held != "revocations-1" || h.header.Get("webhook-id") != id {
		t.Errorf("the webhook is %s, id %s", h.body, h.header.Get("webhook-id"))
	}
	m, err := mail.ReadMessage(strings.NewReader(receive(t, o.mails)))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(m.Body)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(body), "=\r\n", "")
	if m.Header.Get("To") != "<ada@contoso.com>" || m.Header.Get("Subject") != "[Rollcall] contoso: a change of secure-share is held and waits for you" ||
		!strings.Contains(text, "revoke 12 of 30 licenses") || !strings.Contains(text, "https://rollcall.example.com/tenants/contoso") {
		t.Errorf("the mail is %v\n%s", m.Header, text)
	}
}

// A connection is the tenant's: what is told of each of its products is one notice. Another class is another.
func TestTheSameIsToldOnce(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.write("")
	_, _ = o.start()
	o.await(1)
	since := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	degraded := func(product, class string) string {
		return o.tell(event.TypeConnectionDegraded, "connection", product, o.clock.Now(), event.Degraded{
			Tenant: "contoso", Product: product, Class: class, Since: since, Detail: "Users cannot be read.", Action: "Consent again.",
		})
	}
	want := []string{degraded("secure-share", "consent")}
	degraded("drive", "consent")
	want = append(want, degraded("secure-share", "sign-in"))
	degraded("drive", "sign-in")
	o.tell(event.TypeHeldListed, "held", "secure-share", o.clock.Now(), event.HeldListed{Tenant: "contoso", Product: "secure-share"}) // is not told
	want = append(want, o.tell(event.TypeSeatsExceeded, "seats", "secure-share", o.clock.Now(),
		event.SeatsUse{Tenant: "contoso", Product: "secure-share", Purchased: 10, Used: 11}))
	for _, id := range want {
		if got := receive(t, o.hooks).header.Get("webhook-id"); got != id {
			t.Errorf("told of %s, want %s", got, id)
		}
	}
}

// What could not be delivered is tried again, also by the process that comes after; what is too old by then is given up.
func TestWhatFailsIsTriedAgain(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.write("")
	_, stop := o.start()
	o.await(1)
	o.refuse.Store(1)
	id := o.tellHeld("revocations-1")
	if got := receive(t, o.hooks).header.Get("webhook-id"); got != id {
		t.Errorf("told of %s, want %s", got, id)
	}
	stop()
	o.tell(event.TypeHeldOpened, "held", "secure-share", o.clock.Now().Add(-73*time.Hour), held("secure-share", "revocations-2"))
	later := o.tellHeld("revocations-3")
	_, stop = o.start()
	if got := receive(t, o.hooks).header.Get("webhook-id"); got != later {
		t.Errorf("told of %s, want %s", got, later)
	}
	stop()
	if log := o.log.String(); !strings.Contains(log, "it is too old") || !strings.Contains(log, "503") {
		t.Errorf("logged:\n%s", log)
	}
	if strings.Contains(o.log.String(), "of-its-own") {
		t.Errorf("the log shows the webhook's URL:\n%s", o.log)
	}
}

// An address that the server refuses for good holds up nothing, not even the next notice to it.
func TestARefusedAddressHoldsUpNothing(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.write("    email: [gone@contoso.com, ada@contoso.com]\n")
	_, stop := o.start()
	o.await(3)
	o.tellHeld("revocations-1")
	receive(t, o.hooks)
	receive(t, o.mails)
	o.tellHeld("revocations-2")
	receive(t, o.mails)
	stop()
	if log := o.log.String(); strings.Contains(log, "gone@") {
		t.Errorf("the log shows an address:\n%s", log)
	}
}

// A destination that is added counts without a restart, from then on; a file that is wrong changes nothing.
func TestTheFileIsReadAgain(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.write("")
	_, stop := o.start()
	o.await(1)
	if err := os.WriteFile(o.file, []byte("tenants: {contoso: {webhook: []}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	o.clock.BlockUntil(1)
	o.clock.Advance(time.Minute)
	o.clock.BlockUntil(1)
	o.tellHeld("revocations-1")
	receive(t, o.hooks)
	o.write("    email: [ada@contoso.com]\n")
	o.clock.Advance(time.Minute)
	o.await(2)
	o.tellHeld("revocations-2")
	receive(t, o.hooks)
	if text := receive(t, o.mails); !strings.Contains(text, "revocations-2") {
		t.Errorf("the mail is\n%s", text)
	}
	stop()
	if !strings.Contains(o.log.String(), "who is told what happens stays as it was") {
		t.Errorf("logged:\n%s", o.log)
	}
}

func TestATestGoesToEachDestination(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.write("    email: [gone@contoso.com, ada@contoso.com]\n")
	n, stop := o.start()
	if all, failed := n.Test(t.Context(), "contoso", "contoso.test.1"); all != 3 || failed != 1 || n.Destinations("contoso") != 3 {
		t.Errorf("%d destinations, of which %d failed", all, failed)
	}
	if h := receive(t, o.hooks); h.header.Get("webhook-id") != "contoso.test.1" || !strings.Contains(string(h.body), notice.TypeTest) {
		t.Errorf("the webhook is %s", h.body)
	}
	receive(t, o.mails)
	if all, failed := n.Test(t.Context(), "fabrikam", "fabrikam.test.1"); all != 0 || failed != 0 {
		t.Errorf("another tenant: %d destinations, of which %d failed", all, failed)
	}
	stop()
	if log := o.log.String(); !strings.Contains(log, "550") || strings.Contains(log, "gone@") {
		t.Errorf("logged:\n%s", log)
	}
}
