package endtoend

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/simulator"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/workspacetest"
)

var volume = flag.Bool("volume", false, "read a domain of 1,000,000 users and a group of 200,000 at full size, rather than a fiftieth of them")

// most is the memory that a receiver may ever have had.
const most = 256 << 20

// TestFullReadInBoundedMemory: a receiver by itself reads a large customer within its memory, and within Google's quota: the
// simulator, which refuses what is beyond 2,400 requests a minute, refuses nothing.
func TestFullReadInBoundedMemory(t *testing.T) {
	t.Parallel()
	users, members, patience := 20_000, 4_000, patience
	if *volume {
		users, members, patience = 1_000_000, 200_000, 10*time.Minute
	}
	v := openVolume(t)
	v.fill(t, users, members)
	receiver := v.start(t)
	began := time.Now()
	ended := v.awaitSnapshot(t, patience)
	took, peak := time.Since(began), peakOf(t, receiver)
	served, calls := v.served(t), 0
	for route, counter := range served {
		calls += counter.Requests
		if counter.Failed+counter.Throttled > 0 {
			t.Errorf("%s: %d requests were refused", route, counter.Failed+counter.Throttled)
		}
	}
	t.Logf("%d users, a group of %d: %d calls in %s, %d pages, %d MiB at most", users, members, calls, took.Round(time.Second), ended.Pages, peak>>20)
	if least := users/500 + members/200; calls < least || calls > least+least/4+50 {
		t.Errorf("%d calls, of which %d are pages", calls, least)
	}
	if peak > most {
		t.Errorf("the receiver took %d MiB", peak>>20)
	}
}

// customer is a large Workspace directory, and a NATS server, beside the receiver that reads it.
type customer struct {
	sim     *simulator.Server
	control *control.Client
	nats    *bustest.Server
	bus     *bus.Bus
	account *workspacetest.Account
}

const initech = "initech"

func openVolume(t *testing.T) *customer {
	t.Helper()
	sim, err := simulator.New(simulator.Config{}, simulator.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	background(t, "the simulator", sim.Run)
	v := &customer{sim: sim, nats: bustest.StartServer(t), account: workspacetest.New(t)}
	http := client(t, sim.CAFile())
	http.Timeout = 10 * time.Minute // a million users are made in one request
	v.control = control.New(sim.URL(), http)
	v.bus = v.nats.Bus(bus.Config{})
	return v
}

// fill makes the users and the provisioning group, and connects the customer.
func (v *customer) fill(t *testing.T, users, members int) {
	t.Helper()
	domain := initech + ".com"
	made, err := v.control.PutTenant(t.Context(), control.Tenant{
		ID: initech, Provider: directory.GoogleWorkspace, Domains: []string{domain}, App: v.account.App(),
	})
	if err != nil {
		t.Fatal(err)
	}
	must(t)(v.control.Generate(t.Context(), initech, control.Generate{Users: users, Seed: 7}))
	all, err := v.control.Users(t.Context(), initech)
	if err != nil {
		t.Fatal(err)
	}
	group := must(t)(v.control.AddGroup(t.Context(), initech, control.NewGroup{Address: seats + "@" + domain})).ID
	for portion := range slices.Chunk(all[:members], 10_000) {
		ids := make([]string, len(portion))
		for i, u := range portion {
			ids[i] = u.ID
		}
		must(t)(v.control.AddMembers(t.Context(), initech, group, ids...))
	}
	kv, err := v.bus.KeyValue(t.Context(), bus.BucketTenants)
	if err != nil {
		t.Fatal(err)
	}
	if err := tenant.NewRegistry(kv).Put(t.Context(), tenant.Tenant{
		ID: initech, Provider: directory.GoogleWorkspace, DirectoryID: made.DirectoryID, Domain: domain,
		Products: []tenant.Product{tenant.SecureShare()}, Credential: v.account.Credential(domain),
		Endpoints: tenant.Endpoints{API: v.sim.URL(), Authority: v.sim.URL(), CAFile: v.sim.CAFile()}, CreatedAt: time.Now().UTC(),
	}); err != nil {
		t.Fatal(err)
	}
}

// start builds the receiver and runs it as a process of its own.
func (v *customer) start(t *testing.T) *exec.Cmd {
	t.Helper()
	program := filepath.Join(t.TempDir(), "workspace-receiver")
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", program,
		"github.com/rollcall-hq/rollcall/services/workspace-receiver/cmd/workspace-receiver")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the receiver: %v\n%s", err, out)
	}
	said := &tail{}
	receiver := exec.Command(program)
	receiver.Stdout, receiver.Stderr = said, said
	receiver.Env = append(os.Environ(), "ROLLCALL_NATS_URL="+v.nats.URL(), "ROLLCALL_NATS_PARTITIONS="+strconv.Itoa(bustest.Partitions),
		"ROLLCALL_SYNC_PUSH=false", "ROLLCALL_HTTP_ADDR=127.0.0.1:0", "ROLLCALL_DATA="+filepath.Join(t.TempDir(), "data"))
	if err := receiver.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = receiver.Process.Signal(syscall.SIGTERM)
		if err := receiver.Wait(); err != nil || t.Failed() {
			t.Errorf("the receiver ended with %v and said last:\n%s", err, said)
		}
	})
	return receiver
}

// awaitSnapshot waits for the end of the first complete read.
func (v *customer) awaitSnapshot(t *testing.T, patience time.Duration) event.SnapshotEnded {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	found := make(chan event.SnapshotEnded, 1)
	err := v.bus.Read(ctx, bus.ReadSpec{
		Stream: bus.LedgerIn, Filters: []string{"directory.*." + initech + ".snapshot"}, Follow: true,
	}, func(m bus.Message) error {
		data, err := event.Data[event.SnapshotEnded](m.Event)
		if err == nil && data.Users {
			found <- data
			cancel()
		}
		return err
	})
	select {
	case ended := <-found:
		return ended
	default:
		t.Fatalf("no complete read within %s: %v", patience, err)
	}
	return event.SnapshotEnded{}
}

func (v *customer) served(t *testing.T) map[string]control.Counter {
	t.Helper()
	served, err := v.control.Counters(t.Context(), initech)
	if err != nil {
		t.Fatal(err)
	}
	return served
}

var highWater = regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`)

// peakOf is the most memory that a process has had. (What the system says of an ended child counts its parent's too.)
func peakOf(t *testing.T, process *exec.Cmd) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", process.Process.Pid))
	if os.IsNotExist(err) {
		t.Fatal("the receiver's memory can only be read on Linux, below /proc")
	}
	match := highWater.FindSubmatch(bytes.TrimSpace(status))
	if err != nil || match == nil {
		t.Fatalf("read the receiver's memory: %v", err)
	}
	kib, err := strconv.Atoi(string(match[1]))
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}
