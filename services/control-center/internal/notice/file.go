package notice

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/mail"
	"net/url"
	"os"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

// Destinations are who is told what happens, by tenant, as a YAML file says.
type Destinations struct {
	SMTP    SMTP                  `yaml:"smtp"`
	Tenants map[string]Recipients `yaml:"tenants"`
}

// SMTP is the server that takes mail.
type SMTP struct {
	Host         string `yaml:"host"`
	Port         int    `yaml:"port"` // 587 where it is not said
	User         string `yaml:"user"`
	PasswordFile string `yaml:"password_file"`
	From         string `yaml:"from"`
	// Plain allows a server that speaks no TLS. It is for one on this machine.
	Plain bool `yaml:"plain"`
}

// Recipients are those of one tenant.
type Recipients struct {
	Webhooks []Webhook `yaml:"webhooks"`
	Email    []string  `yaml:"email"`
}

// Webhook is where notices are posted to.
type Webhook struct {
	URL string `yaml:"url"` // https, or http to this machine
	// SecretFile names a file with the key that notices are signed with: whsec_ and 24 to 64 bytes in base64.
	SecretFile string `yaml:"secret_file"`
}

// Load reads a file of destinations and returns all its faults at once.
func Load(path string) (Destinations, error) {
	body, err := os.ReadFile(path)
	if err != nil {
		return Destinations{}, fmt.Errorf("read who is told what happens: %w", err)
	}
	d, err := Parse(body)
	if err != nil {
		return Destinations{}, fmt.Errorf("read %s: %w", path, err)
	}
	return d, nil
}

// Parse reads the YAML of destinations and returns all its faults at once. It opens none of the files that it names.
func Parse(body []byte) (Destinations, error) {
	var d Destinations
	decoder := yaml.NewDecoder(bytes.NewReader(body))
	decoder.KnownFields(true)
	if err := decoder.Decode(&d); err != nil && !errors.Is(err, io.EOF) {
		return Destinations{}, fmt.Errorf("it is no YAML of this form: %w", err)
	}
	if d.SMTP.Port == 0 {
		d.SMTP.Port = 587
	}
	if err := errors.Join(d.faults()...); err != nil {
		return Destinations{}, err
	}
	return d, nil
}

func (d Destinations) faults() (faults []error) {
	add := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	mailed := false
	for _, tenant := range slices.Sorted(maps.Keys(d.Tenants)) {
		if !event.ValidSlug(tenant) {
			add("tenants: %q is no id of a tenant", tenant)
		}
		seen := map[string]bool{}
		for i, w := range d.Tenants[tenant].Webhooks {
			if err := checkURL(w.URL); err != nil {
				add("tenants.%s.webhooks[%d].url: %w", tenant, i, err)
			}
			if w.SecretFile == "" {
				add("tenants.%s.webhooks[%d].secret_file: want the file with the key that notices are signed with", tenant, i)
			}
			if seen[w.URL] {
				add("tenants.%s.webhooks[%d].url: it is there twice", tenant, i)
			}
			seen[w.URL] = true
		}
		for i, to := range d.Tenants[tenant].Email {
			mailed = true
			if !plainAddress(to) {
				add("tenants.%s.email[%d]: want an address, without a name", tenant, i)
			}
			if seen[to] {
				add("tenants.%s.email[%d]: it is there twice", tenant, i)
			}
			seen[to] = true
		}
	}
	if s := d.SMTP; mailed || s.Host != "" {
		if s.Host == "" {
			add("smtp.host: want the server that takes mail")
		}
		if s.Port < 1 || s.Port > 65535 {
			add("smtp.port: %d: want 1 to 65535", s.Port)
		}
		if !plainAddress(s.From) {
			add("smtp.from: want the address that mail comes from, without a name")
		}
		if (s.User == "") != (s.PasswordFile == "") {
			add("smtp.user: want both a user and a password_file, or neither")
		}
		if s.Plain && !onThisMachine(s.Host) {
			add("smtp.plain: whoever listens in reads what is sent: only for a server on this machine")
		}
	}
	return faults
}

func plainAddress(text string) bool {
	a, err := mail.ParseAddress(text)
	return err == nil && a.Address == text
}

func checkURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "":
		return errors.New("want an https URL")
	case u.User != nil:
		return errors.New("holds a user or password: the signature says who sends")
	case u.Scheme == "https" || u.Scheme == "http" && onThisMachine(u.Hostname()):
		return nil
	}
	return errors.New("want an https URL")
}

func onThisMachine(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// secretPrefix marks a key of Standard Webhooks.
const secretPrefix = "whsec_"

// readSecret reads a webhook's key. Errors show nothing of it.
func readSecret(path string) ([]byte, error) {
	body, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the key of a webhook: %w", err)
	}
	encoded, found := strings.CutPrefix(strings.TrimSpace(string(body)), secretPrefix)
	key, err := base64.StdEncoding.DecodeString(encoded)
	if !found || err != nil || len(key) < 24 || len(key) > 64 {
		return nil, fmt.Errorf("the key of a webhook in %s: want %s and 24 to 64 bytes in base64", path, secretPrefix)
	}
	return key, nil
}
