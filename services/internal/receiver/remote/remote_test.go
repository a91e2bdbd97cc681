package remote

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

func TestPools(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	one, same := write("one.pem", ca), write("same.pem", ca)

	var pools Pools
	t.Cleanup(pools.Close)
	get := func(file string) (*http.Transport, error) {
		transport, err := pools.Transport(file)
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		res, err := transport.RoundTrip(req)
		if err == nil {
			_ = res.Body.Close()
		}
		return transport, err
	}
	first, err := get(one)
	if err != nil {
		t.Errorf("with its CA: %v", err)
	}
	if second, err := get(same); err != nil || second != first {
		t.Errorf("the same certificates in another file: %v, other connections: %v", err, second != first)
	}
	if public, err := get(""); err == nil || public == first {
		t.Error("a private CA is trusted by who does not name it")
	}
	for file, want := range map[string]string{filepath.Join(dir, "none"): "no such file", write("bad.pem", []byte("hunter2")): "no certificate"} {
		if _, err := pools.Transport(file); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestObserved(t *testing.T) {
	t.Parallel()
	away := errors.New("away")
	var told []string
	for _, answer := range []func() (*http.Response, error){
		func() (*http.Response, error) { return &http.Response{StatusCode: http.StatusTeapot}, nil },
		func() (*http.Response, error) { return nil, away },
	} {
		o := Observed{
			Next: roundTrip(func(*http.Request) (*http.Response, error) { return answer() }), Route: Route,
			Tell: func(method, route string, status int, _ time.Duration) {
				told = append(told, method+" "+route+" "+http.StatusText(status))
			},
		}
		_, _ = o.RoundTrip(request(WithRoute(t.Context(), "/users/{id}"), t, "https://api.example/users/ada"))
	}
	if got := strings.Join(told, "; "); got != "GET /users/{id} I'm a teapot; GET /users/{id} " {
		t.Errorf("told %q", got)
	}
}

func TestCapped(t *testing.T) {
	t.Parallel()
	for limit, want := range map[int64]error{4: ErrTooLong, 5: nil} {
		got, err := io.ReadAll(Capped(io.NopCloser(strings.NewReader("12345")), limit))
		if !errors.Is(err, want) || (err == nil) != (want == nil) || want == nil && string(got) != "12345" {
			t.Errorf("limit %d: %q, %v", limit, got, err)
		}
	}
}

func TestRecorder(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		res  *http.Response
		err  error
		want Record
	}{
		"success": {&http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader("token"))}, nil, Record{Status: 200}},
		"refusal": {&http.Response{StatusCode: 400, Body: io.NopCloser(strings.NewReader("no"))}, nil, Record{Status: 400, Body: []byte("no")}},
		"away":    {nil, &url.Error{URL: "https://api.example/?q=ada", Err: io.ErrUnexpectedEOF}, Record{Err: io.ErrUnexpectedEOF}},
	} {
		ctx, seen := WithRecord(t.Context())
		res, _ := Recorder{roundTrip(func(*http.Request) (*http.Response, error) { return c.res, c.err })}.RoundTrip(request(ctx, t, "https://api.example/x"))
		if seen.Status != c.want.Status || string(seen.Body) != string(c.want.Body) || !errors.Is(seen.Err, c.want.Err) || seen.URL.Path != "/x" {
			t.Errorf("%s: recorded %+v", name, seen)
		}
		if res == nil {
			continue
		}
		if body, err := io.ReadAll(res.Body); err != nil || len(body) == 0 {
			t.Errorf("%s: %q, %v is left of the answer", name, body, err)
		}
		_ = res.Body.Close()
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]Wait{
		"7": {7 * time.Second, true}, "0": {0, true}, "0.5": {500 * time.Millisecond, true}, "-1": {}, "": {}, "soon": {}, "NaN": {}, "1e300": {Longest, true},
		"Sun, 22 Nov 2026 10:00:30 GMT": {30 * time.Second, true}, "Sun, 22 Nov 2026 09:00:00 GMT": {0, true},
	} {
		got := RetryAfter(http.Header{"Retry-After": {raw}, "Date": {"Sun, 22 Nov 2026 10:00:00 GMT"}})
		if got != want {
			t.Errorf("%q: %v, want %v", raw, got, want)
		}
	}
	if got := RetryAfter(http.Header{"Retry-After": {"Sun, 22 Nov 2026 10:00:30 GMT"}}); got.Told {
		t.Errorf("%v without a date to count from", got)
	}
}

func TestThrottled(t *testing.T) {
	t.Parallel()
	told := Wait{3 * time.Second, true}
	for _, c := range []struct {
		status int
		wait   Wait
		want   error
	}{
		{429, Wait{}, receiver.ErrThrottled{After: time.Minute}},
		{429, told, receiver.ErrThrottled{After: told.For}},
		{503, told, receiver.ErrThrottled{After: told.For}},
		{504, told, receiver.ErrThrottled{After: told.For}},
		{503, Wait{}, nil},
		{500, told, nil},
		{403, told, nil},
	} {
		if got := Throttled(c.status, c.wait, time.Minute); !errors.Is(got, c.want) {
			t.Errorf("%d, %v: %v, want %v", c.status, c.wait, got, c.want)
		}
	}
}

func TestBase(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"https://api.example/v1/": "https://api.example/v1", "https://127.0.0.1:8443": "https://127.0.0.1:8443",
		"http://api.example": "", "https://": "", "https://ada@api.example": "", "https://api.example?x": "", "https://api.example/#x": "", "": "", "%": "",
	} {
		got, err := Base(raw)
		if (err == nil) != (want != "") || err == nil && got.String() != want {
			t.Errorf("%q: %v, %v", raw, got, err)
		}
	}
	base, err := Base("https://api.example/v1")
	if err != nil {
		t.Fatal(err)
	}
	for link, want := range map[string]bool{
		"https://API.example/v1/users?x=1": true, "http://api.example/v1": false, "https://api.example.evil/v1": false, "https://x@api.example/": false, "/v1": false, "%": false,
	} {
		if Owns(base, link) != want {
			t.Errorf("owns %q: %v", link, !want)
		}
	}
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "secret")
	if err := os.WriteFile(path, []byte("hunter2"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := SecretFile("key", path); err != nil || string(got) != "hunter2" {
		t.Errorf("%q, %v", got, err)
	}
	if err := os.WriteFile(path, make([]byte, maxFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := SecretFile("key", path); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("%v", err)
	}
	for _, gone := range []string{filepath.Join(dir, "none"), dir} {
		if _, err := SecretFile("key", gone); err == nil || strings.Count(err.Error(), gone) != 1 {
			t.Errorf("%v, want the path once", err)
		}
	}
	env := func(name string) (string, bool) { return map[string]string{"A": " hunter2\n"}[name], true }
	if got, err := SecretEnv("A", env); err != nil || got != "hunter2" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := SecretEnv("B", env); err == nil || !strings.Contains(err.Error(), "B") {
		t.Errorf("%v", err)
	}
}

func FuzzCode(f *testing.F) {
	for _, seed := range []string{"Request_ResourceNotFound", "ada@contoso.com", strings.Repeat("x", 65), "é"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got := Code(s); got != "" && got != s || len(got) > 64 || strings.ContainsAny(got, "@ /:\n") {
			t.Errorf("%q of %q", got, s)
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func request(ctx context.Context, t *testing.T, address string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	return req
}
