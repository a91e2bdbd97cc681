package main

import (
	"bytes"
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
)

func TestMain(m *testing.M) { bustest.VerifyNoLeaks(m) }

// announced takes what the command logs, and tells when it says where it is reached.
type announced struct{ url chan string }

var address = regexp.MustCompile(`url=(http://\S+)`)

func (a announced) Write(p []byte) (int, error) {
	if found := address.FindSubmatch(p); found != nil {
		a.url <- string(found[1])
	}
	return len(p), nil
}

func TestItRunsUntilItIsTold(t *testing.T) {
	t.Parallel()
	server := bustest.StartServer(t)
	server.Bus(bus.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	log, ended := announced{make(chan string, 1)}, make(chan error, 1)
	go func() { ended <- run(ctx, []string{"--nats", server.URL(), "--addr", "127.0.0.1:0"}, log) }()
	select {
	case url := <-log.url:
		response, err := http.Get(url + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		if _ = response.Body.Close(); response.StatusCode != http.StatusOK {
			t.Errorf("healthz: %s", response.Status)
		}
		http.DefaultClient.CloseIdleConnections()
	case err := <-ended:
		t.Fatalf("it ended with %v", err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
}

func TestACommandSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"flag provided but not defined": {"--user", "ada"},
		"connect to NATS":               {"--nats", "nats://127.0.0.1:1"},
	} {
		var stderr bytes.Buffer
		if err := run(t.Context(), args, &stderr); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v: %v", args, err)
		}
	}
	if err := run(t.Context(), []string{"--help"}, &bytes.Buffer{}); err != nil {
		t.Errorf("help: %v", err)
	}
}
