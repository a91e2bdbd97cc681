package entra

import (
	"errors"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

// maxBind is how many members one request may add.
// Source: learn.microsoft.com/graph/api/group-post-members.
const maxBind = 20

// addMember answers POST /groups/{id}/members/$ref with {"@odata.id": "…/directoryObjects/{id}"}.
func (s *Server) addMember(c *call) error {
	var body struct {
		Ref string `json:"@odata.id"`
	}
	if err := c.body(&body); err != nil {
		return err
	}
	return s.join(c, []string{body.Ref}, true)
}

// patchGroup answers PATCH /groups/{id} with {"members@odata.bind": ["…/directoryObjects/{id}", …]}.
func (s *Server) patchGroup(c *call) error {
	var body struct {
		Bind        []string `json:"members@odata.bind"`
		DisplayName *string  `json:"displayName"`
	}
	if err := c.body(&body); err != nil {
		return err
	}
	if len(body.Bind) > maxBind {
		return badRequest("The number of members in a request must not exceed %d.", maxBind)
	}
	if body.DisplayName != nil {
		group, err := s.writable(c)
		if err != nil {
			return err
		}
		if _, err := s.Store.EditGroup(c.tenant.DirectoryID, group, func(g *store.Group) { g.Name = *body.DisplayName }); err != nil {
			return err
		}
	}
	if body.Bind == nil {
		return c.noContent()
	}
	return s.join(c, body.Bind, false)
}

// join adds the referenced objects. One that is a member already fails the whole request.
func (s *Server) join(c *call, refs []string, single bool) error {
	group, err := s.writable(c)
	if err != nil {
		return err
	}
	ids := make([]string, len(refs))
	for i, ref := range refs {
		u, err := url.Parse(ref)
		if err != nil || u.Path == "" {
			return badRequest("Invalid URL format specified in payload.")
		}
		ids[i] = strings.ToLower(path.Base(u.Path))
	}
	var already, unknown bool
	err = s.Store.View(c.tenant.DirectoryID, func(v store.View) error {
		for i, id := range ids {
			u, g := v.User(id), v.Group(id)
			if (u == nil || !u.Live()) && (g == nil || !g.Live()) {
				unknown = true
				return noResource(ids[i])
			}
			already = already || v.IsMember(group, id)
		}
		return nil
	})
	switch {
	case unknown && !single:
		return badRequest("One or more added object references do not exist for the following modified properties: 'members'.")
	case err != nil:
		return err
	case already:
		return badRequest("One or more added object references already exist for the following modified properties: 'members'.")
	}
	if _, err := s.Store.Join(c.tenant.DirectoryID, group, ids); err != nil {
		if errors.Is(err, store.ErrInvalid) {
			return badRequest("The group does not support members of this type.")
		}
		return err
	}
	return c.noContent()
}

// removeMember answers DELETE /groups/{id}/members/{member}/$ref.
func (s *Server) removeMember(c *call) error {
	group, err := s.writable(c)
	if err != nil {
		return err
	}
	member := strings.ToLower(c.r.PathValue("member"))
	is := false
	err = s.Store.View(c.tenant.DirectoryID, func(v store.View) error { is = v.IsMember(group, member); return nil })
	if err != nil {
		return err
	}
	if !is {
		return noResource(c.r.PathValue("member"))
	}
	if _, err := s.Store.Leave(c.tenant.DirectoryID, group, []string{member}); err != nil {
		return err
	}
	return c.noContent()
}

// writable returns the group's id unless Graph may only read it: mail-enabled security and distribution groups are
// Exchange's, and a rule decides on members of dynamic ones.
// Source: learn.microsoft.com/graph/api/resources/groups-overview.
func (s *Server) writable(c *call) (string, error) {
	var id string
	err := s.Store.View(c.tenant.DirectoryID, func(v store.View) error {
		g, err := liveGroup(v, c.r.PathValue("id"))
		switch {
		case err != nil:
			return err
		case g.Kind == directory.MailEnabledSecurity || g.Kind == directory.Distribution:
			return badRequest("Cannot Update a mail-enabled security groups and or distribution list.")
		case g.Dynamic:
			return &apiError{status: http.StatusForbidden, code: "Authorization_RequestDenied", message: "Insufficient privileges to complete the operation."}
		}
		id = g.ID
		return nil
	})
	return id, err
}
