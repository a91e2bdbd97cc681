// Package config is how one Rollcall process is set up: one typed structure, from a YAML file and from the environment,
// of which the environment wins. It holds no secret, only the names of files that do.
package config

import (
	"net/url"
	"path/filepath"
	"strings"
	"time"
)

// Config is everything that can be set. Default gives every field a value that works on one machine.
type Config struct {
	Data   string   `yaml:"data" env:"ROLLCALL_DATA" doc:"Folder for all that this process keeps: the ledger, the embedded NATS server's streams, keys."`
	Roles  []string `yaml:"roles" env:"ROLLCALL_ROLES" doc:"What this process does: graph-receiver, workspace-receiver, worker, control-center, or all. Comma-separated in the environment."`
	NATS   NATS     `yaml:"nats"`
	Ledger Ledger   `yaml:"ledger"`
	HTTP   HTTP     `yaml:"http"`
	Intake Intake   `yaml:"intake"`
	Sync   Sync     `yaml:"sync"`
	Worker Worker   `yaml:"worker"`
	Lease  Lease    `yaml:"lease"`
	Center Center   `yaml:"center"`
	Entra  Entra    `yaml:"entra"`
	Google Google   `yaml:"google_workspace"`
	Log    Log      `yaml:"log"`
}

// NATS says which NATS server carries the events.
type NATS struct {
	URL             string `yaml:"url" env:"ROLLCALL_NATS_URL" doc:"NATS server to use, e.g. nats://nats:4222 or tls://nats.example.com. Empty: this process runs one of its own."`
	User            string `yaml:"user" env:"ROLLCALL_NATS_USER" doc:"User to sign in to the NATS server as, e.g. worker. See deploy/nats/users.conf."`
	PasswordFile    string `yaml:"password_file" env:"ROLLCALL_NATS_PASSWORD_FILE" doc:"Path of a file with that user's password. It is read for each new connection."`
	CredentialsFile string `yaml:"credentials_file" env:"ROLLCALL_NATS_CREDENTIALS_FILE" doc:"Path of a NATS .creds file to sign in with, in place of a user and a password."`
	CAFile          string `yaml:"ca_file" env:"ROLLCALL_NATS_CA_FILE" doc:"Path of a PEM file with the CA that signed the NATS server's certificate, where it is a private one."`
	Listen          string `yaml:"listen" env:"ROLLCALL_NATS_LISTEN" doc:"Loopback address on which the embedded server takes any NATS client."`
	SyncAlways      bool   `yaml:"sync_always" env:"ROLLCALL_NATS_SYNC_ALWAYS" doc:"Embedded server only: write every message to the disk itself before it is acknowledged. Off loses the last messages with the power."`
	Provision       bool   `yaml:"provision" env:"ROLLCALL_NATS_PROVISION" doc:"Make the streams and buckets at the start, and bring them to the configuration. Off: rollcall topology has done so, and this process only compares."`
	Partitions      int    `yaml:"partitions" env:"ROLLCALL_NATS_PARTITIONS" doc:"Into how many partitions tenants are spread. Fixed once the streams exist."`
	Replicas        int    `yaml:"replicas" env:"ROLLCALL_NATS_REPLICAS" doc:"Copies of each stream: 1, or 3 on a cluster."`
}

// Ledger says where the database of observations and decisions is.
type Ledger struct {
	URL          string `yaml:"url" env:"ROLLCALL_LEDGER_URL" doc:"SQLite file as sqlite:<path>, or Postgres database as postgres://<user>@<host>/<database>, without a password. Empty: ledger.db in the data folder."`
	PasswordFile string `yaml:"password_file" env:"ROLLCALL_LEDGER_PASSWORD_FILE" doc:"Path of a file with the password for Postgres. It is read for each new connection."`
}

// HTTP is the listener for pushes, health and metrics.
type HTTP struct {
	Addr           string `yaml:"addr" env:"ROLLCALL_HTTP_ADDR" doc:"Address to listen on."`
	TLSCertFile    string `yaml:"tls_cert_file" env:"ROLLCALL_HTTP_TLS_CERT_FILE" doc:"Path of the PEM certificate, with its chain, to serve TLS with."`
	TLSKeyFile     string `yaml:"tls_key_file" env:"ROLLCALL_HTTP_TLS_KEY_FILE" doc:"Path of that certificate's PEM key."`
	OperationsAddr string `yaml:"operations_addr" env:"ROLLCALL_HTTP_OPERATIONS_ADDR" doc:"Address of a listener for /readyz and /metrics alone, without TLS: keep it on an inner network. Empty: whoever reaches addr reads them there."`
	TrustedProxy   bool   `yaml:"trusted_proxy" env:"ROLLCALL_HTTP_TRUSTED_PROXY" doc:"TLS ends at a proxy in front of this process, and nobody else can reach the listener."`
}

// Intake is where providers push to.
type Intake struct {
	PublicURL string `yaml:"public_url" env:"ROLLCALL_INTAKE_PUBLIC_URL" doc:"https URL under which providers reach this process. Needed while sync.push is on."`
	KeysFile  string `yaml:"keys_file" env:"ROLLCALL_INTAKE_KEYS_FILE" doc:"Path of the keys that prove what a provider echoes, newest first. Empty: intake.keys in the data folder, made at the first start."`
}

// Sync is how directories are read.
type Sync struct {
	Push         bool          `yaml:"push" env:"ROLLCALL_SYNC_PUSH" doc:"Ask providers to push changes. Off: polling and refreshes alone bring them."`
	PollInterval time.Duration `yaml:"poll_interval" env:"ROLLCALL_SYNC_POLL_INTERVAL" doc:"How often changes are asked for without a push. With all pushes lost a change shows at most that late, and a round later. 0 turns polling off."`
	FullInterval time.Duration `yaml:"full_interval" env:"ROLLCALL_SYNC_FULL_INTERVAL" doc:"How often a directory is read completely and compared. 0 turns it off."`
	Degraded     time.Duration `yaml:"degraded" env:"ROLLCALL_SYNC_DEGRADED" doc:"How long a directory cannot be followed as it should be before that is said in an event."`
	Vanish       time.Duration `yaml:"vanish" env:"ROLLCALL_SYNC_VANISH" doc:"Time between the two reads that must both say that a provisioning group is gone."`
}

// Worker is how decisions are made.
type Worker struct {
	Settle time.Duration `yaml:"settle" env:"ROLLCALL_WORKER_SETTLE" doc:"How long the membership of a new provisioning group must be still before it decides who is licensed."`
	Doubt  time.Duration `yaml:"doubt" env:"ROLLCALL_WORKER_DOUBT" doc:"For how long no read alone undoes what has changed, as the provider's replicas lag; gains are believed after a tenth of it. 0 turns it off."`
}

// Lease is how processes of one role share their work.
type Lease struct {
	TTL time.Duration `yaml:"ttl" env:"ROLLCALL_LEASE_TTL" doc:"After how long without a sign of life from a process others take over what it worked on. The same for all of a role."`
}

// Center is the Control Center: its HTTP API and its pages.
type Center struct {
	PublicURL        string `yaml:"public_url" env:"ROLLCALL_CENTER_PUBLIC_URL" doc:"URL under which people and programs reach the Control Center. Empty: the address of this process's own listener."`
	AccessFile       string `yaml:"access_file" env:"ROLLCALL_CENTER_ACCESS_FILE" doc:"Path of the YAML file that says who may sign in, by which issuer, and what they may see and do. Read again when it changes."`
	NoticesFile      string `yaml:"notices_file" env:"ROLLCALL_CENTER_NOTICES_FILE" doc:"Path of the YAML file that says which webhooks and addresses are told of held changes, seats, connections and credentials that end, by tenant. Read again when it changes."`
	DevelopmentLogin bool   `yaml:"development_login" env:"ROLLCALL_CENTER_DEVELOPMENT_LOGIN" doc:"Let anybody on this machine sign in as anybody. Only for a listener on a loopback address."`
}

// Log is how the process reports.
type Log struct {
	Level  string `yaml:"level" env:"ROLLCALL_LOG_LEVEL" doc:"debug, info, warn or error."`
	Format string `yaml:"format" env:"ROLLCALL_LOG_FORMAT" doc:"json or text."`
}

// The roles that one process can have.
const (
	RoleGraphReceiver     = "graph-receiver"
	RoleWorkspaceReceiver = "workspace-receiver"
	RoleWorker            = "worker"
	RoleControlCenter     = "control-center"
	RoleAll               = "all"
)

// Default is the configuration of a process that runs alone on one machine.
func Default() Config {
	return Config{
		Data:   "rollcall-data",
		Roles:  []string{RoleAll},
		NATS:   NATS{Listen: "127.0.0.1:4222", SyncAlways: true, Provision: true, Partitions: 32, Replicas: 1},
		HTTP:   HTTP{Addr: "127.0.0.1:8080"},
		Sync:   Sync{Push: true, PollInterval: 45 * time.Second, FullInterval: 24 * time.Hour, Degraded: 5 * time.Minute, Vanish: time.Minute},
		Worker: Worker{Settle: 10 * time.Minute, Doubt: 10 * time.Minute},
		Lease:  Lease{TTL: 15 * time.Second},
		Log:    Log{Level: "info", Format: "json"},
	}
}

// Embedded reports whether this process runs a NATS server of its own.
func (c Config) Embedded() bool { return c.NATS.URL == "" }

// HasRole reports whether this process does that work.
func (c Config) HasRole(role string) bool {
	for _, r := range c.Roles {
		if r == role || r == RoleAll {
			return true
		}
	}
	return false
}

// LedgerAddress is where the ledger is, as package ledger takes it: the path of an SQLite database, or the URL of a Postgres
// one, with the name of the file that holds the password.
func (c Config) LedgerAddress() string {
	address, postgres := c.Ledger.URL, isPostgres(c.Ledger.URL)
	switch {
	case address == "":
		return filepath.Join(c.Data, "ledger.db")
	case !postgres:
		return sqlitePath(address)
	case c.Ledger.PasswordFile == "":
		return address
	}
	separator := "?"
	if strings.Contains(address, "?") {
		separator = "&"
	}
	return address + separator + url.Values{passwordFile: {c.Ledger.PasswordFile}}.Encode()
}

// KeysFile is the path of intake's keys, and whether it may be made where it is missing.
func (c Config) KeysFile() (path string, create bool) {
	if c.Intake.KeysFile == "" {
		return filepath.Join(c.Data, "intake.keys"), true
	}
	return c.Intake.KeysFile, false
}
