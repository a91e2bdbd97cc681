package workspace

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"google.golang.org/api/googleapi"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/clock"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/workspace-receiver/internal/workspace/wire"
)

// Directory is one customer's Workspace. Each method sends one request, or a token's and one; GroupsAt at times two.
type Directory struct {
	client   *client
	customer string // the id of the customer
	clock    clock.Clock
	logger   *slog.Logger
	users    *journal
	groups   *journal
	strange  *strange
}

var _ receiver.Directory = (*Directory)(nil)

func newDirectory(c *client, customerID string, now clock.Clock, logger *slog.Logger) *Directory {
	return &Directory{
		client: c, customer: customerID, clock: now, logger: logger, strange: newStrange(logger),
		users: newJournal(adminJournal), groups: newJournal(groupsJournal),
	}
}

// User implements receiver.Directory. Only Google's own "no such user" or "user is deleted" makes a user Deleted; for a
// group's address it says that the type is another, which is as good. An outsider is an error.
func (d *Directory) User(ctx context.Context, key string) (directory.User, error) {
	const doing = "read a user"
	if !validKey(key) {
		return directory.User{}, fmt.Errorf("%s: %w", doing, errKey)
	}
	body, err := d.client.send(ctx, doing, "/users/{key}", func(ctx context.Context) error {
		_, err := d.client.directory.Users.Get(key).Fields(googleapi.Field(wire.UserFields)).Context(ctx).Do()
		return err
	})
	if missing(err, "userKey") || binned(err) || isAddress(key) && otherType(err, "userKey") {
		return directory.User{ID: idOf(key), Status: directory.Deleted}, nil
	}
	if err != nil {
		return directory.User{}, err
	}
	u, err := wire.User(body)
	if err == nil && !isAddress(key) && u.ID != key {
		err = errOther
	}
	if err != nil {
		return directory.User{}, fmt.Errorf("%s: %w", doing, err)
	}
	return u, nil
}

// Group implements receiver.Directory. Only Google's own "no such group" makes a group Deleted.
func (d *Directory) Group(ctx context.Context, key string) (directory.Group, error) {
	const doing = "read a group"
	g, err := d.group(ctx, doing, key)
	if missing(err, "groupKey") || isAddress(key) && otherType(err, "groupKey") {
		return directory.Group{ID: idOf(key), Deleted: true}, nil
	}
	return g, foreignGroup(err)
}

// GroupsAt implements receiver.Directory: an address is of one object at most, and a group is found by its aliases too. For
// a user's address Google says no more than that we may not see the group, so the user is asked for.
func (d *Directory) GroupsAt(ctx context.Context, address string) ([]directory.Group, error) {
	const doing = "find groups by address"
	if address = directory.Address(address); !isAddress(address) {
		return nil, fmt.Errorf("%s: want an address", doing)
	}
	g, err := d.group(ctx, doing, address)
	switch {
	case missing(err, "groupKey"), otherType(err, "groupKey"):
		return nil, nil
	case foreign(err) && d.isUsers(ctx, address):
		return nil, nil
	case err != nil:
		return nil, err
	case !slices.Contains(g.Addresses, address):
		return nil, nil // found by an index that lags
	}
	return []directory.Group{g}, nil
}

// isUsers reports whether a user has the address now.
func (d *Directory) isUsers(ctx context.Context, address string) bool {
	u, err := d.User(ctx, address)
	return err == nil && slices.Contains(u.Addresses, address)
}

func (d *Directory) group(ctx context.Context, doing, key string) (directory.Group, error) {
	if !validKey(key) {
		return directory.Group{}, fmt.Errorf("%s: %w", doing, errKey)
	}
	body, err := d.client.send(ctx, doing, "/groups/{key}", func(ctx context.Context) error {
		_, err := d.client.directory.Groups.Get(key).Fields(googleapi.Field(wire.GroupFields)).Context(ctx).Do()
		return err
	})
	if err != nil {
		return directory.Group{}, err
	}
	g, err := wire.Group(body)
	if err == nil && !isAddress(key) && g.ID != key {
		err = errOther
	}
	if err != nil {
		return directory.Group{}, fmt.Errorf("%s: %w", doing, err)
	}
	return g, nil
}

var (
	errOther = errors.New("the answer is of another object than was asked for")
	errKey   = errors.New("want an id or an address")
)

func isAddress(key string) bool { return strings.Contains(key, "@") }

// idOf is the id that a key is, or "".
func idOf(key string) string {
	if isAddress(key) {
		return ""
	}
	return key
}

// validKey reports whether a key is an id or may be an address; the SDK escapes it for the path.
func validKey(key string) bool {
	if !isAddress(key) {
		return wire.ValidID(key)
	}
	return len(key) <= 320 && directory.Domain(key) != "" && !strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r == 0x7f })
}
