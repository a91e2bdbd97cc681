package httpserver_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-hq/rollcall/services/internal/httpserver"
	"github.com/rollcall-hq/rollcall/services/internal/telemetry"
)

// serve runs a server on a free port and returns its URL and how to end it.
func serve(t *testing.T, cfg httpserver.Config, deps httpserver.Deps) (url string, end func() error) {
	t.Helper()
	if cfg.Addr == "" {
		cfg.Addr = "127.0.0.1:0"
	}
	deps.Logger = telemetry.Discard()
	s, err := httpserver.New(cfg, deps)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(cancel)
	return s.URL(), func() error { cancel(); return <-ended }
}

func get(t *testing.T, client *http.Client, url string) (int, string) {
	t.Helper()
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func TestHealthReadinessMetricsAndTheHandler(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewCounter(prometheus.CounterOpts{Name: "rollcall_test_total"}))
	var away atomic.Bool
	away.Store(true)
	url, end := serve(t, httpserver.Config{}, httpserver.Deps{
		Metrics: registry,
		Ready: func() []httpserver.Check {
			return []httpserver.Check{
				{Name: "nats", Ready: func(context.Context) error {
					if away.Load() {
						return errors.New("not connected")
					}
					return nil
				}},
				{Name: "worker", Ready: func(context.Context) error { return nil }},
			}
		},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }),
	})
	if status, _ := get(t, http.DefaultClient, url+"/healthz"); status != http.StatusOK {
		t.Errorf("/healthz: %d", status)
	}
	status, body := get(t, http.DefaultClient, url+"/readyz")
	var answer struct {
		Ready  bool
		Checks map[string]string
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatal(err)
	}
	if status != http.StatusServiceUnavailable || answer.Ready || answer.Checks["nats"] != "not connected" || answer.Checks["worker"] != "ok" {
		t.Errorf("/readyz while NATS is away: %d %s", status, body)
	}
	away.Store(false)
	if status, body := get(t, http.DefaultClient, url+"/readyz"); status != http.StatusOK || !strings.Contains(body, `"ready":true`) {
		t.Errorf("/readyz: %d %s", status, body)
	}
	if _, body := get(t, http.DefaultClient, url+"/metrics"); !strings.Contains(body, "rollcall_test_total 0") {
		t.Errorf("/metrics: %s", body)
	}
	if status, _ := get(t, http.DefaultClient, url+"/graph/notifications"); status != http.StatusTeapot {
		t.Errorf("the handler was not asked: %d", status)
	}
	if err := end(); err != nil {
		t.Errorf("ended with %v", err)
	}
}

func TestRequestsInHandAreFinished(t *testing.T) {
	t.Parallel()
	arrived, release := make(chan struct{}), make(chan struct{})
	url, end := serve(t, httpserver.Config{}, httpserver.Deps{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			close(arrived)
			<-release
			w.WriteHeader(http.StatusAccepted)
		}),
	})
	answered := make(chan int, 1)
	go func() {
		status := 0
		if res, err := http.Post(url+"/x", "text/plain", nil); err == nil {
			status = res.StatusCode
			_ = res.Body.Close()
		}
		answered <- status
	}()
	<-arrived
	ended := make(chan error, 1)
	go func() { ended <- end() }()
	close(release)
	if status := <-answered; status != http.StatusAccepted {
		t.Errorf("the request in hand got %d", status)
	}
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
}

// A request that outlasts the drain is broken off: its handler must not run on behind a server that has ended.
func TestRequestsThatOutlastTheDrainAreBrokenOff(t *testing.T) {
	t.Parallel()
	arrived, left := make(chan struct{}), make(chan struct{})
	url, end := serve(t, httpserver.Config{Drain: time.Millisecond}, httpserver.Deps{
		Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			close(arrived)
			<-r.Context().Done()
			close(left)
		}),
	})
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		if res, err := http.Post(url+"/x", "text/plain", nil); err == nil {
			_ = res.Body.Close()
		}
	}()
	<-arrived
	if err := end(); err == nil {
		t.Error("ended as if nothing had been in hand")
	}
	for _, done := range []chan struct{}{left, asked} {
		select {
		case <-done:
		case <-time.After(5 * time.Second):
			t.Fatal("the request is still in hand")
		}
	}
}

func TestATakenPortIsReplacedWhenAsked(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	cfg := httpserver.Config{Addr: taken.Addr().String()}
	if _, err := httpserver.New(cfg, httpserver.Deps{Logger: telemetry.Discard()}); err == nil {
		t.Fatal("listens on a taken port")
	}
	cfg.ReplaceTakenPort = true
	s, err := httpserver.New(cfg, httpserver.Deps{Logger: telemetry.Discard()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if !s.Moved() || strings.HasSuffix(s.URL(), cfg.Addr) {
		t.Errorf("moved %v, URL %s", s.Moved(), s.URL())
	}
}
