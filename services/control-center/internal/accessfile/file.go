// Package accessfile reads who may come in, by which issuer, and what each may see and do. The file is the operator's; nothing
// writes it.
package accessfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"

	"gopkg.in/yaml.v3"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
)

// maxSize is the most that a file may hold, in bytes.
const maxSize = 1 << 20

// File is what one version of the file says.
type File struct {
	Issuers  []Issuer  `yaml:"issuers"`
	People   []Person  `yaml:"people"`
	Machines []Machine `yaml:"machines"`
}

// Issuer signs people in by OpenID Connect.
type Issuer struct {
	ID     string `yaml:"id"`     // a slug: in paths, and in the ids of principals
	Name   string `yaml:"name"`   // for people
	Issuer string `yaml:"issuer"` // its URL

	ClientID         string `yaml:"client_id"`
	ClientSecretFile string `yaml:"client_secret_file"` // read at each sign-in

	// SubjectClaim is what People name as subject: sub, or Entra's oid, which an administrator can look up.
	SubjectClaim string `yaml:"subject_claim"`
	// HostedDomains and DirectoryIDs, where there are any, let in nobody of another Google domain or Entra tenant.
	HostedDomains []string `yaml:"hosted_domains"`
	DirectoryIDs  []string `yaml:"directory_ids"`

	CAFile string `yaml:"ca_file"` // of a private CA
}

// Person is let in. Exactly one of Subject and Email says who it is.
type Person struct {
	Issuer  string      `yaml:"issuer"` // an id of Issuers
	Subject string      `yaml:"subject"`
	Email   string      `yaml:"email"` // counts where the issuer has verified it
	Role    access.Role `yaml:"role"`
	Tenants []string    `yaml:"tenants"` // empty: all
}

// Machine is a program with a token of an issuer of its own, by client credentials. Exactly one of Subject and ClientID says
// which it is.
type Machine struct {
	ID       string         `yaml:"id"` // a slug
	Issuer   string         `yaml:"issuer"`
	Audience string         `yaml:"audience"`
	Subject  string         `yaml:"subject"`   // the claim sub
	ClientID string         `yaml:"client_id"` // the claim azp, client_id or appid
	Role     access.Role    `yaml:"role"`
	Tenants  []string       `yaml:"tenants"` // empty: all
	Scopes   []access.Scope `yaml:"scopes"`  // empty: all
	CAFile   string         `yaml:"ca_file"`
}

// Parse reads a file, or tells everything that is wrong with it at once. No fault repeats what the file says of a person.
func Parse(text []byte) (File, error) {
	if len(text) > maxSize {
		return File{}, fmt.Errorf("want at most %d bytes", maxSize)
	}
	var f File
	var faults []error
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	err := d.Decode(&f)
	types, mistyped := errors.AsType[*yaml.TypeError](err)
	switch {
	case mistyped:
		for _, fault := range types.Errors {
			faults = append(faults, errors.New(unquoted(fault)))
		}
	case errors.Is(err, io.EOF):
		return File{}, errors.New("it is empty")
	case err != nil:
		return File{}, errors.New(unquoted(err.Error()))
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		faults = append(faults, errors.New("want one document"))
	}
	if faults = append(faults, f.faults()...); len(faults) > 0 {
		return File{}, errors.Join(faults...)
	}
	return f, nil
}

var (
	quoted   = regexp.MustCompile("(?s)`.*`")
	typeName = regexp.MustCompile(` (in type|into) [\w.\[\]]+`)
)

// unquoted is a fault of the parser without what it quotes of the file, and without names of ours.
func unquoted(fault string) string {
	return typeName.ReplaceAllString(quoted.ReplaceAllString(fault, "a value"), "")
}
