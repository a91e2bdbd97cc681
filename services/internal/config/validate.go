package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
)

// Validate returns every fault at once. It looks at values only; CheckFiles looks at what they name.
func (c Config) Validate() error { return errors.Join(c.faults()...) }

func (c Config) faults() []error {
	var faults []error
	add := func(setting, format string, args ...any) {
		faults = append(faults, fmt.Errorf("%s: "+format, append([]any{setting}, args...)...))
	}
	if c.Data == "" {
		add("data", "want a folder")
	}
	c.roleFaults(add)
	c.natsFaults(add)
	c.httpFaults(add)
	c.ledgerFaults(add)
	c.centerFaults(add)
	c.applicationFaults(add)
	if c.Sync.PollInterval < 0 || c.Sync.FullInterval < 0 || c.Sync.Degraded < 0 || c.Sync.Vanish < 0 {
		add("sync", "want no negative durations")
	}
	if c.Worker.Settle < 0 || c.Worker.Doubt < 0 {
		add("worker", "want no negative durations")
	}
	if c.Lease.TTL < time.Second {
		add("lease.ttl", "%s: want at least a second", c.Lease.TTL)
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Log.Level)); err != nil {
		add("log.level", "%q: want debug, info, warn or error", c.Log.Level)
	}
	if c.Log.Format != "json" && c.Log.Format != "text" {
		add("log.format", "%q: want json or text", c.Log.Format)
	}
	return faults
}

type addFault func(setting, format string, args ...any)

func (c Config) roleFaults(add addFault) {
	known := []string{RoleGraphReceiver, RoleWorkspaceReceiver, RoleWorker, RoleControlCenter, RoleAll}
	if len(c.Roles) == 0 {
		add("roles", "want at least one of %s", strings.Join(known, ", "))
	}
	for _, r := range c.Roles {
		if !slices.Contains(known, r) {
			add("roles", "%q: want one of %s", r, strings.Join(known, ", "))
		}
	}
}

func (c Config) natsFaults(add addFault) {
	if u, err := url.Parse(c.NATS.URL); c.NATS.URL != "" && (err != nil || u.Host == "") {
		add("nats.url", "want a URL like nats://host:4222")
	} else if u != nil && u.User != nil {
		add("nats.url", "holds a user or password: name nats.user and nats.password_file, or nats.credentials_file, instead")
	}
	c.signInFaults(add)
	if host, _, err := net.SplitHostPort(c.NATS.Listen); c.Embedded() && (err != nil || !loopback(host)) {
		add("nats.listen", "%q: the embedded server asks nobody for a password, so want a loopback address with a port", c.NATS.Listen)
	}
	if c.NATS.Partitions < 1 || c.NATS.Partitions > 100 {
		add("nats.partitions", "%d: want 1 to 100", c.NATS.Partitions)
	}
	if c.NATS.Replicas < 1 || c.NATS.Replicas > 5 {
		add("nats.replicas", "%d: want 1 to 5", c.NATS.Replicas)
	} else if c.Embedded() && c.NATS.Replicas > 1 {
		add("nats.replicas", "%d: the embedded server is one: want 1, or the nats.url of a cluster", c.NATS.Replicas)
	}
}

func (c Config) centerFaults(add addFault) {
	u, err := url.Parse(c.Center.PublicURL)
	switch {
	case c.Center.PublicURL == "" && c.Center.AccessFile != "" && (c.HTTP.TrustedProxy || !c.onLoopback()):
		add("center.public_url", "people who sign in elsewhere are sent back to it: want a URL like https://rollcall.example.com")
	case c.Center.PublicURL == "":
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || strings.Trim(u.Path, "/") != "":
		add("center.public_url", "want a URL like https://rollcall.example.com, without a path")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		add("center.public_url", "whoever listens in takes over a session: want https")
	}
	if _, _, err := net.SplitHostPort(c.HTTP.Addr); err == nil && c.Center.DevelopmentLogin && (!c.onLoopback() || c.HTTP.TrustedProxy) {
		add("center.development_login", "it asks nobody for a proof, so want an http.addr on a loopback address, and no proxy before it")
	}
}

// onLoopback reports whether only this machine reaches the listener.
func (c Config) onLoopback() bool {
	host, _, err := net.SplitHostPort(c.HTTP.Addr)
	return err == nil && loopback(host)
}

// passwordFile is the parameter of a Postgres URL by which package ledger is told of the file.
const passwordFile = "password_file"

// ledgerFaults shows nothing of a URL: in one that is wrong, anything may be the password.
func (c Config) ledgerFaults(add addFault) {
	if c.Ledger.PasswordFile != "" && !isPostgres(c.Ledger.URL) {
		add("ledger.password_file", "only a ledger.url of Postgres needs one")
	}
	if !isPostgres(c.Ledger.URL) {
		if c.Ledger.URL != "" && sqlitePath(c.Ledger.URL) == "" {
			add("ledger.url", "want sqlite:<path> or postgres://<user>@<host>/<database>")
		}
		return
	}
	// Not by net/url: Postgres has URLs with several hosts.
	address, query, _ := strings.Cut(c.Ledger.URL, "?")
	parameters, err := url.ParseQuery(query)
	_, rest, found := strings.Cut(address, "://")
	at := strings.LastIndex(rest, "@")
	user := rest[:max(at, 0)]
	if err != nil || !found || user == "" || strings.Contains(user, "/") {
		add("ledger.url", "want postgres://<user>@<host>/<database>, with what is special in a URL percent-encoded")
	}
	if strings.Contains(user, ":") || parameters.Has("password") || parameters.Has("sslpassword") || parameters.Has(passwordFile) {
		add("ledger.url", "holds a password: name a file in ledger.password_file instead")
	}
}

func isPostgres(url string) bool {
	return strings.HasPrefix(url, "postgres:") || strings.HasPrefix(url, "postgresql:")
}

func (c Config) signInFaults(add addFault) {
	switch n := c.NATS; {
	case c.Embedded() && (n.User != "" || n.CredentialsFile != ""):
		add("nats.user", "the embedded server knows no users: set nats.url")
	case c.Embedded() && !n.Provision:
		add("nats.provision", "nobody else makes the streams of the embedded server")
	case n.User != "" && n.CredentialsFile != "":
		add("nats.credentials_file", "proves who we are, as nats.user does: want one of them")
	case (n.User == "") != (n.PasswordFile == ""):
		add("nats.password_file", "want both a user and its password, or neither")
	case strings.ContainsAny(n.User, " .*>"):
		add("nats.user", "%q: want no space, dot or wildcard, as it is a part of subjects", n.User)
	}
}

func (c Config) httpFaults(add addFault) {
	if _, _, err := net.SplitHostPort(c.HTTP.Addr); err != nil {
		add("http.addr", "%q: want host:port", c.HTTP.Addr)
	}
	if _, _, err := net.SplitHostPort(c.HTTP.OperationsAddr); err != nil && c.HTTP.OperationsAddr != "" {
		add("http.operations_addr", "%q: want host:port", c.HTTP.OperationsAddr)
	}
	if (c.HTTP.TLSCertFile == "") != (c.HTTP.TLSKeyFile == "") {
		add("http.tls_cert_file", "want both a certificate and its key, or neither")
	}
	if !c.Sync.Push || !c.HasRole(RoleGraphReceiver) && !c.HasRole(RoleWorkspaceReceiver) {
		return
	}
	public, err := url.Parse(c.Intake.PublicURL)
	switch {
	case c.Intake.PublicURL == "":
		add("intake.public_url", "providers need an https URL to push to (or set sync.push to false)")
	case err != nil || public.Scheme != "https" || public.Host == "":
		add("intake.public_url", "want an https URL")
	case public.User != nil || public.RawQuery != "" || public.Fragment != "":
		add("intake.public_url", "want no user, query or fragment: the path of the notifications is written behind it")
	case c.HTTP.TLSCertFile == "" && !c.HTTP.TrustedProxy:
		add("http", "pushes come over TLS: want tls_cert_file and tls_key_file, or trusted_proxy where TLS ends at a proxy")
	}
}

// CheckFiles returns which of the files that must be there already cannot be read.
func (c Config) CheckFiles() error {
	var faults []error
	files := map[string]string{
		"nats.password_file": c.NATS.PasswordFile, "nats.credentials_file": c.NATS.CredentialsFile, "nats.ca_file": c.NATS.CAFile, "ledger.password_file": c.Ledger.PasswordFile,
		"http.tls_cert_file": c.HTTP.TLSCertFile, "http.tls_key_file": c.HTTP.TLSKeyFile, "intake.keys_file": c.Intake.KeysFile, "center.access_file": c.Center.AccessFile, "center.notices_file": c.Center.NoticesFile,
	}
	if c.HasRole(RoleGraphReceiver) {
		files["entra.credential_file"], files["entra.ca_file"] = c.Entra.CredentialFile, c.Entra.CAFile
	}
	if c.HasRole(RoleWorkspaceReceiver) {
		files["google_workspace.credential_file"], files["google_workspace.ca_file"] = c.Google.CredentialFile, c.Google.CAFile
	}
	for _, s := range Settings() {
		path, isFile := files[s.Path]
		if !isFile || path == "" {
			continue
		}
		f, err := os.Open(path)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", s.Path, err))
			continue
		}
		_ = f.Close()
	}
	return errors.Join(faults...)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// sqlitePath is the path in sqlite:<path> or sqlite://<path>, or "".
func sqlitePath(u string) string {
	path, found := strings.CutPrefix(u, "sqlite:")
	if !found {
		return ""
	}
	return strings.TrimPrefix(path, "//")
}
