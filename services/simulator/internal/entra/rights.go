package entra

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/rollcall-hq/rollcall/services/simulator/internal/identity"
)

// right is what a request needs: any one of the application permissions. None of them means any app.
// Sources: the permission tables of user-delta, group-delta, group-list-members and group-post-members.
type right []string

var (
	anyApp    right
	readUsers = right{"User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	// readGroups is enough for groups and for ids of members; their other properties need readUsers too.
	readGroups   = right{"GroupMember.Read.All", "GroupMember.ReadWrite.All", "Group.Read.All", "Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	readHidden   = right{"Member.Read.Hidden"}
	writeMembers = right{"GroupMember.ReadWrite.All", "Group.ReadWrite.All", "Directory.ReadWrite.All"}
)

func allowed(granted []string, need right) bool {
	return len(need) == 0 || slices.ContainsFunc(need, func(p string) bool { return slices.Contains(granted, p) })
}

// authenticate finds the tenant that the bearer token is for.
func (s *Server) authenticate(c *call) error {
	scheme, token, _ := strings.Cut(c.r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return unauthorized("Access token is empty.")
	}
	tenant, app, err := s.Tokens.Verify(strings.TrimSpace(token))
	switch {
	case errors.Is(err, identity.ErrExpired):
		return unauthorized("Lifetime validation failed, the token is expired.")
	case errors.Is(err, identity.ErrMalformed):
		return unauthorized("CompactToken parsing failed with error code: 80049217")
	case err != nil:
		return unauthorized("Access token validation failure. Invalid signature.")
	}
	known := false
	c.tenant, known = s.Store.Tenant(tenant)
	if !known || c.tenant.App.ClientID != app {
		return &apiError{status: http.StatusUnauthorized, code: "Authorization_IdentityNotFound", message: "The identity of the calling application could not be established."}
	}
	return nil
}
