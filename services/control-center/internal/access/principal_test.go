package access_test

import (
	"testing"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
)

// What a role may see and change of its own tenant and of another one.
func TestRoles(t *testing.T) {
	t.Parallel()
	type may struct{ seesOwn, commandsOwn, seesOther, commandsOther bool }
	for name, c := range map[string]struct {
		who  access.Principal
		want may
	}{
		"operator":                {access.Principal{Role: access.Operator}, may{true, true, true, true}},
		"operator of a tenant":    {access.Principal{Role: access.Operator, Tenants: []string{"own"}}, may{true, true, false, false}},
		"tenant admin":            {access.Principal{Role: access.TenantAdmin, Tenants: []string{"own"}}, may{true, true, false, false}},
		"tenant admin of nothing": {access.Principal{Role: access.TenantAdmin}, may{}},
		"auditor":                 {access.Principal{Role: access.Auditor}, may{true, false, true, false}},
		"auditor of a tenant":     {access.Principal{Role: access.Auditor, Tenants: []string{"own"}}, may{true, false, false, false}},
		"auditor of no tenant":    {access.Principal{Role: access.Auditor, Tenants: []string{}}, may{}},
		"nobody":                  {access.Principal{}, may{}},
		"a role to come":          {access.Principal{Role: "owner", Tenants: []string{"own"}}, may{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := may{c.who.Sees("own"), c.who.Commands("own"), c.who.Sees("other"), c.who.Commands("other")}
			if got != c.want {
				t.Errorf("may %+v, want %+v", got, c.want)
			}
		})
	}
}

// What a token with scopes may do of what its role may.
func TestScopes(t *testing.T) {
	t.Parallel()
	type may struct{ sees, checks, commands bool }
	for name, c := range map[string]struct {
		role   access.Role
		scopes []access.Scope
		want   may
	}{
		"no list is all":         {access.TenantAdmin, nil, may{true, true, true}},
		"an empty list is none":  {access.TenantAdmin, []access.Scope{}, may{}},
		"read":                   {access.TenantAdmin, []access.Scope{access.ScopeRead}, may{true, true, false}},
		"commands":               {access.TenantAdmin, []access.Scope{access.ScopeCommands}, may{true, true, true}},
		"check":                  {access.TenantAdmin, []access.Scope{access.ScopeCheck}, may{false, true, false}},
		"check and read":         {access.TenantAdmin, []access.Scope{access.ScopeCheck, access.ScopeRead}, may{true, true, false}},
		"a scope to come":        {access.TenantAdmin, []access.Scope{"erase"}, may{}},
		"commands of an auditor": {access.Auditor, []access.Scope{access.ScopeCommands}, may{true, true, false}},
		"of an operator":         {access.Operator, []access.Scope{access.ScopeRead}, may{true, true, false}},
	} {
		p := access.Principal{Role: c.role, Tenants: []string{"own"}, Scopes: c.scopes}
		if got := (may{p.Sees("own"), p.Checks("own"), p.Commands("own")}); got != c.want {
			t.Errorf("%s: may %+v, want %+v", name, got, c.want)
		}
		if p.Sees("other") || p.Checks("other") || p.Commands("other") {
			t.Errorf("%s: reaches another tenant", name)
		}
	}
}
