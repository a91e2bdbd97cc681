package notice

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// The headers of Standard Webhooks 1.0.0.
const (
	headerID        = "Webhook-Id"
	headerTimestamp = "Webhook-Timestamp"
	headerSignature = "Webhook-Signature"
)

// payload is the body of a webhook, in the form that Standard Webhooks recommends.
type payload struct {
	Type      string          `json:"type"`
	Timestamp time.Time       `json:"timestamp"`
	Tenant    string          `json:"tenant"`
	Summary   string          `json:"summary"`
	Data      json.RawMessage `json:"data"`
}

// webhook posts notices to one URL.
type webhook struct {
	Webhook
	client *http.Client
	now    func() time.Time
}

// newClient follows no redirect: a notice is for whom the file names.
func newClient() *http.Client {
	return &http.Client{
		Timeout:       15 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// send posts the notice, signed with the key as it is now, and wants a status of 200 to 299.
func (w webhook) send(ctx context.Context, n Notice) error {
	key, err := readSecret(w.SecretFile)
	if err != nil {
		return err
	}
	body, err := json.Marshal(payload{Type: n.Type, Timestamp: n.Time.UTC(), Tenant: n.Tenant, Summary: n.Subject, Data: n.Data})
	if err != nil {
		return fmt.Errorf("write the webhook: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make the request of a webhook: %w", err)
	}
	at := strconv.FormatInt(w.now().Unix(), 10)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "Rollcall")
	request.Header.Set(headerID, n.ID)
	request.Header.Set(headerTimestamp, at)
	request.Header.Set(headerSignature, sign(key, n.ID, at, body))
	response, err := w.client.Do(request)
	if err != nil {
		if failed, ok := errors.AsType[*url.Error](err); ok {
			err = failed.Err // without the URL, which may hold what only its owner knows
		}
		return fmt.Errorf("post the webhook: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.CopyN(io.Discard, response.Body, 64<<10) // so that the connection can be used again
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("post the webhook: the answer is %s", response.Status)
	}
	return nil
}

// sign is the signature of Standard Webhooks: HMAC-SHA256 of id, time and body, with full stops between them.
func sign(key []byte, id, at string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	_, _ = fmt.Fprintf(mac, "%s.%s.", id, at)
	_, _ = mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
