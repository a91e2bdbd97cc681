package config_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/services/internal/config"
)

var update = flag.Bool("update", false, "write docs/configuration.md")

func env(pairs map[string]string) func(string) string {
	return func(name string) string { return pairs[name] }
}

func file(t *testing.T, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rollcall.yaml")
	if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestEnvironmentWinsOverFile(t *testing.T) {
	t.Parallel()
	path := file(t, "sync: {push: false, poll_interval: 15s}\nworker: {settle: 1m}\nroles: [worker]\n")
	got, err := config.Load(path, env(map[string]string{
		"ROLLCALL_WORKER_SETTLE": "2s", "ROLLCALL_ROLES": "worker,graph-receiver", "ROLLCALL_NATS_SYNC_ALWAYS": "false",
	}))
	if err != nil {
		t.Fatal(err)
	}
	want := config.Default()
	want.Sync.Push, want.Sync.PollInterval, want.Worker.Settle = false, 15*time.Second, 2*time.Second
	want.Roles, want.NATS.SyncAlways = []string{"worker", "graph-receiver"}, false
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEveryFaultAtOnce(t *testing.T) {
	t.Parallel()
	path := file(t, "data: ''\nsinc: {}\nlog: {level: loud, format: xml}\nnats: {url: 'nats://me:secret@host', replicas: 9}\n")
	_, err := config.Load(path, env(map[string]string{
		"ROLLCALL_NATS_PARTITIONS": "many", "ROLLCALL_SYNC_VANISH": "soon", "ROLLCALL_HTTP_ADDR": "8080", "ROLLCALL_HTTP_OPERATIONS_ADDR": "8081",
		"ROLLCALL_HTTP_TLS_KEY_FILE": "key.pem", "ROLLCALL_ROLES": "butler", "ROLLCALL_LEDGER_URL": "oracle://x",
		"ROLLCALL_LEASE_TTL": "10ms",
	}))
	if err == nil {
		t.Fatal("no fault found")
	}
	for _, want := range []string{
		"sinc", "ROLLCALL_NATS_PARTITIONS", "ROLLCALL_SYNC_VANISH", "data: ", "roles: ", "nats.url: ", "nats.replicas: ",
		"http.addr: ", "http.operations_addr: ", "http.tls_cert_file: ", "ledger.url: ", "lease.ttl: ", "log.level: ", "log.format: ",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("not reported: %s", want)
		}
	}
	if strings.Contains(err.Error(), "secret@") {
		t.Errorf("a password is shown: %v", err)
	}
	if t.Failed() {
		t.Log(err)
	}
}

func TestPushNeedsAnAddressAndTLS(t *testing.T) {
	t.Parallel()
	push := config.Default()
	if err := push.Validate(); err == nil || !strings.Contains(err.Error(), "intake.public_url") {
		t.Errorf("push without a URL: %v", err)
	}
	push.Intake.PublicURL = "https://rollcall.example.com"
	if err := push.Validate(); err == nil || !strings.Contains(err.Error(), "http: ") {
		t.Errorf("push without TLS: %v", err)
	}
	push.HTTP.TrustedProxy = true
	for _, u := range []string{"https://rollcall.example.com?to=me", "https://rollcall.example.com/#here", "https://me:word@rollcall.example.com"} {
		push.Intake.PublicURL = u // the path of the notifications is written behind it
		if err := push.Validate(); err == nil || !strings.Contains(err.Error(), "intake.public_url") {
			t.Errorf("push to %s: %v", u, err)
		}
	}
	push.Intake.PublicURL = "https://rollcall.example.com/behind/a/path"
	if err := push.Validate(); err != nil {
		t.Errorf("push behind a proxy: %v", err)
	}
	push.NATS.Listen = "0.0.0.0:4222"
	if err := push.Validate(); err == nil {
		t.Error("an open NATS server on every interface")
	}
	for _, role := range []string{config.RoleGraphReceiver, config.RoleWorkspaceReceiver} {
		receiver := config.Default()
		receiver.Roles = []string{role}
		if err := receiver.Validate(); err == nil || !strings.Contains(err.Error(), "intake.public_url") {
			t.Errorf("a %s without a URL: %v", role, err)
		}
	}
	worker := config.Default()
	worker.Roles = []string{config.RoleWorker}
	if err := worker.Validate(); err != nil {
		t.Errorf("a worker needs no URL: %v", err)
	}
}

// The embedded server is one server: it cannot keep copies, and the process would wait for them for ever.
func TestTheEmbeddedServerKeepsOneCopy(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.Sync.Push = false
	c.NATS.Replicas = 3
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "nats.replicas") {
		t.Errorf("three copies on the embedded server: %v", err)
	}
	c.NATS.URL = "nats://nats:4222"
	if err := c.Validate(); err != nil {
		t.Errorf("three copies on a cluster: %v", err)
	}
}

func TestProofToNATSIsWhole(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		nats config.NATS
		want string
	}{
		"a user and a password":       {config.NATS{URL: "nats://n:4222", User: "worker", PasswordFile: "p"}, ""},
		"credentials":                 {config.NATS{URL: "nats://n:4222", CredentialsFile: "c"}, ""},
		"both":                        {config.NATS{URL: "nats://n:4222", User: "worker", PasswordFile: "p", CredentialsFile: "c"}, "nats.credentials_file: "},
		"a user only":                 {config.NATS{URL: "nats://n:4222", User: "worker"}, "nats.password_file: "},
		"a password only":             {config.NATS{URL: "nats://n:4222", PasswordFile: "p"}, "nats.password_file: "},
		"a user that is no token":     {config.NATS{URL: "nats://n:4222", User: "a.b", PasswordFile: "p"}, "nats.user: "},
		"a user of nobody's server":   {config.NATS{User: "worker", PasswordFile: "p", Provision: true}, "nats.user: "},
		"streams that nobody makes":   {config.NATS{}, "nats.provision: "},
		"streams that somebody makes": {config.NATS{URL: "nats://n:4222"}, ""},
	} {
		cfg := config.Default()
		c.nats.Listen, c.nats.Partitions, c.nats.Replicas = cfg.NATS.Listen, cfg.NATS.Partitions, cfg.NATS.Replicas
		cfg.NATS, cfg.Sync.Push = c.nats, false
		switch err := cfg.Validate(); {
		case c.want == "" && err != nil, c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestCheckFiles(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.NATS.CredentialsFile = filepath.Join(t.TempDir(), "none.creds")
	c.Intake.KeysFile = file(t, "")
	err := c.CheckFiles()
	if err == nil || !strings.Contains(err.Error(), "nats.credentials_file") || strings.Contains(err.Error(), "intake") {
		t.Errorf("faults of files: %v", err)
	}
}

func TestPathsFollowTheDataFolder(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.Data = "there"
	keys, create := c.KeysFile()
	if c.LedgerAddress() != filepath.Join("there", "ledger.db") || keys != filepath.Join("there", "intake.keys") || !create {
		t.Errorf("ledger %s, keys %s, %v", c.LedgerAddress(), keys, create)
	}
	c.Ledger.URL, c.Intake.KeysFile = "sqlite:///var/lib/l.db", "k"
	keys, create = c.KeysFile()
	if c.LedgerAddress() != "/var/lib/l.db" || keys != "k" || create {
		t.Errorf("ledger %s, keys %s, %v", c.LedgerAddress(), keys, create)
	}
}

func TestLedgerInPostgres(t *testing.T) {
	t.Parallel()
	for _, l := range []struct{ url, file, address string }{
		{"postgres://me@db/rollcall", "", "postgres://me@db/rollcall"},
		{"postgresql://me@a:1,b:2/rollcall", "/p&w", "postgresql://me@a:1,b:2/rollcall?password_file=%2Fp%26w"},
		{"postgres://me@/rollcall?host=/run/postgresql", "pw", "postgres://me@/rollcall?host=/run/postgresql&password_file=pw"},
	} {
		c := config.Default()
		c.Sync.Push = false
		c.Ledger = config.Ledger{URL: l.url, PasswordFile: l.file}
		if err := c.Validate(); err != nil || c.LedgerAddress() != l.address {
			t.Errorf("%s: %v, address %s", l.url, err, c.LedgerAddress())
		}
	}
}

// A password in the configuration would be shown with it: when the process starts, and by "serve --check".
func TestPasswordsOfTheLedgerAreRefusedAndNotShown(t *testing.T) {
	t.Parallel()
	for _, u := range []string{
		"postgres://me:s3cret@db/rollcall", "postgres://me:s3/cret@db/rollcall", "postgres://db/rollcall?password=s3cret",
		"postgres://me@db/rollcall?password=s3cret", "postgres://me@db/rollcall?sslpassword=s3cret&sslmode=require",
		"postgres://me@db/rollcall?password_file=s3cret", "postgres://me@db/rollcall?password=s3cret%zz", "postgres:s3cret", "s3cret://me",
	} {
		_, err := config.Load("", env(map[string]string{"ROLLCALL_SYNC_PUSH": "false", "ROLLCALL_LEDGER_URL": u}))
		if err == nil || !strings.Contains(err.Error(), "ledger.url: ") || strings.Contains(err.Error(), "s3") {
			t.Errorf("%s: %v", u, err)
		}
	}
	c := config.Default()
	c.Ledger.PasswordFile = filepath.Join(t.TempDir(), "none")
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "ledger.password_file") {
		t.Errorf("a password for SQLite: %v", err)
	}
	if err := c.CheckFiles(); err == nil || !strings.Contains(err.Error(), "ledger.password_file") {
		t.Errorf("a file that is missing: %v", err)
	}
}

func TestEverySettingIsNamedAndDescribed(t *testing.T) {
	t.Parallel()
	for _, s := range config.Settings() {
		if s.Path == "" || !strings.HasPrefix(s.Env, "ROLLCALL_") || s.Doc == "" {
			t.Errorf("setting %+v lacks a name or a description", s)
		}
		if want := "ROLLCALL_" + strings.ToUpper(strings.ReplaceAll(s.Path, ".", "_")); s.Env != want {
			t.Errorf("setting %s is %s in the environment, want %s", s.Path, s.Env, want)
		}
	}
}

func TestReferenceIsUpToDate(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "..", "docs", "configuration.md")
	if *update {
		if err := os.WriteFile(path, []byte(config.Reference()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(config.Reference(), string(got)); diff != "" {
		t.Errorf("docs/configuration.md is stale: run go test ./services/internal/config -update (-want +got):\n%s", diff)
	}
}

// Every YAML block in docs/ that is a configuration must load, as it stands there.
func TestDocumentedExamplesLoad(t *testing.T) {
	t.Parallel()
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```")
	body, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "configuration.md"))
	if err != nil {
		t.Fatal(err)
	}
	examples := block.FindAllSubmatch(body, -1)
	if len(examples) < 3 {
		t.Fatalf("%d examples found", len(examples))
	}
	for _, example := range examples {
		if _, err := config.Load(file(t, string(example[1])), env(nil)); err != nil {
			t.Errorf("%v\n%s", err, example[1])
		}
	}
}

func FuzzReadYAML(f *testing.F) {
	f.Add([]byte("data: x\nsync: {push: false, poll_interval: 15s}\n"))
	f.Add([]byte("roles: worker"))
	f.Add([]byte("nats: &a\n  url: *a"))
	f.Fuzz(func(t *testing.T, body []byte) {
		c := config.Default()
		if err := c.ReadYAML(body); err == nil {
			_ = c.Validate()
		}
	})
}
