package workspace

import (
	"errors"
	"net/http"
	"strings"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/remote"
	"github.com/rollcall-hq/rollcall/services/workspace-receiver/internal/workspace/wire"
)

// syncState is what the first message on a channel says of its resource.
const syncState = "sync"

// Parse implements receiver.Provider: one push, one item. Its headers say whose it is; its body, if there is one, what
// changed. The type that it names for its body is not a valid one and is not looked at.
//
// Bodies and the addresses that they hold stay here: an activity is known by a hash, a user by its id.
func (p *Provider) Parse(header http.Header, body []byte) ([]receiver.Notification, error) {
	id, state := header.Get("X-Goog-Channel-Id"), header.Get("X-Goog-Resource-State")
	if id == "" || state == "" {
		return nil, errors.New("read push: no X-Goog-Channel-ID or no X-Goog-Resource-State")
	}
	n := receiver.Notification{
		ChannelID: id, ResourceID: wire.Opaque(header.Get("X-Goog-Resource-Id")),
		Secret: header.Get("X-Goog-Channel-Token"), Change: remote.Code(state),
	}
	if !wire.ValidID(n.ChannelID) {
		n.ChannelID, n.Fault = "", errors.New("the id of the channel is none of ours")
		return []receiver.Notification{n}, nil
	}
	if strings.EqualFold(state, syncState) {
		n.News = receiver.ChannelOpened
		return []receiver.Notification{n}, nil
	}
	about, application := watched(header.Get("X-Goog-Resource-Uri"))
	push, err := wire.ReadPush(body, application)
	switch {
	case err != nil:
		n.Fault = err
	case push.Activity != nil:
		n.Resource, n.ID, n.DirectoryID = receiver.ActivityResource, push.Activity.ID(), push.Activity.Customer
	case push.UserID != "":
		n.Resource, n.ID = receiver.UserResource, push.UserID
	default:
		n.Resource = about // something has changed, and that is all it says
	}
	return []receiver.Notification{n}, nil
}

// watched reads what X-Goog-Resource-URI is about, and of which application. What it does not tell is taken for an
// activity: whatever changed, the journals tell.
func watched(uri string) (about receiver.Resource, application string) {
	path, _, _ := strings.Cut(uri, "?")
	if strings.Contains(path, "/admin/directory/") {
		return receiver.UserResource, ""
	}
	if _, rest, found := strings.Cut(path, "/applications/"); found {
		application, _, _ = strings.Cut(rest, "/")
	}
	return receiver.ActivityResource, remote.Code(application)
}
