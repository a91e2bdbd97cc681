package event

import (
	"fmt"
	"regexp"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// Sources are URNs, one for each kind of writer and tenant. A license event's source is the scope of its sequence.

// LicenseSource is the source of a tenant's and product's events on LICENSES.
func LicenseSource(tenant, product string) string {
	return "urn:rollcall:license:" + tenant + ":" + product
}

// DirectorySource is the source of what sync observed in a tenant's directory.
func DirectorySource(tenant string) string { return "urn:rollcall:directory:" + tenant }

// NotificationSource is the source of a tenant's notifications.
func NotificationSource(tenant string) string { return "urn:rollcall:notification:" + tenant }

// CommandSource is the source of commands to a tenant.
func CommandSource(tenant string) string { return "urn:rollcall:command:" + tenant }

// DeadLetterSource is the source of the dead letters of a stream.
func DeadLetterSource(stream string) string { return "urn:rollcall:dead-letter:" + stream }

// Ids are derived from what makes an event the one that it is, so that a second publish is known as one. Never from the
// content alone: add, remove, add would lose the third.

// LicenseID is the id of the event with that sequence in the tenant's and product's source.
func LicenseID(tenant, product string, sequence uint64) string {
	return fmt.Sprintf("%s.%s.%d", tenant, product, sequence)
}

// ObservationID is the id of one part of what the request with that stamp showed.
func ObservationID(tenant string, stamp directory.Stamp, part int) string {
	return fmt.Sprintf("%s.%d-%d.%d", tenant, stamp.Epoch, stamp.Counter, part)
}

// CommandID is the id of the command that was given under an idempotency key, which is of [A-Za-z0-9._:~-].
func CommandID(tenant, verb, key string) string { return tenant + "." + verb + "." + key }

// Subjects as publishers send them. NOTIFICATIONS and LEDGER_IN insert the partition of the tenant behind the first
// token when they store a message: notification.<partition>.<provider>.<tenant>, directory.<partition>.<tenant>.<what>.

// NotificationSubject is where intake publishes.
func NotificationSubject(tenant string, provider directory.Provider) string {
	return "notification." + tenant + "." + string(provider)
}

// DirectorySubject is where sync publishes; what is "page", "snapshot", "candidates", "round" or "connection".
func DirectorySubject(tenant, what string) string { return "directory." + tenant + "." + what }

// CommandSubject is where commands are published, and what answers them: verb is "refresh", "read", "refreshed" or one of
// the Verb constants.
func CommandSubject(tenant, verb string) string { return "command." + tenant + "." + verb }

// LicenseSubject is where the license events of one user go.
func LicenseSubject(tenant, product, user string) string {
	return "license." + tenant + "." + product + ".user." + user
}

// PolicySubject is where a product's policy events go.
func PolicySubject(tenant, product string) string {
	return "license." + tenant + "." + product + ".policy"
}

// SeatsSubject is where the events about a product's seats go.
func SeatsSubject(tenant, product string) string {
	return "license." + tenant + "." + product + ".seats"
}

// HeldSubject is where the events about a product's held changes go.
func HeldSubject(tenant, product string) string {
	return "license." + tenant + "." + product + ".held"
}

// ActivationSubject is where the events about first sign-ins to a product go.
func ActivationSubject(tenant, product string) string {
	return "license." + tenant + "." + product + ".activation"
}

// ConnectionSubject is where the events about the connection to a tenant's directory go.
func ConnectionSubject(tenant, product string) string {
	return "license." + tenant + "." + product + ".connection"
}

// DeadLetterSubject is where a message of a stream goes that was given up.
func DeadLetterSubject(stream, tenant string) string { return "dead." + stream + "." + tenant }

var (
	slug  = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)
	token = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)
	actor = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,64}$`)
)

// ValidSlug reports whether s may be the id of a tenant or a product: 1 to 40 of [a-z0-9-], no hyphen at either end.
func ValidSlug(s string) bool { return slug.MatchString(s) }

// ValidToken reports whether s, a provider's id, may stand in a subject as one token.
func ValidToken(s string) bool { return token.MatchString(s) }

// ValidActor reports whether s may say who asked for something, in a field By. No address passes.
func ValidActor(s string) bool { return actor.MatchString(s) }
