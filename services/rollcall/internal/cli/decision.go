package cli

import (
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

// decision is what the ledger says about one user and product, with what a person needs to understand it.
type decision struct {
	Tenant   string           `json:"tenant"`
	Product  string           `json:"product"`
	User     string           `json:"user,omitempty"` // the provider's id; empty when no single user was found
	Name     string           `json:"name,omitempty"`
	Status   directory.Status `json:"status,omitempty"`
	Licensed bool             `json:"licensed"`
	Reason   string           `json:"reason"`
	Why      string           `json:"why"` // the reason as a sentence
	Since    *time.Time       `json:"since,omitempty"`
	Path     []step           `json:"path,omitempty"`
	Mode     licensing.Mode   `json:"mode"`
	Group    string           `json:"group"` // address of the provisioning group
	// AsOf is the begin of the last good read: what the provider has changed since is not in it.
	AsOf     time.Time `json:"as_of"`
	Parked   *parked   `json:"parked,omitempty"`
	Standing *standing `json:"standing,omitempty"` // of the tenant

	active bool
}

// step is one group on the way from the provisioning group to the user.
type step struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

// Reasons that are not the ledger's but the question's.
const (
	noSuchUser  = "no-such-user"
	manyUsers   = "several-users"
	notDecided  = "not-decided-yet" // what the rules would say does not count: a change is being applied, or nothing is decided now
	notReadable = "the directory of %s has not been read completely yet: nothing can be said"
)

// decide answers for one user. That no user is found, or several, is an answer too: nobody that can be named has a license.
func decide(ctx context.Context, r *ledger.Reader, s *subject) (decision, ledger.UserState, error) {
	t, err := r.Tenant(ctx, s.tenant)
	if err != nil {
		return decision{}, ledger.UserState{}, err
	}
	if !t.Ready() {
		return decision{}, ledger.UserState{}, fmt.Errorf(notReadable, s.tenant)
	}
	p, err := s.find(t)
	if err != nil {
		return decision{}, ledger.UserState{}, err
	}
	d := decision{Tenant: s.tenant, Product: p.ID, Mode: p.State.Policy.Mode, Group: p.Address, AsOf: t.SnapshotAt}
	if t.RoundBegan.After(d.AsOf) {
		d.AsOf = t.RoundBegan
	}
	if d.Standing, err = standingIn(ctx, r, t.Tenant); err != nil {
		return d, ledger.UserState{}, err
	}
	u, err := r.FindUser(ctx, s.tenant, s.user)
	switch {
	case errors.Is(err, ledger.ErrNoUser):
		d.Reason, d.Why = noSuchUser, fmt.Sprintf("%s has no user %s.", s.tenant, s.user)
		return d, u, nil
	case errors.Is(err, ledger.ErrManyUser):
		d.Reason, d.Why = manyUsers, fmt.Sprintf("Several users of %s have the address %s: name one by its id.", s.tenant, s.user)
		return d, u, nil
	case err != nil:
		return d, u, err
	}
	d.User, d.Name, d.Status = u.ID, u.Name, u.Status
	d.active = licensing.User{Status: u.Status, Guest: u.Guest}.Active()
	return d, u, d.fill(ctx, r, u, p)
}

func (d *decision) fill(ctx context.Context, r *ledger.Reader, u ledger.UserState, p ledger.ProductState) error {
	all, err := r.Entitlements(ctx, u)
	if err != nil {
		return err
	}
	if err := d.park(ctx, r, u); err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(e ledger.CurrentEntitlement) bool { return e.Product == p.ID })
	if i < 0 { // never licensed: there is no event to quote, only the rules
		decided := licensing.Decide(licensing.User{Status: u.Status, Guest: u.Guest}, p.State.Policy, nil)
		switch {
		case d.Parked != nil && d.Parked.Waiting != nil:
			decided.Reason = licensing.OverSeatLimit
		case decided.Licensed:
			decided.Reason = notDecided
		}
		d.Reason = string(decided.Reason)
	} else {
		e := all[i]
		d.Licensed, d.Reason, d.Since = e.Licensed, e.Reason, &e.Since
		if d.Path, err = steps(ctx, r, d.Tenant, e.Path); err != nil {
			return err
		}
	}
	d.Why = sentence(*d, defaultTo(d.Name, d.User))
	return nil
}

func steps(ctx context.Context, r *ledger.Reader, tenant string, ids []string) ([]step, error) {
	names, err := r.GroupNames(ctx, tenant, ids)
	if err != nil {
		return nil, err
	}
	var path []step
	for _, id := range ids {
		path = append(path, step{ID: id, Name: names[id]})
	}
	return path, nil
}

// pathText writes a path by names, from the provisioning group down.
func pathText(path []step) string {
	names := make([]string, len(path))
	for i, s := range path {
		names[i] = defaultTo(s.Name, s.ID)
	}
	return strings.Join(names, " > ")
}

// sentence says why in plain words.
func sentence(d decision, who string) string {
	is := who + " is not licensed for " + d.Product + ": "
	if d.Licensed {
		is = who + " is licensed for " + d.Product + ": "
	}
	switch licensing.Reason(d.Reason) {
	case licensing.DomainDefault:
		return is + "every active user of " + d.Tenant + " is, because no group " + d.Group + " is in force."
	case licensing.GroupMember:
		return is + "a member of the provisioning group (" + pathText(d.Path) + ")."
	case licensing.NotAMember:
		return is + "not a member of the provisioning group " + d.Group + "."
	case licensing.Suspended:
		return is + string(d.Status) + " in the directory, so without a way to sign in." // suspended or archived
	case licensing.Deleted:
		return is + "deleted from the directory."
	case licensing.Guest:
		return is + "a guest, not one of the directory's own users."
	case licensing.OverSeatLimit:
		return is + "no seat was free" + d.Parked.line() + "."
	case licensing.Disconnected:
		return is + d.Tenant + " was disconnected, and its licenses were revoked."
	case licensing.Held:
		return is + "a revocation" + d.Parked.why() + d.Parked.because() + "."
	case notDecided:
		return is + "nobody has decided about this user yet."
	default:
		return is + d.Reason + "."
	}
}
