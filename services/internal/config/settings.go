package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Setting is one thing that can be set, as people read about it.
type Setting struct {
	Path    string // in the file: "nats.url"
	Env     string // in the environment: "ROLLCALL_NATS_URL"
	Doc     string
	Default string
	Value   string
}

// Settings lists every setting, in the order of the structure, with the default configuration's values.
func Settings() []Setting { return Default().Settings() }

// Settings lists every setting with this configuration's values. There is no secret among them to hide: a value is never
// one, only the path of a file that holds it.
func (c Config) Settings() []Setting {
	return walk(reflect.ValueOf(c), reflect.ValueOf(Default()), "")
}

func walk(v, defaults reflect.Value, prefix string) []Setting {
	var all []Setting
	for i := range v.NumField() {
		field := v.Type().Field(i)
		path := prefix + field.Tag.Get("yaml")
		if field.Type.Kind() == reflect.Struct {
			all = append(all, walk(v.Field(i), defaults.Field(i), path+".")...)
			continue
		}
		all = append(all, Setting{
			Path: path, Env: field.Tag.Get("env"), Doc: field.Tag.Get("doc"),
			Default: text(defaults.Field(i)), Value: text(v.Field(i)),
		})
	}
	return all
}

func text(v reflect.Value) string {
	switch value := v.Interface().(type) {
	case []string:
		return strings.Join(value, ",")
	case time.Duration:
		return duration(value)
	default:
		return fmt.Sprint(value)
	}
}

// duration writes 10m for 10m0s.
func duration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// Reference is docs/configuration.md: every setting, its names, its default and what it does.
func Reference() string {
	var b strings.Builder
	b.WriteString(preamble)
	for _, s := range Settings() {
		value := "`" + s.Default + "`"
		if s.Default == "" {
			value = "empty"
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s |\n", s.Path, s.Env, value, s.Doc)
	}
	return b.String()
}

const preamble = `# Configuration

One ` + "`rollcall serve`" + ` takes its settings from a YAML file (` + "`--config`" + `), from the environment, and from its flags. The
environment wins over the file, a flag over both. A name that does not exist is a fault; so are values that do not fit
together. ` + "`rollcall serve --check`" + ` reads everything, reports all faults at once, and starts nothing.

No setting is a secret. Where one is needed, a setting names the file that holds it, and a tenant's credential names a file
or an environment variable.

A file for one machine behind a proxy that ends TLS:

` + "```yaml" + `
data: /var/lib/rollcall
http:
  addr: 127.0.0.1:8080
  trusted_proxy: true
intake:
  public_url: https://rollcall.example.com
` + "```" + `

One with TLS of its own and a NATS server elsewhere:

` + "```yaml" + `
data: /var/lib/rollcall
nats:
  url: tls://nats.example.com:4222
  credentials_file: /etc/rollcall/nats.creds
http:
  addr: 0.0.0.0:8443
  operations_addr: 127.0.0.1:8081
  tls_cert_file: /etc/rollcall/tls.crt
  tls_key_file: /etc/rollcall/tls.key
intake:
  public_url: https://rollcall.example.com
  keys_file: /etc/rollcall/intake.keys
` + "```" + `

One whose ledger is in Postgres:

` + "```yaml" + `
data: /var/lib/rollcall
ledger:
  url: postgres://rollcall@db.example.com/rollcall?sslmode=verify-full
  password_file: /etc/rollcall/ledger.password
http:
  addr: 127.0.0.1:8080
  trusted_proxy: true
intake:
  public_url: https://rollcall.example.com
` + "```" + `

One of several workers, with a user of its own on a NATS server whose streams "rollcall topology" has made:

` + "```yaml" + `
data: /var/lib/rollcall
roles: [worker]
nats:
  url: tls://nats.example.com:4222
  user: worker
  password_file: /etc/rollcall/nats.password
  provision: false
ledger:
  url: postgres://rollcall@db.example.com/rollcall?sslmode=verify-full
  password_file: /etc/rollcall/ledger.password
` + "```" + `

One that nobody can push to, such as a laptop: changes come by polling.

` + "```yaml" + `
sync:
  push: false
  poll_interval: 15s
` + "```" + `

| in the file | in the environment | default | |
|---|---|---|---|
`
