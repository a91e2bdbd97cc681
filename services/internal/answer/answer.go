// Package answer says what the ledger knows of one user and one product, or of a tenant, in a form for whoever asks: the
// decision with its reason as a sentence, what stands against it, and what keeps the tenant's licenses from simply following
// its directory. The commands, the HTTP API and the pages give the same answers because they are made here.
package answer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// What a question can meet, beside what the ledger says: ledger.ErrNoTenant and ledger.ErrNoProduct.
var (
	// ErrNotRead says that nothing can be said yet: the tenant's directory has not been read completely.
	ErrNotRead = errors.New("the directory has not been read completely yet: nothing can be said")
	// ErrWhichProduct says that the question names no product, and the tenant does not have exactly one.
	ErrWhichProduct = errors.New("name a product")
)

// Question asks about one user and one product.
type Question struct {
	Tenant  string
	Product string // may be empty where the tenant has only one
	User    string // the provider's id, or an address
}

// Decision is what the ledger says about one user and product, with what a person needs to understand it.
type Decision struct {
	Tenant   string           `json:"tenant"`
	Product  string           `json:"product"`
	User     string           `json:"user,omitempty"` // the provider's id; empty when no single user was found
	Name     string           `json:"name,omitempty"`
	Status   directory.Status `json:"status,omitempty"`
	Licensed bool             `json:"licensed"`
	Reason   string           `json:"reason"`
	Why      string           `json:"why"` // the reason as a sentence
	Since    *time.Time       `json:"since,omitempty"`
	Path     []Step           `json:"path,omitempty"`
	Mode     licensing.Mode   `json:"mode"`
	Group    string           `json:"group"` // address of the provisioning group
	// AsOf is the begin of the last good read: what the provider has changed since is not in it.
	AsOf     time.Time `json:"as_of"`
	Parked   *Parked   `json:"parked,omitempty"`
	Standing *Standing `json:"standing,omitempty"` // of the tenant

	// Active says whether the user may do what every active user may (see licensing.User.Active).
	Active bool `json:"-"`
	// Removed says that the tenant has the product no longer: nobody is decided for it, and what was decided stands.
	Removed bool `json:"removed,omitempty"`
}

// Step is one group on the way from the provisioning group to the user.
type Step struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

// Reasons that are not the ledger's but the question's.
const (
	NoSuchUser = "no-such-user"
	ManyUsers  = "several-users"
	NotDecided = "not-decided-yet" // what the rules would say does not count: a change is being applied, or nothing is decided now
)

// Decide answers for one user. That no user is found, or several, is an answer too: nobody that can be named has a license.
func Decide(ctx context.Context, r *ledger.Reader, q Question) (Decision, ledger.UserState, error) {
	t, err := r.TenantUncounted(ctx, q.Tenant)
	if err != nil {
		return Decision{}, ledger.UserState{}, err
	}
	if !t.Ready() {
		return Decision{}, ledger.UserState{}, fmt.Errorf("tenant %s: %w", q.Tenant, ErrNotRead)
	}
	p, err := Product(t, q.Product)
	if err != nil {
		return Decision{}, ledger.UserState{}, err
	}
	d := begin(t, p)
	if d.Standing, err = StandingIn(ctx, r, t.Tenant); err != nil {
		return d, ledger.UserState{}, err
	}
	u, err := r.FindUser(ctx, q.Tenant, q.User)
	switch {
	case errors.Is(err, ledger.ErrNoUser):
		return d.Unfound(NoSuchUser, q), u, nil
	case errors.Is(err, ledger.ErrManyUser):
		return d.Unfound(ManyUsers, q), u, nil
	case err != nil:
		return d, u, err
	}
	return d, u, d.fill(ctx, r, u, p)
}

// Unfound is the decision about nobody: reason is NoSuchUser or ManyUsers.
func (d Decision) Unfound(reason string, q Question) Decision {
	d.Reason, d.Why = reason, fmt.Sprintf("%s has no user %s.", q.Tenant, q.User)
	if reason == ManyUsers {
		d.Why = fmt.Sprintf("Several users of %s have the address %s: name one by its id.", q.Tenant, q.User)
	}
	return d
}

// Of answers for a user who is known already, and leaves out where the tenant stands.
func Of(ctx context.Context, r *ledger.Reader, t ledger.TenantState, p ledger.ProductState, u ledger.UserState) (Decision, error) {
	d := begin(t, p)
	if !t.Ready() {
		return d, fmt.Errorf("tenant %s: %w", t.Name, ErrNotRead)
	}
	return d, d.fill(ctx, r, u, p)
}

func begin(t ledger.TenantState, p ledger.ProductState) Decision {
	return Decision{Tenant: t.Name, Product: p.ID, Mode: p.State.Policy.Mode, Group: p.Address, AsOf: AsOf(t), Removed: Removed(p)}
}

// Removed reports whether a tenant has the product no longer. Whoever names it is answered all the same: licenses that were held
// stand as they were.
func Removed(p ledger.ProductState) bool { return p.Address == "" }

// Listed is the decision about a user as a list has it.
func Listed(tenant string, p ledger.ProductState, u ledger.UserRow) Decision {
	d := Decision{
		Tenant: tenant, Product: p.ID, User: u.ID, Name: u.Name, Status: u.Status, Licensed: u.Licensed, Reason: u.Reason, Group: p.Address,
		Removed: Removed(p),
	}
	for _, g := range u.Path {
		d.Path = append(d.Path, Step(g))
	}
	return d
}

// AsOf is since when a tenant is known as it is: the begin of its last good round or the end of its last complete read.
func AsOf(t ledger.TenantState) time.Time {
	if t.RoundBegan.After(t.SnapshotAt) {
		return t.RoundBegan
	}
	return t.SnapshotAt
}

// Product finds a product of a tenant, or the only one where none is named: ledger.ErrNoProduct or ErrWhichProduct. One that the
// tenant has no longer has to be named.
func Product(t ledger.TenantState, named string) (ledger.ProductState, error) {
	var present []ledger.ProductState
	for _, p := range t.Products {
		if p.ID == named {
			return p, nil
		}
		if !Removed(p) {
			present = append(present, p)
		}
	}
	switch {
	case named != "":
		return ledger.ProductState{}, fmt.Errorf("tenant %s, product %q: %w", t.Name, named, ledger.ErrNoProduct)
	case len(present) != 1:
		return ledger.ProductState{}, fmt.Errorf("tenant %s has %d products: %w", t.Name, len(present), ErrWhichProduct)
	}
	return present[0], nil
}

func (d *Decision) fill(ctx context.Context, r *ledger.Reader, u ledger.UserState, p ledger.ProductState) error {
	d.User, d.Name, d.Status = u.ID, u.Name, u.Status
	rules := licensing.User{Status: u.Status, Guest: u.Guest}
	d.Active = rules.Active()
	all, err := r.Entitlements(ctx, u)
	if err != nil {
		return err
	}
	if d.Parked, err = parkedOf(ctx, r, u, d.Product); err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(e ledger.CurrentEntitlement) bool { return e.Product == p.ID })
	if i < 0 { // never licensed: there is no event to quote, only the rules
		decided := licensing.Decide(rules, p.State.Policy, nil)
		switch {
		case d.Parked != nil && d.Parked.Waiting != nil:
			decided.Reason = licensing.OverSeatLimit
		case decided.Licensed:
			decided.Reason = NotDecided
		}
		d.Reason = string(decided.Reason)
	} else {
		e := all[i]
		d.Licensed, d.Reason, d.Since = e.Licensed, e.Reason, &e.Since
		if d.Path, err = Steps(ctx, r, d.Tenant, e.Path); err != nil {
			return err
		}
	}
	d.Why = cmp.Or(d.Name, d.User) + d.because()
	return nil
}

// Steps names the groups of a path.
func Steps(ctx context.Context, r *ledger.Reader, tenant string, ids []string) ([]Step, error) {
	names, err := r.GroupNames(ctx, tenant, ids)
	if err != nil {
		return nil, err
	}
	var path []Step
	for _, id := range ids {
		path = append(path, Step{ID: id, Name: names[id]})
	}
	return path, nil
}

// PathText writes a path by names, from the provisioning group down.
func PathText(path []Step) string {
	names := make([]string, len(path))
	for i, s := range path {
		names[i] = cmp.Or(s.Name, s.ID)
	}
	return strings.Join(names, " > ")
}

// because says whether the user is licensed, and why, in plain words behind the user's name.
func (d *Decision) because() string {
	is := " is not licensed for " + d.Product + ": "
	if d.Licensed {
		is = " is licensed for " + d.Product + ": "
	}
	return is + d.Because() + "."
}

// Because says in plain words why a user is licensed, or is not: "a member of the provisioning group (Sales)".
func (d *Decision) Because() string {
	if d.Removed && licensing.Reason(d.Reason) != licensing.Disconnected { // which ends what stood
		return "so it was when " + d.Tenant + " still had the product"
	}
	switch licensing.Reason(d.Reason) {
	case licensing.DomainDefault:
		return "every active user of " + d.Tenant + " is, because no group " + d.Group + " is in force"
	case licensing.GroupMember:
		return "a member of the provisioning group (" + PathText(d.Path) + ")"
	case licensing.NotAMember:
		return "not a member of the provisioning group " + d.Group
	case licensing.Suspended:
		return string(d.Status) + " in the directory, so without a way to sign in" // suspended or archived
	case licensing.Deleted:
		return "deleted from the directory"
	case licensing.Guest:
		return "a guest, not one of the directory's own users"
	case licensing.OverSeatLimit:
		return "no seat was free" + d.Parked.line()
	case licensing.Disconnected:
		return d.Tenant + " was disconnected, and its licenses were revoked"
	case licensing.Held:
		return "a revocation" + d.Parked.why() + d.Parked.because()
	case NotDecided:
		return "nobody has decided about this user yet"
	default:
		return d.Reason
	}
}
