// Package access says who is asking, and what they may see and do.
package access

import (
	"context"
	"errors"
	"slices"
)

// Role is what somebody may do.
type Role string

// The roles. An operator may do everything; a tenant admin sees and changes the tenants that the role is bound to; an auditor
// sees, and changes nothing.
const (
	Operator    Role = "operator"
	TenantAdmin Role = "tenant-admin"
	Auditor     Role = "auditor"
)

// Principal is somebody, or a program, whose proof was accepted.
type Principal struct {
	// ID names the principal in events and logs: see event.ValidActor. It is no address.
	ID   string
	Name string // for people
	Role Role
	// Tenants are those that the role is bound to; nil: all, which no tenant admin has.
	Tenants []string
	// Scopes are what of the role its proof is good for; nil: all of it.
	Scopes []Scope
	// Home is the organization that the principal was proved to be of; zero: none was.
	Home Home
}

// Home is an organization as an issuer knows it, where the access file takes that issuer's word for it.
type Home struct {
	Directory string // Entra's tenant id, in small letters
	Domain    string // of a Google Workspace, in small letters
}

// Connects reports whether the principal may have directories connected at all; which, Commands says.
func (p Principal) Connects() bool {
	return (p.Role == Operator || p.Role == TenantAdmin) && p.scoped(ScopeCommands)
}

// Scope is a part of what a role may do, for a token that is to do no more.
type Scope string

// The scopes. What changes something answers with what it has changed, so that ScopeCommands holds ScopeRead, and who reads why
// somebody is licensed may as well ask whether: both hold ScopeCheck.
const (
	ScopeRead     Scope = "read"
	ScopeCommands Scope = "commands"
	ScopeCheck    Scope = "check" // ask "may this user?", and nothing else
)

// Roles and Scopes are all that there are.
var (
	Roles  = []Role{Operator, TenantAdmin, Auditor}
	Scopes = []Scope{ScopeRead, ScopeCommands, ScopeCheck}
)

// Sees reports whether the principal may know of a tenant at all.
func (p Principal) Sees(tenant string) bool {
	return p.scoped(ScopeRead, ScopeCommands) && p.bound(tenant)
}

// Checks reports whether the principal may ask what a user of a tenant may do. Whoever sees the tenant may.
func (p Principal) Checks(tenant string) bool {
	return p.scoped(ScopeRead, ScopeCommands, ScopeCheck) && p.bound(tenant)
}

// Commands reports whether the principal may change something of a tenant.
func (p Principal) Commands(tenant string) bool {
	return p.Role != Auditor && p.scoped(ScopeCommands) && p.bound(tenant)
}

// Operates reports whether the principal may do with a tenant what only operators may.
func (p Principal) Operates(tenant string) bool { return p.Role == Operator && p.Commands(tenant) }

// scoped reports whether the proof is good for one of the scopes.
func (p Principal) scoped(any ...Scope) bool {
	return p.Scopes == nil || slices.ContainsFunc(any, func(s Scope) bool { return slices.Contains(p.Scopes, s) })
}

// bound reports whether the role reaches a tenant.
func (p Principal) bound(tenant string) bool {
	switch p.Role {
	case Operator, Auditor:
		return p.Tenants == nil || slices.Contains(p.Tenants, tenant)
	case TenantAdmin:
		return slices.Contains(p.Tenants, tenant)
	}
	return false
}

type principalKey struct{}

// proved is who sends a request, and how to look at the proof once more.
type proved struct {
	Principal
	again func() (Principal, error) // nil: it cannot be looked at again
}

// With returns a context of a request that the principal sends.
func With(ctx context.Context, p Principal) context.Context { return WithProof(ctx, p, nil) }

// WithProof is With, where again looks at the proof once more: see Still. Its errors are those of Sessions.
func WithProof(ctx context.Context, p Principal, again func() (Principal, error)) context.Context {
	return context.WithValue(ctx, principalKey{}, proved{p, again})
}

// From returns who sends the request. Without one nothing may be seen: handlers get requests that have one.
func From(ctx context.Context) (Principal, bool) {
	p, ok := ctx.Value(principalKey{}).(proved)
	return p.Principal, ok
}

// Still reports whether who sends the request may see a tenant by now: an answer that goes on for long asks now and then, and ends
// for somebody who has signed out or lost the role. Where nobody can tell at the moment it is as it was.
func Still(ctx context.Context, tenant string) bool {
	p, ok := ctx.Value(principalKey{}).(proved)
	if !ok || p.again == nil {
		return ok && p.Sees(tenant)
	}
	now, err := p.again()
	if err != nil {
		return !errors.Is(err, ErrRefused) && p.Sees(tenant)
	}
	return now.ID == p.ID && now.Sees(tenant)
}
