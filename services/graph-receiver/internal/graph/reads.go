package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/graph-receiver/internal/graph/wire"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

// Directory is one Entra tenant. Each method but GroupsAt and ListChannels sends one request, or a token's and one.
type Directory struct {
	client *client
	logger *slog.Logger
}

var _ receiver.Directory = (*Directory)(nil)

// User implements receiver.Directory. Only Graph's own "no such object" makes a user Deleted; a user whose
// accountEnabled is hidden, as it is without User.Read.All, is an error.
func (d *Directory) User(ctx context.Context, id string) (directory.User, error) {
	const doing = "read a user"
	body, err := d.object(ctx, "/users/{id}", id, wire.UserProperties)
	if notFound(err) {
		return directory.User{ID: id, Status: directory.Deleted}, nil
	}
	if err != nil {
		return directory.User{}, d.client.wrap(doing, err)
	}
	u, err := wire.User(body)
	return u, asked(doing, id, u.ID, err)
}

// Group implements receiver.Directory. Only Graph's own "no such object" makes a group Deleted.
func (d *Directory) Group(ctx context.Context, id string) (directory.Group, error) {
	const doing = "read a group"
	body, err := d.object(ctx, "/groups/{id}", id, wire.GroupProperties)
	if notFound(err) {
		return directory.Group{ID: id, Deleted: true}, nil
	}
	if err != nil {
		return directory.Group{}, d.client.wrap(doing, err)
	}
	g, err := wire.Group(body)
	return g, asked(doing, id, g.ID, err)
}

// asked returns what is wrong with an object that was read: err, or that it is another than was asked for.
func asked(doing, id, got string, err error) error {
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", doing, err)
	case !strings.EqualFold(got, id):
		return fmt.Errorf("%s: %w", doing, errOther)
	}
	return nil
}

var (
	errOther = errors.New("the answer is of another object than was asked for")
	errID    = errors.New("want a Graph id")
)

func (d *Directory) object(ctx context.Context, route, id, properties string) ([]byte, error) {
	if !wire.ValidID(id) {
		return nil, errID
	}
	path := strings.Replace(route, "{id}", id, 1)
	return d.client.get(ctx, route, d.client.base.String()+path+query("$select", properties))
}

// notFound reports whether Graph says that an object does not exist. A 404 of another code may be a gateway's, or that of
// an API version that is gone.
func notFound(err error) bool {
	var answer *ResponseError
	return errors.As(err, &answer) && answer.Status == http.StatusNotFound && strings.EqualFold(answer.Code, "Request_ResourceNotFound")
}

// GroupsAt implements receiver.Directory with two requests: mail and proxyAddresses are two filters that Graph documents,
// one filter over both it does not. Whether it minds the case of a proxy address's prefix is not told, so both are
// asked for. A group that comes back without the address, as an index that lags may let it, is left out.
func (d *Directory) GroupsAt(ctx context.Context, address string) ([]directory.Group, error) {
	const doing = "find groups by address"
	address = directory.Address(address)
	if directory.Domain(address) == "" {
		return nil, fmt.Errorf("%s: want an address", doing)
	}
	var found []directory.Group
	for _, filter := range addressFilters(address) {
		groups, err := d.filtered(ctx, filter)
		if err != nil {
			return nil, d.client.wrap(doing, err)
		}
		for _, g := range groups {
			known := slices.ContainsFunc(found, func(f directory.Group) bool { return f.ID == g.ID })
			if !known && slices.Contains(g.Addresses, address) {
				found = append(found, g)
			}
		}
	}
	return found, nil
}

// addressFilters find what has an address as its own or as an alias.
func addressFilters(address string) []string {
	return []string{
		"mail eq " + quote(address),
		"proxyAddresses/any(p:p eq " + quote("smtp:"+address) + ") or proxyAddresses/any(p:p eq " + quote("SMTP:"+address) + ")",
	}
}

// maxFilteredPages bounds how far an answer of no or a few groups is followed; pages may be empty.
const maxFilteredPages = 20

// filtered returns all groups that a filter finds. One that cannot be understood is an error: it may be the one.
func (d *Directory) filtered(ctx context.Context, filter string) ([]directory.Group, error) {
	// The header and $count make it an advanced query, which these properties may need.
	header := [2]string{"ConsistencyLevel", "eventual"}
	link := d.client.base.String() + "/groups" + query("$filter", filter, "$count", "true", "$select", wire.GroupProperties)
	var found []directory.Group
	for range maxFilteredPages {
		body, err := d.client.get(ctx, "/groups", link, header)
		if err != nil {
			return nil, err
		}
		p, err := wire.Groups(body)
		if err != nil {
			return nil, err
		}
		if p.Nameless > 0 || len(p.SetAside) > 0 {
			return nil, errors.New("a group cannot be understood")
		}
		for _, o := range p.Observations {
			found = append(found, *o.Group)
		}
		if link = p.Next; link == "" {
			return found, nil
		}
	}
	return nil, errors.New("the answer does not end")
}

var errHidden = errors.New("the group hides its members, and a list without anybody proves nothing of it")

// Members implements receiver.Directory. A group whose membership is hidden looks empty without Member.Read.Hidden, so that
// an empty list of such a group is an error: one more request finds out.
func (d *Directory) Members(ctx context.Context, groupID, cursor string) (receiver.Page, error) {
	const doing = "read members of a group"
	if !wire.ValidID(groupID) {
		return receiver.Page{}, fmt.Errorf("%s: %w", doing, errID)
	}
	p, err := d.page(ctx, request{
		doing: doing, route: "/groups/{id}/members", cursor: cursor,
		begin: "/groups/" + groupID + "/members" + query("$top", "999", "$select", "id"),
	}, func(body []byte) (wire.Page, error) { return wire.Members(body, groupID) })
	if err == nil && cursor == "" && p.Next == "" && len(p.Observations)+len(p.SetAside) == 0 {
		hidden, hiddenErr := d.hides(ctx, groupID)
		if err = hiddenErr; hidden {
			err = fmt.Errorf("%s: %w", doing, errHidden)
		}
	}
	if err != nil {
		return receiver.Page{}, noGroup(err)
	}
	return receiver.Page{Observations: p.Observations, SetAside: p.SetAside, Cursor: p.Next, More: p.Next != ""}, nil
}

// hides reports whether who is in a group is shown only to its members.
func (d *Directory) hides(ctx context.Context, groupID string) (bool, error) {
	const doing = "read a group"
	body, err := d.object(ctx, "/groups/{id}", groupID, "id,visibility")
	if err != nil {
		return false, d.client.wrap(doing, err)
	}
	var answer struct {
		Visibility string `json:"visibility"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return false, fmt.Errorf("%s: no JSON", doing)
	}
	return answer.Visibility == "HiddenMembership", nil
}

// noGroup marks an answer that says that a group is not known.
func noGroup(err error) error {
	var answer *ResponseError
	if notFound(err) && errors.As(err, &answer) {
		answer.means = receiver.ErrNoGroup
	}
	return err
}

// Member implements receiver.Directory. Graph has no request that tells of one direct membership (checkMemberGroups counts
// nested groups too).
func (d *Directory) Member(context.Context, string, string) (directory.Membership, error) {
	return directory.Membership{}, errors.ErrUnsupported
}
