package crash

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/services/rollcall/internal/house"
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
type process struct{ *house.Process }

func start(t *testing.T, env []string, program string, args ...string) *process {
	t.Helper()
	started, err := house.Start(append(os.Environ(), env...), nil, program, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		started.Kill()
		if t.Failed() {
			t.Logf("%s said last:\n%s", filepath.Base(program), started.Said)
		}
	})
	return &process{started}
}

// awaitOK asks a URL until it answers 200.
func (p *process) awaitOK(t *testing.T, url string) {
	t.Helper()
	if err := p.AwaitOK(t.Context(), url); err != nil {
		t.Fatal(err)
	}
}

// freeAddress is a loopback address that nobody listens at now.
func freeAddress(t *testing.T) string {
	t.Helper()
	address, err := house.FreeAddress(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// certificate is what rollcall takes pushes with, as PEM files that go with the test.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	cert, key, err := house.Certificate(t.TempDir(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
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
