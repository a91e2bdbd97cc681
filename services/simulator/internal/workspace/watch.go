package workspace

import (
	"slices"

	"github.com/rollcall-hq/rollcall/services/simulator/internal/googleerror"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/googlepush"
)

// watchUsers answers users.watch.
func (s *Server) watchUsers(c *call) error {
	if _, err := readUserListing(c); err != nil {
		return err
	}
	events := []string{"", "add", "delete", "makeAdmin", "undelete", "update"}
	if event := c.query.Get("event"); !slices.Contains(events, event) {
		return googleerror.InvalidParameter("event", event)
	}
	asked, err := googlepush.ReadChannel(c.r.Body)
	if err != nil {
		return err
	}
	for _, name := range []string{"alt", "prettyPrint", "fields", "key", "quotaUser", "access_token"} {
		c.query.Del(name)
	}
	resource := googlepush.UsersPath + "?" + c.query.Encode()
	channel, err := s.Push.Watch(c.r.Context(), c.owner(), resource, asked)
	if err != nil {
		return err
	}
	return c.encode(channel)
}

// stopChannel answers channels.stop, with nothing.
func (s *Server) stopChannel(c *call) error {
	asked, err := googlepush.ReadChannel(c.r.Body)
	if err != nil {
		return err
	}
	if err := s.Push.Stop(c.owner(), "admin/directory", asked); err != nil {
		return err
	}
	c.w.WriteHeader(204)
	return nil
}

func (c *call) owner() googlepush.Owner {
	return googlepush.Owner{Tenant: c.tenant().DirectoryID, Client: c.tenant().App.ClientID, Subject: c.caller.Admin}
}
