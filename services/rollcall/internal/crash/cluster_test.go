package crash

import (
	"fmt"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/license"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
	"github.com/rollcall-hq/rollcall/services/internal/natsserver/natstest"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/house"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/verify"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/workspacetest"
)

const partitions = 8

// cluster is Rollcall in many processes: each role signs in to NATS as itself, the ledger is in Postgres.
type cluster struct {
	home      // the simulator, and the programs
	nats      *natstest.Server
	ledger    string
	cert, key string
	folder    string
	stories   []*story
}

func openCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{home: home{programs: build(t)}, nats: natstest.Start(t), ledger: ledgertest.Postgres(t), folder: t.TempDir()}
	c.cert, c.key = certificate(t)
	c.openSimulator(t, c.cert)
	c.operate(t, "operator", "topology", "--partitions", strconv.Itoa(partitions))
	c.operate(t, "readers-operator", "topology", "--partitions", strconv.Itoa(partitions), "--copies")
	return c
}

// operate runs a command of the operator.
func (c *cluster) operate(t *testing.T, user string, args ...string) {
	t.Helper()
	args = append(args, "--nats", c.nats.URL(), "--nats-user", user, "--nats-password-file", c.nats.PasswordFile(user))
	run(t, []string{"ROLLCALL_DATA=" + filepath.Join(c.folder, "nobody"), "APP_SECRET=" + appSecret}, c.program(), args...)
}

func (c *cluster) program() string { return filepath.Join(c.programs, "rollcall") }

// instance is one process of Rollcall.
type instance struct {
	*process
	name, http string
}

// serve starts a process with one role, which signs in as it.
func (c *cluster) serve(t *testing.T, role, name string) *instance {
	t.Helper()
	address := freeAddress(t)
	env := []string{
		"ROLLCALL_ROLES=" + role, "ROLLCALL_DATA=" + filepath.Join(c.folder, name), "ROLLCALL_LEDGER_URL=" + c.ledger,
		"ROLLCALL_NATS_URL=" + c.nats.URL(), "ROLLCALL_NATS_USER=" + role, "ROLLCALL_NATS_PASSWORD_FILE=" + c.nats.PasswordFile(role),
		"ROLLCALL_NATS_PROVISION=false", "ROLLCALL_NATS_PARTITIONS=" + strconv.Itoa(partitions),
		"ROLLCALL_HTTP_ADDR=" + address, "ROLLCALL_HTTP_TLS_CERT_FILE=" + c.cert, "ROLLCALL_HTTP_TLS_KEY_FILE=" + c.key,
		"ROLLCALL_INTAKE_PUBLIC_URL=https://" + address, "ROLLCALL_LOG_FORMAT=text", "APP_SECRET=" + appSecret,
		"ROLLCALL_SYNC_POLL_INTERVAL=2s", "ROLLCALL_SYNC_VANISH=200ms", "ROLLCALL_WORKER_SETTLE=200ms", "ROLLCALL_WORKER_DOUBT=200ms",
	}
	return &instance{process: start(t, env, c.program(), "serve"), name: name, http: address}
}

func (i *instance) awaitReady(t *testing.T) {
	t.Helper()
	i.awaitOK(t, "https://"+i.http+"/readyz")
}

// metric is the sum of what a process says of one of its metrics, with these labels.
func (i *instance) metric(t *testing.T, name, labels string) float64 {
	t.Helper()
	sum, err := house.Metric(t.Context(), "https://"+i.http, name, labels)
	if err != nil {
		t.Fatalf("%s: %v", i.name, err)
	}
	return sum
}

// holds is how many leases of a role the processes hold.
func holds(t *testing.T, role string, all ...*instance) int {
	t.Helper()
	sum := 0.0
	for _, i := range all {
		sum += i.metric(t, "rollcall_leases_held", `role="`+role+`"`)
	}
	return int(sum)
}

// await waits until something is so, and says how long that took.
func await(t *testing.T, what string, limit time.Duration, is func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	for late := time.After(limit); !is(); {
		select {
		case <-late:
			t.Fatalf("no %s within %s", what, limit)
		case <-time.After(50 * time.Millisecond):
		}
	}
	return time.Since(began)
}

// connect makes directories and connects them: some of Entra ID, and one of Workspace. What changes many licenses takes
// effect at once.
func (c *cluster) connect(t *testing.T, seed uint64) {
	t.Helper()
	const many, pace = 6, 60 * time.Millisecond
	account := workspacetest.New(t)
	for n := range many {
		id := fmt.Sprintf("company-%d", n)
		domain := id + ".com"
		args := []string{
			"tenants", "add", id, "--connected-by", "admin@" + domain,
			"--authority", c.simulator, "--ca-file", c.simulatorCA, "--directory-id",
		}
		made := control.Tenant{ID: id, Domains: []string{domain}, App: control.App{ClientID: appID, Secret: appSecret}}
		kind, api := directory.MailEnabledSecurity, c.simulator+"/v1.0"
		if n == 0 {
			made.Provider, made.App, kind, api = directory.GoogleWorkspace, account.App(), "", c.simulator
		}
		made, err := c.client.PutTenant(t.Context(), made)
		if err == nil {
			_, err = c.client.Generate(t.Context(), id, control.Generate{Users: 60, Seed: seed})
		}
		if err == nil {
			_, err = c.client.AddGroup(t.Context(), id, control.NewGroup{Address: provisioning + domain, Kind: kind, Name: "Secure Share"})
		}
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, made.DirectoryID, "--api", api)
		if n == 0 {
			args = append(args, "--provider", "google-workspace", "--credential", "google-key-file", "--key-file", account.KeyFile)
		} else {
			args = append(args, "--client-id", appID, "--secret-env", "APP_SECRET")
		}
		c.operate(t, "operator", args...)
		c.operate(t, "operator", "tenants", "settings", id, "--never-hold")
		c.stories = append(c.stories, newStory(t, c.client, id, domain, pace, seed+uint64(n)))
	}
}

// verifyAll waits until what is published is what each directory says, and holds LICENSES to what a record must be.
func (c *cluster) verifyAll(t *testing.T) {
	t.Helper()
	client, err := license.New(c.nats.Connect("consumer"))
	if err != nil {
		t.Fatal(err)
	}
	events := 0
	for _, s := range c.stories {
		report, err := verify.Await(t.Context(), verify.Config{Tenant: s.id, Product: product, Group: provisioning + s.domain, Simulated: s.id},
			verify.Sources{Directory: c.client, Stream: client}, patience)
		if err != nil || !report.OK() {
			t.Fatalf("%s: %v, %s", s.id, err, report)
		}
		events += report.Events
	}
	last, all := map[string]uint64{}, 0
	err = c.nats.Bus("operator", bus.Config{}).Read(t.Context(), bus.ReadSpec{Stream: bus.Licenses}, func(m bus.Message) error {
		n, err := event.Sequence(m.Event)
		if of := m.Event.Source(); err != nil || n != last[of]+1 {
			return fmt.Errorf("%s: event %d after %d, %w", of, n, last[of], err)
		}
		last[m.Event.Source()] = n
		all++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("true: %d directories, %d events, each source in order, without a gap or a repeat", len(c.stories), all)
}
