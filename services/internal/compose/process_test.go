package compose

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/nats-io/nats-server/v2/server"
)

// image is what deploy/Dockerfile says of the image that the services share.
type image struct {
	binaries   string // folder of the built programs, in place of /usr/local/bin
	entrypoint []string
	command    []string
}

const binaries = "/usr/local/bin/"

// readImage reads the Dockerfile's last ENTRYPOINT and CMD, and builds the programs that it builds.
func readImage(t *testing.T) image {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "deploy", "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	i := image{binaries: t.TempDir(), entrypoint: instruction(t, text, "ENTRYPOINT"), command: instruction(t, text, "CMD")}
	programs := regexp.MustCompile(`\./services/\S+/cmd/\w+`).FindAllString(string(text), -1)
	if len(programs) == 0 {
		t.Fatal("deploy/Dockerfile builds no program of ours")
	}
	build := exec.CommandContext(t.Context(), "go", slices.Concat([]string{"build", "-buildvcs=false", "-o", i.binaries + "/"}, raceFlag, programs)...)
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build what the image builds: %v\n%s", err, out)
	}
	return i
}

// instruction returns the words of a Dockerfile's last instruction of that name, in its JSON form.
func instruction(t *testing.T, dockerfile []byte, name string) []string {
	t.Helper()
	all := regexp.MustCompile(`(?m)^`+name+` (\[.*\])$`).FindAllSubmatch(dockerfile, -1)
	if len(all) == 0 {
		t.Fatalf("deploy/Dockerfile has no %s in JSON form", name)
	}
	var words []string
	if err := json.Unmarshal(all[len(all)-1][1], &words); err != nil {
		t.Fatalf("deploy/Dockerfile, %s: %v", name, err)
	}
	return words
}

// commandLine is what the container would run, with its program where it was built.
func (i image) commandLine(service types.ServiceConfig) ([]string, error) {
	entrypoint, command := i.entrypoint, i.command
	if len(service.Entrypoint) > 0 {
		entrypoint, command = service.Entrypoint, nil // as an image's command does not outlive its entry point
	}
	if len(service.Command) > 0 {
		command = service.Command
	}
	program, found := strings.CutPrefix(entrypoint[0], binaries)
	if !found {
		return nil, fmt.Errorf("%s runs %s, which is not below %s", service.Name, entrypoint[0], binaries)
	}
	return slices.Concat([]string{filepath.Join(i.binaries, program)}, entrypoint[1:], command), nil
}

// process is a running program with what it has printed.
type process struct {
	name   string
	cmd    *exec.Cmd
	output lockedBuffer
	ended  chan struct{}
	err    error // once ended is closed
}

// start runs a service's program until the test ends, and then wants it to end well within its grace period.
func start(t *testing.T, s *stage, i image, service types.ServiceConfig) *process {
	t.Helper()
	line, err := i.commandLine(service)
	if err != nil {
		t.Fatal(err)
	}
	line = s.words(service, line)
	// Without a context: it ends by SIGTERM, as a container does.
	p := &process{name: service.Name, cmd: exec.Command(line[0], line[1:]...), ended: make(chan struct{})}
	p.cmd.Env = s.environment(service)
	p.cmd.Dir = t.TempDir()
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", service.Name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	grace := 10 * time.Second
	if service.StopGracePeriod != nil {
		grace = time.Duration(*service.StopGracePeriod)
	}
	t.Cleanup(func() { p.stop(t, grace) })
	return p
}

func (p *process) stop(t *testing.T, grace time.Duration) {
	t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
		if p.err != nil {
			t.Errorf("%s ended with %v", p.name, p.err)
		}
	case <-time.After(grace):
		_ = p.cmd.Process.Kill()
		<-p.ended
		t.Errorf("%s did not end within %s of SIGTERM", p.name, grace)
	}
	if t.Failed() {
		t.Logf("%s printed:\n%s", p.name, p.output.String())
	}
}

// startNATS runs the server with the configuration file that the service mounts and names.
func startNATS(t *testing.T, s *stage, service types.ServiceConfig) {
	t.Helper()
	at := slices.Index([]string(service.Command), "--config")
	if at < 0 || at+1 >= len(service.Command) {
		t.Fatalf("%s is started without --config: %v", service.Name, service.Command)
	}
	options, err := server.ProcessConfigFile(s.here(service, service.Command[at+1]))
	if err != nil {
		t.Fatalf("configuration of %s: %v", service.Name, err)
	}
	if !options.JetStream || !options.SyncAlways {
		t.Errorf("%s: want JetStream with sync_interval always", service.Name)
	}
	if stored := s.here(service, options.StoreDir); stored == options.StoreDir {
		t.Errorf("%s stores in %s, which is on no volume", service.Name, stored)
	} else {
		options.StoreDir = stored
	}
	options.Host, options.Port = moved(t, s, service, options.Port)
	options.HTTPHost, options.HTTPPort = moved(t, s, service, options.HTTPPort)
	options.NoSigs, options.NoLog = true, true
	running, err := server.NewServer(options)
	if err != nil {
		t.Fatalf("set up %s: %v", service.Name, err)
	}
	running.Start()
	t.Cleanup(func() {
		running.Shutdown()
		running.WaitForShutdown()
	})
}

// moved is the loopback address in place of a service's port.
func moved(t *testing.T, s *stage, service types.ServiceConfig, port int) (string, int) {
	t.Helper()
	host, text, err := net.SplitHostPort(s.ports[service.Name][port])
	if err != nil {
		t.Fatalf("%s listens at port %d, which the compose file does not know: %v", service.Name, port, err)
	}
	number, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return host, number
}

// await runs a service's health check until it passes, at most as long as Docker would wait.
func await(t *testing.T, s *stage, service types.ServiceConfig, ended <-chan struct{}) {
	t.Helper()
	check := service.HealthCheck
	if check == nil || check.StartPeriod == nil || check.Interval == nil || check.Retries == nil {
		t.Fatalf("%s has no whole health check", service.Name)
	}
	patience := time.Duration(*check.StartPeriod) + time.Duration(*check.Interval)*time.Duration(*check.Retries)
	limit := time.After(patience)
	for poll := time.NewTicker(100 * time.Millisecond); ; {
		fault := healthy(t, s.words(service, check.Test), time.Duration(*check.Timeout))
		if fault == nil {
			poll.Stop()
			return
		}
		select {
		case <-poll.C:
		case <-ended:
			t.Fatalf("%s ended before it was healthy", service.Name)
		case <-limit:
			t.Fatalf("%s is not healthy after %s: %v", service.Name, patience, fault)
		}
	}
}

// healthy does what a check's `wget --spider <url>` does, since this machine may have no wget.
func healthy(t *testing.T, test []string, timeout time.Duration) error {
	t.Helper()
	if len(test) < 3 || test[0] != "CMD" || test[1] != "wget" || !slices.Contains(test, "--spider") {
		t.Fatalf("health check %v: only `wget --spider <url>` is understood here", test)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, test[len(test)-1], http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: slices.Contains(test, "--no-check-certificate")}}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Timeout: timeout, Transport: transport}).Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("answer %s", response.Status)
	}
	return nil
}

// lockedBuffer takes a process's output while others read it.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
