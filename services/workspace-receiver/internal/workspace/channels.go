package workspace

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	admin "google.golang.org/api/admin/directory/v1"
	reports "google.golang.org/api/admin/reports/v1"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/workspace-receiver/internal/workspace/wire"
)

const (
	// channelLife is what Google allows at most.
	channelLife = 6 * time.Hour
	// untoldLife is how long a channel is taken to live whose answer does not say: the default of a watch on users.
	untoldLife = 2 * time.Hour
	// usersResource is the one channel of the Directory API; the others are called as the applications that they are of.
	usersResource = "users"
	webHook       = "web_hook"
)

// Resources implements receiver.Channels. Groups and members have no channel of their own: only their journal.
func (d *Directory) Resources() []string { return []string{groupsJournal, adminJournal, usersResource} }

// ChannelLife implements receiver.Channels.
func (d *Directory) ChannelLife() time.Duration { return channelLife }

// CreateChannel implements receiver.Channels. No event is named, so that all come: a channel takes one name at most. The
// first message, "sync", may arrive before the answer does.
func (d *Directory) CreateChannel(ctx context.Context, c receiver.NewChannel) (receiver.Channel, error) {
	const doing = "watch"
	var call func(context.Context) error
	route := "/activity/users/all/applications/" + c.Resource + "/watch"
	switch c.Resource {
	case usersResource:
		route = "/users/watch"
		call = func(ctx context.Context) error {
			ask := &admin.Channel{Id: c.Name, Type: webHook, Address: c.URL, Token: c.Secret, Payload: true, Expiration: c.Expires.UnixMilli()}
			_, err := d.client.directory.Users.Watch(ask).Customer(customer).Context(ctx).Do()
			return err
		}
	case groupsJournal, adminJournal:
		call = func(ctx context.Context) error {
			ask := &reports.Channel{Id: c.Name, Type: webHook, Address: c.URL, Token: c.Secret, Payload: true, Expiration: c.Expires.UnixMilli()}
			_, err := d.client.reports.Activities.Watch("all", c.Resource, ask).Context(ctx).Do()
			return err
		}
	default:
		return receiver.Channel{}, fmt.Errorf("%s: unknown resource %q", doing, c.Resource)
	}
	body, err := d.client.send(ctx, doing, route, call)
	if err != nil {
		return receiver.Channel{}, notMade(err)
	}
	made, err := wire.ReadChannel(body)
	switch {
	case err != nil:
		return receiver.Channel{}, fmt.Errorf("%s: %w", doing, err)
	case made.ID != c.Name:
		return receiver.Channel{}, fmt.Errorf("%s: the answer is of another channel", doing)
	}
	return receiver.Channel{
		ID: made.ID, Resource: c.Resource, ResourceID: made.ResourceID, URL: c.URL, Expires: d.granted(made.Expires, c.Expires),
	}, nil
}

// notMade marks a refusal. After anything else, as after no answer at all, the channel may be there.
func notMade(err error) error {
	if e, ok := errors.AsType[*ResponseError](err); ok && e.Status >= 400 && e.Status < 500 && e.Status != http.StatusRequestTimeout {
		return fmt.Errorf("%w: %w", receiver.ErrRefused, err)
	}
	return err
}

// granted is when a channel ends: as Google says, if that is still to come. (An example of Google's shows seconds of life
// where milliseconds since 1970 belong.)
func (d *Directory) granted(told, asked time.Time) time.Time {
	now := d.clock.Now()
	if told.After(now) {
		return told
	}
	if untold := now.Add(untoldLife); untold.Before(asked) {
		return untold
	}
	return asked
}

// RenewChannel implements receiver.Channels.
func (d *Directory) RenewChannel(context.Context, receiver.Channel, time.Time) (receiver.Channel, error) {
	return receiver.Channel{}, fmt.Errorf("renew a channel: %w", errors.ErrUnsupported)
}

// ListChannels implements receiver.Channels.
func (d *Directory) ListChannels(context.Context) ([]receiver.Channel, error) {
	return nil, fmt.Errorf("list channels: %w", errors.ErrUnsupported)
}

// DeleteChannel implements receiver.Channels, as the admin that made the channel: nobody else may. One whose answer never
// came, and with it the id of what it watches, cannot be ended: errors.ErrUnsupported. It ends by itself.
func (d *Directory) DeleteChannel(ctx context.Context, c receiver.Channel) error {
	const doing = "stop a channel"
	if c.ID == "" || c.ResourceID == "" {
		return fmt.Errorf("%s: what it watches is not known: %w", doing, errors.ErrUnsupported)
	}
	call := func(ctx context.Context) error {
		return d.client.reports.Channels.Stop(&reports.Channel{Id: c.ID, ResourceId: c.ResourceID}).Context(ctx).Do()
	}
	if c.Resource == usersResource {
		call = func(ctx context.Context) error {
			return d.client.directory.Channels.Stop(&admin.Channel{Id: c.ID, ResourceId: c.ResourceID}).Context(ctx).Do()
		}
	}
	_, err := d.client.send(ctx, doing, "/channels/stop", call)
	if e, ok := errors.AsType[*ResponseError](err); ok && e.Status == http.StatusNotFound {
		return nil
	}
	return err
}
