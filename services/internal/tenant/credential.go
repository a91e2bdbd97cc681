package tenant

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// CredentialKind says how the vendor's application proves itself to the tenant's directory.
type CredentialKind string

// The kinds of credentials for Entra.
const (
	ClientSecret     CredentialKind = "client-secret"
	Certificate      CredentialKind = "certificate"
	WorkloadIdentity CredentialKind = "workload-identity"
)

// The kinds of credentials for Google Workspace.
const (
	// GoogleImpersonation needs no key: who we are on our own platform may sign as the service account.
	GoogleImpersonation CredentialKind = "google-impersonation"
	GoogleKeyFile       CredentialKind = "google-key-file"
)

// CredentialKinds returns the kinds that a provider takes, the one to prefer first.
func CredentialKinds(p directory.Provider) []CredentialKind {
	switch p {
	case directory.Entra:
		return []CredentialKind{WorkloadIdentity, Certificate, ClientSecret}
	case directory.GoogleWorkspace:
		return []CredentialKind{GoogleImpersonation, GoogleKeyFile}
	}
	return nil
}

// Credential refers to what proves us: who we are to the provider, and the file or environment variable that holds the
// secret.
type Credential struct {
	Kind CredentialKind `json:"kind"`
	// ClientID is the application's id at Entra. At Google it is the number by which the customer's admin grants domain-wide
	// delegation to the service account: not needed to sign in, but to tell the admin what is missing.
	ClientID string `json:"client_id,omitempty"`
	// File is the path of the secret, of the PEM or PFX certificate with its key, or of the federated token; for Google of
	// the service account's JSON key, or of a workload identity configuration: "" there means application default
	// credentials.
	File string `json:"file,omitempty"`
	// Env names an environment variable that holds the client secret, where there is no File, or the password of a PFX.
	Env string `json:"env,omitempty"`
	// ServiceAccount is the address of the Google service account that is signed for. A key file names its own.
	ServiceAccount string `json:"service_account,omitempty"`
	// Subject is the address of the customer's admin in whose name Google is read.
	Subject string `json:"subject,omitempty"`
	// Expires is when a client secret or a key file ends, as somebody has told, for neither shows it; zero: nobody has.
	Expires time.Time `json:"expires,omitzero"`
}

// TellsNoEnd reports whether a credential may end at a time that it does not show: Expires has it, if anything.
func (c Credential) TellsNoEnd() bool { return c.Kind == ClientSecret || c.Kind == GoogleKeyFile }

// validate returns every fault. What was given where is not repeated: it may be a secret in the wrong place, or an address.
func (c Credential) validate(p directory.Provider) []error {
	if kinds := CredentialKinds(p); kinds != nil && !slices.Contains(kinds, c.Kind) {
		return []error{fmt.Errorf("credential kind: %s takes %s", p, anyOf(kinds))}
	}
	var errs []error
	if strings.ContainsAny(c.File, "{\n\r") {
		errs = append(errs, errors.New("credential file: want its path, not what it holds"))
	}
	if !c.Expires.IsZero() && !c.TellsNoEnd() {
		errs = append(errs, fmt.Errorf("credential %s: no end can be told of it, only of %s or %s", c.Kind, ClientSecret, GoogleKeyFile))
	}
	switch c.Kind {
	case ClientSecret, Certificate, WorkloadIdentity:
		return append(errs, c.validateEntra()...)
	case GoogleImpersonation, GoogleKeyFile:
		return append(errs, c.validateGoogle()...)
	}
	return append(errs, errors.New("credential kind: not one that is known")) // the provider is not known either
}

func (c Credential) validateEntra() []error {
	var errs []error
	if c.ClientID == "" {
		errs = append(errs, errors.New("credential: want the application (client) id"))
	}
	if c.ServiceAccount != "" || c.Subject != "" {
		errs = append(errs, fmt.Errorf("credential %s: it has no service account and no subject", c.Kind))
	}
	switch {
	case c.Kind == ClientSecret && (c.File == "") == (c.Env == ""):
		errs = append(errs, errors.New("credential client-secret: want either a file or an environment variable that holds it"))
	case c.Kind != ClientSecret && c.File == "":
		errs = append(errs, fmt.Errorf("credential %s: want the path of its file", c.Kind))
	}
	return errs
}

func (c Credential) validateGoogle() []error {
	var errs []error
	if c.ClientID != "" && !digits.MatchString(c.ClientID) {
		errs = append(errs, errors.New("credential: want the service account's client id, a number of 10 to 30 digits, or none"))
	}
	if c.Env != "" {
		errs = append(errs, fmt.Errorf("credential %s: nothing of it is in the environment", c.Kind))
	}
	if !validAddress(c.Subject) {
		errs = append(errs, fmt.Errorf("credential %s: want as subject the address of the admin in whose name the directory is read", c.Kind))
	}
	switch {
	case c.Kind == GoogleKeyFile && c.File == "":
		errs = append(errs, errors.New("credential google-key-file: want the path of its file"))
	case c.ServiceAccount == "" && c.Kind == GoogleImpersonation, c.ServiceAccount != "" && !validAddress(c.ServiceAccount):
		errs = append(errs, fmt.Errorf("credential %s: want the address of the service account", c.Kind))
	}
	return errs
}

var (
	digits  = regexp.MustCompile(`^[0-9]{10,30}$`)
	address = regexp.MustCompile(`^[^\s@/\\<>"(),:;\[\]]+@[^\s@/\\<>"(),:;\[\]]+\.[^\s@/\\<>"(),:;\[\]]+$`)
)

// validAddress is strict about what would be more than an address in a URL or a claim, and in lower case.
func validAddress(s string) bool {
	return len(s) <= 254 && directory.Address(s) == s && address.MatchString(s)
}

func anyOf(kinds []CredentialKind) string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}
