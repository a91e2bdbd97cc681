// Package processtest runs a command's own main, in a process of its own, for the command's tests.
package processtest

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asMain tells the test binary that it is the command.
const asMain = "ROLLCALL_TEST_AS_MAIN"

const patience = time.Minute

// Main is the TestMain of a command: the test binary that Start starts runs main, and does not return.
func Main(m *testing.M, main func()) {
	if os.Getenv(asMain) != "" {
		main()
	}
	os.Exit(m.Run())
}

// Command is a running command.
type Command struct {
	tb   testing.TB
	cmd  *exec.Cmd
	url  string
	logs chan string // all that it logged, when it has ended
}

// Start starts the command with settings of the form ROLLCALL_X=value, its data in a new folder and HTTP on a free port, and
// waits until it is ready. The test ends it as an operator does, and fails if it does not end well.
func Start(tb testing.TB, settings ...string) *Command {
	tb.Helper()
	c := &Command{tb: tb, cmd: exec.Command(os.Args[0]), logs: make(chan string, 1)}
	c.cmd.Env = slices.Concat(os.Environ(), settings,
		[]string{asMain + "=1", "ROLLCALL_HTTP_ADDR=127.0.0.1:0", "ROLLCALL_DATA=" + filepath.Join(tb.TempDir(), "data")})
	stderr, err := c.cmd.StderrPipe()
	if err == nil {
		err = c.cmd.Start()
	}
	if err != nil {
		tb.Fatal(err)
	}
	address := make(chan string, 1)
	go c.follow(stderr, address)
	tb.Cleanup(c.stop)
	if c.url = <-address; c.url == "" {
		tb.Fatal("it ended before it ran")
	}
	c.awaitReady()
	return c
}

// follow reads the log, and sends where HTTP is served: "" where the command ends before it says so.
func (c *Command) follow(stderr io.Reader, address chan<- string) {
	var all strings.Builder
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		all.WriteString(lines.Text() + "\n")
		var line struct{ Msg, HTTP string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "running" {
			address <- line.HTTP
		}
	}
	close(address)
	c.logs <- all.String()
}

func (c *Command) awaitReady() {
	c.tb.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for {
		status, body := c.Do(http.MethodGet, "/readyz")
		if status == http.StatusOK {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			c.tb.Fatalf("not ready: %s", body)
		}
	}
}

// Do asks the command for a path.
func (c *Command) Do(method, path string) (status int, body string) {
	c.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, nil)
	if err != nil {
		c.tb.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		c.tb.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		c.tb.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// stop ends the command with SIGTERM, and kills it when that takes too long.
func (c *Command) stop() {
	kill := time.AfterFunc(patience, func() { _ = c.cmd.Process.Kill() })
	defer kill.Stop()
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	logs := <-c.logs // read to the end before Wait closes the pipe
	err := c.cmd.Wait()
	if err != nil || !strings.Contains(logs, `"msg":"stopped"`) {
		c.tb.Errorf("it ended with %v", err)
	}
	if c.tb.Failed() {
		c.tb.Logf("it logged:\n%s", logs)
	}
}
