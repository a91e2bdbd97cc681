package graph

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// The checks, in the order in which they are made.
const (
	checkSignIn    = "sign-in"
	checkConsent   = "consent"
	checkDirectory = "directory"
	checkUsers     = "read-users"
	checkGroups    = "read-groups"
	checkGroup     = "provisioning-group"
	checkMembers   = "read-members"
	checkPush      = "push"
	checkDynamic   = "dynamic-distribution-group"
)

// Verify implements receiver.Provider: about ten requests, two more for each product. What is missing fails one check; those
// that cannot be made without it are Unknown.
func (p *Provider) Verify(ctx context.Context, t tenant.Tenant) ([]receiver.Finding, error) {
	connected, err := p.Connect(t)
	if err != nil {
		return nil, err
	}
	d, ok := connected.(*Directory)
	if !ok {
		return nil, fmt.Errorf("verify tenant %s: a directory of another kind", t.ID)
	}
	v := &verification{Directory: d, provider: p, tenant: t}
	v.run(ctx)
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("verify tenant %s: %w", t.ID, context.Cause(ctx))
	}
	return v.findings, nil
}

// verification is one look at a tenant.
type verification struct {
	*Directory
	provider *Provider
	tenant   tenant.Tenant
	rights   []string // that the token claims
	known    bool     // that it claims these
	findings []receiver.Finding
}

func (v *verification) run(ctx context.Context) {
	if !v.signIn(ctx) {
		v.unknown("there is no sign-in", checkConsent, checkDirectory, checkUsers, checkGroups, checkGroup, checkMembers, checkPush, checkDynamic)
		return
	}
	if !v.consent() {
		v.unknown("nobody has consented", checkDirectory, checkUsers, checkGroups, checkGroup, checkMembers, checkPush, checkDynamic)
		return
	}
	v.ofDirectory(ctx)
	users := v.readUsers(ctx)
	if v.readGroups(ctx) {
		found := v.provisioningGroups(ctx, users)
		v.readMembers(ctx, found)
	} else {
		v.unknown("groups cannot be read", checkGroup, checkMembers, checkDynamic)
	}
	v.push(ctx)
}

func (v *verification) add(check string, state receiver.FindingState, detail, action string) {
	v.findings = append(v.findings, receiver.Finding{Check: check, State: state, Detail: detail, Action: action, Consent: action == consentAction})
}

func (v *verification) passed(check, detail string) { v.add(check, receiver.Passed, detail, "") }

func (v *verification) unknown(why string, checks ...string) {
	for _, check := range checks {
		v.add(check, receiver.Unknown, "This could not be found out, as "+why+".", "")
	}
}

// has reports whether the token claims one of the rights. It is never more than a word on why a read came out as it did.
func (v *verification) has(rights ...string) bool {
	return slices.ContainsFunc(rights, func(r string) bool { return slices.Contains(v.rights, r) })
}

// token is an access token for Graph, from the credential's cache once there is one.
func (c *client) token(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	token, err := c.credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: c.scopes})
	return token.Token, err
}

// rightsOf reads the application permissions from a token of Graph's, whose form Microsoft reserves the right to change:
// known is false where they cannot be read. Nothing is decided by them.
func rightsOf(token string) (rights []string, known bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, false
	}
	var claims struct {
		Roles []string `json:"roles"`
	}
	if json.Unmarshal(payload, &claims) != nil {
		return nil, false
	}
	return claims.Roles, true
}
