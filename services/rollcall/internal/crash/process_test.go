package crash

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// build compiles the programs under test into a folder that goes with the test.
func build(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", folder+"/",
		"github.com/rollcall-hq/rollcall/services/rollcall/cmd/rollcall",
		"github.com/rollcall-hq/rollcall/services/simulator/cmd/simulator")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the programs: %v\n%s", err, out)
	}
	return folder
}

// process is a running program. What it says is shown when the test fails.
type process struct {
	cmd    *exec.Cmd
	said   *tail
	exited chan struct{}
}

func start(t *testing.T, env []string, program string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(program, args...), said: &tail{}, exited: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = p.said, p.said
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", program, err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.exited)
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%s said last:\n%s", filepath.Base(program), p.said)
		}
	})
	return p
}

// kill ends the process as a power cut would: it gets no chance to do anything.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.exited
}

// alive reports whether the process has not ended by itself.
func (p *process) alive() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// awaitOK asks a URL until it answers 200, and fails the test when the process ends or a minute has passed.
func (p *process) awaitOK(t *testing.T, url string) {
	t.Helper()
	client := impatient()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for ctx.Err() == nil && p.alive() {
		if ok(ctx, client, url) {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Fatalf("%s did not answer; the process said:\n%s", url, p.said)
}

// impatient asks a process on this machine, whatever its certificate.
func impatient() *http.Client {
	return &http.Client{
		Timeout:   2 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true},
	}
}

func ok(ctx context.Context, client *http.Client, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	res, err := client.Do(req)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// tail keeps the last of what a process says, and what NATS refused it.
type tail struct {
	mu      sync.Mutex
	last    []byte
	refused string
}

func (w *tail) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = append(w.last, p...)
	if bytes.Contains(p, []byte("ermissions ")) {
		w.refused += string(p)
	}
	if extra := len(w.last) - 16<<10; extra > 0 {
		w.last = bytes.Clone(w.last[extra:])
	}
	return len(p), nil
}

func (w *tail) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.TrimSpace(string(w.last))
}

// freeAddress is a loopback address that nobody listens at now.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// run runs a command of rollcall to its end.
func run(t *testing.T, env []string, program string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, fmt.Sprintf("%.4000s", out))
	}
}
