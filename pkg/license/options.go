package license

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
)

// Options says which events a reader wants, and from where on. Empty fields do not narrow.
type Options struct {
	Tenant  string
	Product string
	User    string   // the provider's immutable id
	Types   []string // other types are checked for gaps and left out

	// At most one of these three says where reading begins. Without any, Replay begins with the oldest event that is kept
	// and Subscribe with the next new one.
	Since              time.Time // when the server stored the event
	FromSequence       uint64    // the source's own, so it needs Tenant and Product; the first event wanted
	FromStreamSequence uint64    // of LICENSES; the first event wanted

	// Follow makes Replay go on with new events.
	Follow bool
	// Durable names a position that the server keeps for Subscribe. Subscribing again under that name goes on behind the
	// last event whose handler returned nil, and Since and the From fields count only the first time. Where a user's latest
	// event has expired before this reader had it, that is an ExpiredError: take the state from the entitlements, and another
	// name. One name is one reader's: of several at once each event reaches one.
	Durable string
}

func (o Options) validate() error {
	var errs []error
	if o.Tenant != "" && !event.ValidSlug(o.Tenant) {
		errs = append(errs, fmt.Errorf("tenant %q is no tenant id", o.Tenant))
	}
	if o.Product != "" && !event.ValidSlug(o.Product) {
		errs = append(errs, fmt.Errorf("product %q is no product id", o.Product))
	}
	if o.User != "" && !event.ValidToken(o.User) {
		errs = append(errs, fmt.Errorf("user %q is no user id", o.User))
	}
	if o.FromSequence > 0 && (o.Tenant == "" || o.Product == "") {
		errs = append(errs, errors.New("a sequence is its source's own: it needs a tenant and a product"))
	}
	starts := 0
	for _, set := range []bool{!o.Since.IsZero(), o.FromSequence > 0, o.FromStreamSequence > 0} {
		if set {
			starts++
		}
	}
	if starts > 1 {
		errs = append(errs, errors.New("a time, a sequence and a stream sequence exclude each other"))
	}
	return errors.Join(errs...)
}

// filter is the subject filter of what is wanted.
func (o Options) filter() string {
	tenant, product := o.Tenant, o.Product
	if tenant == "" {
		tenant = "*"
	}
	if product == "" {
		product = "*"
	}
	if o.User != "" {
		return event.LicenseSubject(tenant, product, o.User)
	}
	return "license." + tenant + "." + product + ".>"
}

// whole reports whether the filter lets every event of the sources that it touches pass, so that a gap means a loss.
func (o Options) whole() bool { return o.User == "" }

func (o Options) wants(e Event) bool { return len(o.Types) == 0 || slices.Contains(o.Types, e.Type) }
