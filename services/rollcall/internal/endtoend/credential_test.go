package endtoend

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// hookKey signs webhooks in the test.
const hookKey = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// hook is a webhook as it came, its signature proved.
type hook struct {
	Type, Summary string
	Data          struct {
		Expires time.Time
		Days    int
		Action  string
	}
}

// listener takes contoso's webhooks, and returns the file of notices that names it.
func listener(t *testing.T) (hooks *heard[hook], notices string) {
	t.Helper()
	hooks = newHeard[hook]()
	verifier, err := standardwebhooks.NewWebhook(hookKey)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = verifier.Verify(body, r.Header)
		}
		var got hook
		if err == nil {
			err = json.Unmarshal(body, &got)
		}
		if err != nil {
			t.Errorf("a webhook: %v", err)
		}
		hooks.add(got)
	}))
	t.Cleanup(server.Close)
	folder := t.TempDir()
	notices = filepath.Join(folder, "notices.yaml")
	key := filepath.Join(folder, "key")
	file := fmt.Sprintf("tenants:\n  contoso:\n    webhooks: [{url: %q, secret_file: %q}]\n", server.URL, key)
	done(t, os.WriteFile(key, []byte(hookKey), 0o600))
	done(t, os.WriteFile(notices, []byte(file), 0o600))
	return hooks, notices
}

// certify gives the application a certificate that ends at a time, in place of what it had.
func (c *company) certify(t *testing.T, ends time.Time) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	done(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "rollcall"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: ends}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	done(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	done(t, err)
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	c.put(t, control.App{ClientID: appID, Certificate: string(certificate)})
	c.proof = tenant.Credential{Kind: tenant.Certificate, ClientID: appID, File: filepath.Join(filepath.Dir(c.house.data), "rollcall.pem")}
	done(t, os.WriteFile(c.proof.File, append(certificate, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...), 0o600))
}

// awaitDestination waits until what happens from now on is sent on.
func (h *house) awaitDestination(t *testing.T) {
	t.Helper()
	b, _ := h.clients(t, h.dial(t))
	stream, err := b.JetStream().Stream(t.Context(), bus.Licenses)
	done(t, err)
	limit := time.After(patience)
	for {
		for name := range stream.ConsumerNames(t.Context()).Name() {
			if strings.HasPrefix(name, "notice-") {
				return
			}
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-limit:
			t.Fatal("nobody is told")
		}
	}
}

// A certificate that ends within a month is told by a signed webhook, once whatever is restarted, and so is that it was replaced.
func TestACertificateThatEndsIsToldByWebhook(t *testing.T) {
	t.Parallel()
	hooks, notices := listener(t)
	h := open(t, plan{unpushed: true, poll: 100 * time.Millisecond, notices: notices})
	h.awaitDestination(t)
	c := h.found(t, "contoso")
	ends := time.Now().Add(20 * 24 * time.Hour).UTC().Truncate(time.Second)
	c.certify(t, ends)
	c.hire(t, 2)
	c.connect(t)
	got := hooks.await(t, 0, "word that the certificate ends", func(hook) bool { return true })
	if got.Type != event.TypeCredentialExpiring || got.Data.Days != 30 || !got.Data.Expires.Equal(ends) ||
		!strings.Contains(got.Summary, "ends on "+ends.Format(time.DateOnly)) || !strings.Contains(got.Data.Action, "Make a new certificate") {
		t.Errorf("told %+v", got)
	}

	c.ledger.await(t, 0, "word of the receiver", observedWithin(30))
	h.stop()
	h.start(t)
	c.follow(t)
	times := 0
	c.ledger.await(t, 0, "word of the receiver that was started anew", func(m bus.Message) bool {
		if observedWithin(30)(m) {
			times++
		}
		return times == 2
	})
	h.stop()
	c.certify(t, time.Now().Add(365*24*time.Hour))
	h.start(t)
	hooks.awaitCount(t, 2)
	all, _ := hooks.since(0)
	if last := all[1]; last.Type != event.TypeCredentialReplaced || len(all) != 2 {
		t.Errorf("told %+v", all)
	}
}

// observedWithin matches what a receiver says of a credential that ends within so many days.
func observedWithin(days int) func(bus.Message) bool {
	return func(m bus.Message) bool {
		if m.Event.Type() != event.TypeConnectionObserved {
			return false
		}
		data, err := event.Data[event.ConnectionObserved](m.Event)
		return err == nil && data.Credential != nil && data.Credential.Days == days
	}
}
