package authzen

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
	"github.com/rollcall-hq/rollcall/services/internal/answer"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// Use is the action that every product has: whoever is licensed may.
const Use = "use"

// The types that are known.
const (
	typeUser    = "user"
	typeProduct = "product"
)

// Reasons that are not of a license.
const (
	activeUser       = "active-user" // every active user may
	noCounterpart    = "counterpart-not-licensed"
	noTenant         = "no-such-tenant"
	noTenantNamed    = "no-tenant-named"
	tenantsDiffer    = "tenants-differ"
	noProduct        = "no-such-product"
	unknownSubject   = "unknown-subject-type"
	unknownResource  = "unknown-resource-type"
	unknownAction    = "unknown-action"
	notReadYet       = "not-read-yet"
	notUnderstood    = "invalid"
	sentenceNoUser   = "%s has no such user."
	sentenceMany     = "Several users of %s have the address: name one by its id."
	sentenceActive   = "%s is an active user of %s, and each of them may %s."
	sentenceInactive = "%s may not sign in at %s."
)

// question is one that is complete.
type question struct {
	subject, resource entity
	action            string
	counterpart       *bool // whether it was licensed; nil: nobody says
}

// question reads one.
func (f fields) question(where string) (q question, err error) {
	if q.subject, err = f.entity(where, "subject", false); err != nil {
		return q, err
	}
	if q.action, err = f.action(where); err != nil {
		return q, err
	}
	if q.resource, err = f.entity(where, "resource", false); err != nil {
		return q, err
	}
	q.counterpart, err = f.counterpart(where)
	return q, err
}

// session is one request: what it has read of a tenant holds for all of its questions.
type session struct {
	ctx     context.Context //nolint:containedctx // a session lives as long as its request
	service *Service
	who     access.Principal
	known   map[string]known
}

// known is what was read of a tenant.
type known struct {
	tenant tenant.Tenant
	state  ledger.TenantState
	reason string // why nothing can be said of it; "": something can
}

// denied is a denial for a reason that is not of the license.
func denied(reason string) decision { return decision{Context: why{Reason: reason}} }

// ask decides.
func (s *session) ask(q question) (decision, error) {
	name, reason := s.tenantOf(q.subject, q.resource)
	switch {
	case q.subject.kind != typeUser:
		return denied(unknownSubject), nil
	case q.resource.kind != typeProduct:
		return denied(unknownResource), nil
	case reason != "":
		return denied(reason), nil
	}
	t, err := s.tenant(name)
	if err != nil {
		return decision{}, err
	}
	product, reason := t.product(q.resource.id, q.action)
	switch {
	case t.reason != "":
		return denied(t.reason), nil
	case reason != "":
		return denied(reason), nil
	}
	return s.decide(t, product, q)
}

// tenantOf says of which tenant a question is: subject and resource may name it, and whoever is bound to one need not.
func (s *session) tenantOf(subject, resource entity) (name, reason string) {
	switch {
	case subject.tenant != "" && resource.tenant != "" && subject.tenant != resource.tenant:
		return "", tenantsDiffer
	case subject.tenant != "":
		return subject.tenant, ""
	case resource.tenant != "":
		return resource.tenant, ""
	case len(s.who.Tenants) == 1:
		return s.who.Tenants[0], ""
	}
	return "", noTenantNamed
}

// tenant reads one. One that may not be asked about is as one that does not exist.
func (s *session) tenant(name string) (k known, err error) {
	if k, before := s.known[name]; before {
		return k, nil
	}
	if !event.ValidSlug(name) || !s.who.Checks(name) {
		return known{reason: noTenant}, nil
	}
	k.tenant, err = s.service.deps.Tenants.Get(s.ctx, name)
	if errors.Is(err, tenant.ErrNotFound) {
		return known{reason: noTenant}, nil
	}
	if err == nil {
		k.state, err = s.service.deps.Ledger.TenantUncounted(s.ctx, name)
	}
	if errors.Is(err, ledger.ErrNoTenant) || err == nil && !k.state.Ready() {
		k.reason, err = notReadYet, nil
	}
	if err == nil {
		s.known[name] = k
	}
	return k, err
}

// product finds one of the tenant, of which the action is, or says why there is none. Of one that the tenant has no longer it is
// known who holds a license, and no more.
func (k known) product(id, action string) (p tenant.Product, reason string) {
	p, sold := k.tenant.Product(id)
	if !sold {
		if _, err := answer.Product(k.state, id); err != nil || id == "" || action != Use {
			return p, noProduct
		}
		return tenant.Product{ID: id}, ""
	}
	if !slices.Contains(actionsOf(p), action) {
		return p, unknownAction
	}
	return p, ""
}

// actionsOf are all actions of a product.
func actionsOf(p tenant.Product) []string { return slices.Concat([]string{Use}, p.Licensed, p.Active) }

func rules(p tenant.Product) licensing.Capabilities {
	return licensing.Capabilities{Licensed: append([]string{Use}, p.Licensed...), Active: p.Active}
}

// decide answers a question that can be answered.
func (s *session) decide(t known, product tenant.Product, q question) (decision, error) {
	state, err := answer.Product(t.state, product.ID)
	if errors.Is(err, ledger.ErrNoProduct) {
		return denied(notReadYet), nil
	}
	if err != nil {
		return decision{}, err
	}
	d := decision{Context: why{Tenant: t.tenant.ID, Product: product.ID, AsOf: answer.AsOf(t.state)}}
	u, err := s.service.deps.Ledger.FindUser(s.ctx, t.tenant.ID, q.subject.id)
	switch {
	case errors.Is(err, ledger.ErrNoUser):
		d.Context.Reason, d.Context.Sentence = answer.NoSuchUser, fmt.Sprintf(sentenceNoUser, t.tenant.ID)
		return d, nil
	case errors.Is(err, ledger.ErrManyUser):
		d.Context.Reason, d.Context.Sentence = answer.ManyUsers, fmt.Sprintf(sentenceMany, t.tenant.ID)
		return d, nil
	case err != nil:
		return decision{}, err
	}
	about, err := answer.Of(s.ctx, s.service.deps.Ledger, t.state, state, u)
	if err != nil {
		return decision{}, err
	}
	d.say(about, u, product, q)
	return d, nil
}

// say fills in what is decided, and why.
func (d *decision) say(about answer.Decision, u ledger.UserState, product tenant.Product, q question) {
	d.Decision = rules(product).Allows(about.Active, about.Licensed, q.action)
	c := &d.Context
	c.User, c.Licensed, c.Reason, c.Sentence = u.ID, &about.Licensed, about.Reason, about.Why
	if about.Since != nil {
		c.Since = *about.Since
	}
	switch {
	case !about.Active: // whatever the license says: a revocation may be parked
		c.Reason = string(licensing.Decide(licensing.User{Status: u.Status, Guest: u.Guest}, licensing.Policy{Mode: licensing.AllUsers}, nil).Reason)
		if about.Licensed {
			c.Sentence = fmt.Sprintf(sentenceInactive, u.Name, about.Tenant)
		}
	case !slices.Contains(product.Active, q.action):
	case q.counterpart != nil && !*q.counterpart:
		d.Decision, c.Reason, c.Sentence = false, noCounterpart, "The counterpart was not licensed."
	case !about.Licensed:
		c.Reason, c.Sentence = activeUser, fmt.Sprintf(sentenceActive, u.Name, about.Tenant, q.action)
	}
}
