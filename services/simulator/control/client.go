// Package control is the client of the simulator's control API: it makes tenants, changes their directories, injects
// faults and reads what the simulator served. Users and groups are named by id or by address.
package control

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// Client speaks to one simulator. It is safe for concurrent use.
type Client struct {
	base string
	http *http.Client
	via  Via
}

// New returns a client for the simulator at baseURL, e.g. https://127.0.0.1:7443. The HTTP client must trust the
// simulator's certificate; see NewWithCA.
func New(baseURL string, client *http.Client) *Client {
	return &Client{base: strings.TrimRight(baseURL, "/"), http: client}
}

// NewWithCA is New with an HTTP client that trusts only the certificate authority in the PEM file caFile.
func NewWithCA(baseURL, caFile string) (*Client, error) {
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("read the simulator's certificate authority: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read the simulator's certificate authority: %s holds no certificate", caFile)
	}
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2: true,
	}
	return New(baseURL, &http.Client{Transport: transport}), nil
}

// Error is an answer other than success.
type Error struct {
	Status  int    // HTTP status
	Code    string // not-found, exists, invalid, read-only, forgotten or internal
	Message string
}

func (e *Error) Error() string { return e.Message }

// ErrNotFound is what errors.Is finds in an Error with code not-found.
var ErrNotFound = errors.New("the simulator knows no such object")

// Is reports whether target is the sentinel for the error's code.
func (e *Error) Is(target error) bool { return target == ErrNotFound && e.Code == "not-found" }

// path joins escaped segments below /control.
func path(segments ...string) string {
	var b strings.Builder
	b.WriteString("/control")
	for _, s := range segments {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(s))
	}
	return b.String()
}

// do sends in as JSON, when it is not nil, and reads the answer into out, when that is not nil.
func (c *Client) do(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("encode a control request: %w", err)
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return fmt.Errorf("make a control request: %w", err)
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.via != ViaConsole && method != http.MethodGet {
		q := req.URL.Query()
		q.Set("via", string(c.via))
		req.URL.RawQuery = q.Encode()
	}
	res, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("call the simulator: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode >= http.StatusBadRequest {
		return readError(res)
	}
	if out == nil {
		_, err = io.Copy(io.Discard, res.Body)
	} else {
		err = json.NewDecoder(res.Body).Decode(out)
	}
	if err != nil {
		return fmt.Errorf("read the simulator's answer: %w", err)
	}
	return nil
}

func readError(res *http.Response) error {
	var body struct{ Code, Message string }
	raw, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if json.Unmarshal(raw, &body) != nil || body.Message == "" {
		body.Message = "the simulator answered " + res.Status
	}
	return &Error{Status: res.StatusCode, Code: body.Code, Message: body.Message}
}

func (c *Client) change(ctx context.Context, method, path string, in any) (Change, error) {
	var out Change
	err := c.do(ctx, method, path, in, &out)
	return out, err
}
