package accessfile

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/session"
)

// Subject is the id of somebody whom an issuer has signed in: for logs and events, where it says nothing of the person.
func Subject(issuer, subject string) string {
	sum := sha256.Sum256([]byte(issuer + "\x00" + subject))
	return issuer + ":" + hex.EncodeToString(sum[:10])
}

// Issuer returns an issuer by its id.
func (f File) Issuer(id string) (Issuer, bool) {
	n := slices.IndexFunc(f.Issuers, func(i Issuer) bool { return i.ID == id })
	if n < 0 {
		return Issuer{}, false
	}
	return f.Issuers[n], true
}

// Person returns what somebody may do who has signed in, and false for whom the file does not let in. An entry with the subject
// counts before one with the address, which may have been somebody else's.
func (f File) Person(who session.Identity) (access.Principal, bool) {
	issuer, known := f.Issuer(who.Issuer)
	if !known || who.Subject == "" || !issuer.Admits(who) {
		return access.Principal{}, false
	}
	n := slices.IndexFunc(f.People, func(p Person) bool { return p.Issuer == who.Issuer && p.Subject == who.Subject })
	if n < 0 && who.Email != "" {
		n = slices.IndexFunc(f.People, func(p Person) bool {
			return p.Issuer == who.Issuer && p.Email != "" && lower(p.Email) == lower(who.Email)
		})
	}
	if n < 0 {
		return access.Principal{}, false
	}
	p := f.People[n]
	return access.Principal{ID: Subject(who.Issuer, who.Subject), Name: nameOf(who), Role: p.Role, Tenants: bound(p.Tenants), Home: issuer.home(who)}, true
}

// home is where somebody is at home, as far as the issuer's word counts: for the organizations that it is let in for, by name. Of
// any other, whoever can write a claim of an issuer could say so.
func (i Issuer) home(who session.Identity) (h access.Home) {
	if len(i.DirectoryIDs) > 0 {
		h.Directory = lower(who.TenantID)
	}
	if len(i.HostedDomains) > 0 {
		h.Domain = lower(who.Domain)
	}
	return h
}

// Admits reports whether somebody is of a domain and a tenant whose people may come in.
func (i Issuer) Admits(who session.Identity) bool {
	return (len(i.HostedDomains) == 0 || slices.Contains(i.HostedDomains, lower(who.Domain))) &&
		(len(i.DirectoryIDs) == 0 || slices.Contains(i.DirectoryIDs, lower(who.TenantID)))
}

func nameOf(who session.Identity) string {
	for _, name := range []string{who.Name, who.Email} {
		if name != "" {
			return name
		}
	}
	return who.Subject
}

// bound is nil for a list that binds to nothing: all tenants.
func bound(tenants []string) []string {
	if len(tenants) == 0 {
		return nil
	}
	return slices.Clone(tenants)
}

// Principal is who sends requests with a token of the machine.
func (m Machine) Principal() access.Principal {
	p := access.Principal{ID: "machine:" + m.ID, Name: m.ID, Role: m.Role, Tenants: bound(m.Tenants)}
	if len(m.Scopes) > 0 {
		p.Scopes = slices.Clone(m.Scopes)
	}
	return p
}
