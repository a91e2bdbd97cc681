package house

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Process is a running program.
type Process struct {
	Said   *Tail // what it said last
	name   string
	cmd    *exec.Cmd
	stdin  io.Closer
	exited chan struct{}
}

// Start starts a program in an environment. What it says is written to all of these, too. Its standard input ends with the
// caller, however that comes to its end.
func Start(env []string, said []io.Writer, program string, args ...string) (*Process, error) {
	p := &Process{
		Said: &Tail{}, name: strings.Join(append([]string{filepath.Base(program)}, args...), " "),
		cmd: exec.Command(program, args...), exited: make(chan struct{}), //nolint:gosec,noctx // what the caller wants to run, until it is killed
	}
	out := io.MultiWriter(append([]io.Writer{p.Said}, said...)...)
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = env, out, out
	stdin, err := p.cmd.StdinPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	p.stdin = stdin
	go func() {
		_ = p.cmd.Wait()
		close(p.exited)
	}()
	return p, nil
}

// Kill ends the process as a power cut would: it gets no chance to do anything.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.exited
}

// Signal sends the process a signal.
func (p *Process) Signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// Exited is closed when the process has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Alive reports whether the process has not ended.
func (p *Process) Alive() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// How AwaitOK asks.
const (
	answerWithin = time.Minute
	askAgain     = 20 * time.Millisecond
)

// AwaitOK asks a URL until it answers 200. It fails when the process ends, or when a minute has passed.
func (p *Process) AwaitOK(ctx context.Context, url string) error {
	client := impatient()
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	for ctx.Err() == nil && p.Alive() {
		if ok(ctx, client, url) {
			return nil
		}
		select {
		case <-ctx.Done():
		case <-p.exited:
		case <-time.After(askAgain):
		}
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	return fmt.Errorf("%s did not answer; %s said:\n%s", url, p.name, p.Said)
}

// impatient asks a process on this machine, whatever its certificate.
func impatient() *http.Client {
	return &http.Client{
		Timeout:   2 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}, //nolint:gosec // G402: of this machine, and nothing is told it
	}
}

func ok(ctx context.Context, client *http.Client, url string) bool {
	res, err := get(ctx, client, url)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

func get(ctx context.Context, client *http.Client, url string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	return client.Do(req)
}

// kept is how many bytes of what a process says a Tail keeps.
const kept = 16 << 10

// Tail keeps the last of what a process says, and what NATS refused it. It is safe for concurrent use.
type Tail struct {
	mu      sync.Mutex
	last    []byte
	refused string
}

func (w *Tail) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = append(w.last, p...)
	if bytes.Contains(p, []byte("ermissions ")) {
		w.refused += string(p)
	}
	if extra := len(w.last) - kept; extra > 0 {
		w.last = bytes.Clone(w.last[extra:])
	}
	return len(p), nil
}

func (w *Tail) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.TrimSpace(string(w.last))
}

// Refused is what the process said of rights that NATS denied it; "" for none.
func (w *Tail) Refused() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.refused
}

// Ports for what is killed and comes back: below those that systems give to connections, one of which could take the place
// of a process that is away.
const (
	lowestPort  = 20_000
	highestPort = 32_000
)

// reserved are the UDP ports of the addresses that were handed out: nobody needs them, and nobody else has them, in this process or
// another, while this one lives.
var reserved struct {
	sync.Mutex
	ports []net.PacketConn // a listener that nothing refers to is closed
}

// FreeAddress is a loopback address that nobody listens at now, that no connection will take meanwhile, and that nobody else is
// given.
func FreeAddress(ctx context.Context) (address string, err error) {
	for range 100 {
		address = fmt.Sprintf("127.0.0.1:%d", lowestPort+rand.IntN(highestPort-lowestPort)) //nolint:gosec // G404: any will do
		var mine net.PacketConn
		if mine, err = (&net.ListenConfig{}).ListenPacket(ctx, "udp", address); err != nil {
			continue
		}
		var listener net.Listener
		if listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", address); err != nil {
			_ = mine.Close()
			continue
		}
		reserved.Lock()
		reserved.ports = append(reserved.ports, mine)
		reserved.Unlock()
		return address, listener.Close()
	}
	return "", fmt.Errorf("find a free port: %w", err)
}
