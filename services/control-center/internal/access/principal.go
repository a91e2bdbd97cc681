// Package access says who is asking, and what they may see and do.
package access

import (
	"context"
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
}

// Sees reports whether the principal may know of a tenant at all.
func (p Principal) Sees(tenant string) bool {
	switch p.Role {
	case Operator, Auditor:
		return p.Tenants == nil || slices.Contains(p.Tenants, tenant)
	case TenantAdmin:
		return slices.Contains(p.Tenants, tenant)
	}
	return false
}

// Commands reports whether the principal may change something of a tenant.
func (p Principal) Commands(tenant string) bool {
	return p.Role != Auditor && p.Sees(tenant)
}

type principalKey struct{}

// With returns a context of a request that the principal sends.
func With(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// From returns who sends the request. Without one nothing may be seen: handlers get requests that have one.
func From(ctx context.Context) (Principal, bool) {
	p, ok := ctx.Value(principalKey{}).(Principal)
	return p, ok
}
