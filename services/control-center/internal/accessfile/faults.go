package accessfile

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/issuer"
)

// faults collects what is wrong, each with where.
type faults []error

func (f *faults) add(where, format string, args ...any) {
	*f = append(*f, fmt.Errorf("%s: %s", where, fmt.Sprintf(format, args...)))
}

// reserved are ids that would make the ids of principals ambiguous.
var reserved = []string{"development", "token", "machine"}

// faults are all of a file.
func (f File) faults() []error {
	var all faults
	issuers := map[string]Issuer{}
	for n, i := range f.Issuers {
		where := fmt.Sprintf("issuers[%d]", n)
		if _, twice := issuers[i.ID]; twice {
			all.add(where+".id", "%q is there twice", i.ID)
		}
		issuers[i.ID] = i
		i.faults(where, &all)
	}
	people := map[[3]string]bool{}
	for n, p := range f.People {
		where := fmt.Sprintf("people[%d]", n)
		p.faults(where, issuers, &all)
		who := [3]string{p.Issuer, p.Subject, lower(p.Email)}
		if people[who] {
			all.add(where, "the same person is there twice")
		}
		people[who] = true
	}
	machines, tokens := map[string]bool{}, map[[4]string]bool{}
	for n, m := range f.Machines {
		where := fmt.Sprintf("machines[%d]", n)
		m.faults(where, f.Issuers, &all)
		of := [4]string{m.Issuer, m.Audience, m.Subject, m.ClientID}
		if machines[m.ID] || tokens[of] {
			all.add(where, "the same machine is there twice")
		}
		machines[m.ID], tokens[of] = true, true
	}
	return all
}

func (i Issuer) faults(where string, all *faults) {
	if !event.ValidSlug(i.ID) || slices.Contains(reserved, i.ID) {
		all.add(where+".id", "want 1 to 40 of a-z, 0-9 and hyphens, and none of %v", reserved)
	}
	if i.Name == "" || len(i.Name) > 60 || strings.ContainsFunc(i.Name, unicode.IsControl) {
		all.add(where+".name", "want 1 to 60 bytes for people to read")
	}
	issuerFault(where+".issuer", i.Issuer, all)
	if i.ClientID == "" {
		all.add(where+".client_id", "it is missing")
	}
	fileFault(where+".client_secret_file", i.ClientSecretFile, true, all)
	fileFault(where+".ca_file", i.CAFile, false, all)
	if !slices.Contains([]string{"", "sub", "oid"}, i.SubjectClaim) {
		all.add(where+".subject_claim", "want sub or oid")
	}
	if issuer.AnyTenant(i.Issuer) && len(i.DirectoryIDs) == 0 {
		all.add(where+".directory_ids", "this issuer signs in people of any Entra tenant: name those whose people may come in")
	}
	for n, d := range i.HostedDomains {
		if d == "" || d != lower(d) || strings.ContainsAny(d, "@ /") {
			all.add(fmt.Sprintf("%s.hosted_domains[%d]", where, n), "want a domain in small letters")
		}
	}
	for n, d := range i.DirectoryIDs {
		if !guid.MatchString(d) {
			all.add(fmt.Sprintf("%s.directory_ids[%d]", where, n), "want the id of an Entra tenant, in small letters")
		}
	}
}

var guid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func (p Person) faults(where string, issuers map[string]Issuer, all *faults) {
	if _, known := issuers[p.Issuer]; !known {
		all.add(where+".issuer", "want an id of issuers")
	}
	switch {
	case (p.Subject == "") == (p.Email == ""):
		all.add(where, "want a subject or an email, and not both")
	case p.Email != "" && !email.MatchString(p.Email):
		all.add(where+".email", "want one address, without a name")
	case len(p.Subject) > 255:
		all.add(where+".subject", "want at most 255 bytes")
	}
	roleFaults(where, p.Role, p.Tenants, all)
}

// email is what an address of a person may be made of: no letters that look like others.
var email = regexp.MustCompile(`^[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$`)

func (m Machine) faults(where string, issuers []Issuer, all *faults) {
	if !event.ValidSlug(m.ID) {
		all.add(where+".id", "want 1 to 40 of a-z, 0-9 and hyphens")
	}
	issuerFault(where+".issuer", m.Issuer, all)
	if m.Audience == "" {
		all.add(where+".audience", "it is missing: a token for somebody else would do")
	}
	if (m.Subject == "") == (m.ClientID == "") {
		all.add(where, "want a subject or a client_id, and not both")
	}
	for _, i := range issuers {
		if i.Issuer == m.Issuer && i.ClientID == m.Audience {
			all.add(where+".audience", "it is a client_id with which people sign in, whose tokens say who they are and call nothing")
		}
	}
	roleFaults(where, m.Role, m.Tenants, all)
	for n, s := range m.Scopes {
		if !slices.Contains(access.Scopes, s) {
			all.add(fmt.Sprintf("%s.scopes[%d]", where, n), "want one of %v", access.Scopes)
		}
	}
	fileFault(where+".ca_file", m.CAFile, false, all)
}

func roleFaults(where string, role access.Role, tenants []string, all *faults) {
	if !slices.Contains(access.Roles, role) {
		all.add(where+".role", "want one of %v", access.Roles)
	}
	if role == access.TenantAdmin && len(tenants) == 0 {
		all.add(where+".tenants", "a tenant-admin is bound to one at least")
	}
	for n, t := range tenants {
		if !event.ValidSlug(t) {
			all.add(fmt.Sprintf("%s.tenants[%d]", where, n), "want a tenant's id")
		}
	}
}

func issuerFault(where, address string, all *faults) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http":
		all.add(where, "want a URL like https://accounts.google.com")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		all.add(where, "whoever is in between signs in as anybody: want https")
	}
}

func loopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// fileFault looks whether a file can be read. What is in it is read when it is used.
func fileFault(where, path string, must bool, all *faults) {
	if path == "" {
		if must {
			all.add(where, "it is missing")
		}
		return
	}
	if f, err := os.Open(path); err != nil {
		all.add(where, "it cannot be read: %v", err)
	} else {
		_ = f.Close()
	}
}

// lower makes the letters A to Z small and no others: some become one of a to z.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
