package graph

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/subscriptions"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/remote"
)

// channelLife is a day under what Graph allows for users and groups (41,760 minutes), for clocks that differ.
const channelLife = 28 * 24 * time.Hour

// maxSubscriptionPages bounds a list: Graph allows 100 subscriptions for an application in a tenant.
const maxSubscriptionPages = 50

// Resources implements receiver.Channels.
func (d *Directory) Resources() []string { return []string{"users", "groups"} }

// ChannelLife implements receiver.Channels.
func (d *Directory) ChannelLife() time.Duration { return channelLife }

// CreateChannel implements receiver.Channels. Graph calls the URL for its handshake before it answers. "updated" tells of
// what is new or soft-deleted too; users and groups know no "created".
func (d *Directory) CreateChannel(ctx context.Context, c receiver.NewChannel) (receiver.Channel, error) {
	changes, tls, expires := "updated,deleted", "v1_2", c.Expires.UTC()
	s := models.NewSubscription()
	s.SetResource(&c.Resource)
	s.SetChangeType(&changes)
	s.SetNotificationUrl(&c.URL)
	s.SetLifecycleNotificationUrl(&c.URL) // cannot be added later
	s.SetClientState(&c.Secret)
	s.SetExpirationDateTime(&expires)
	s.SetLatestSupportedTlsVersion(&tls)
	ctx, cancel := d.client.channelContext(ctx, "/subscriptions")
	defer cancel()
	made, err := d.client.subscriptions().Post(ctx, s, nil)
	return d.channel("create a subscription", made, overQuota(err))
}

// overQuota marks an answer that says that the application has as many subscriptions as it may.
func overQuota(err error) error {
	var answer *ResponseError
	if errors.As(err, &answer) && answer.Status == http.StatusForbidden && answer.limit {
		answer.means = receiver.ErrQuota
	}
	return err
}

// RenewChannel implements receiver.Channels. A renewal reauthorizes too.
func (d *Directory) RenewChannel(ctx context.Context, c receiver.Channel, expires time.Time) (receiver.Channel, error) {
	const doing = "renew a subscription"
	expires = expires.UTC()
	s := models.NewSubscription()
	s.SetExpirationDateTime(&expires)
	ctx, cancel := d.client.channelContext(ctx, "/subscriptions/{id}")
	defer cancel()
	if c.ID == "" {
		return receiver.Channel{}, fmt.Errorf("%s: %w", doing, errID)
	}
	renewed, err := d.client.subscriptions().BySubscriptionId(c.ID).Patch(ctx, s, nil)
	return d.channel(doing, renewed, gone(err))
}

// DeleteChannel implements receiver.Channels.
func (d *Directory) DeleteChannel(ctx context.Context, c receiver.Channel) error {
	const doing = "delete a subscription"
	if c.ID == "" {
		return fmt.Errorf("%s: %w", doing, errID)
	}
	ctx, cancel := d.client.channelContext(ctx, "/subscriptions/{id}")
	defer cancel()
	err := gone(d.client.subscriptions().BySubscriptionId(c.ID).Delete(ctx, nil))
	if err != nil && !errors.Is(err, receiver.ErrChannelGone) {
		return d.client.wrap(doing, err)
	}
	return nil
}

// ListChannels implements receiver.Channels: every subscription of our application in the tenant, also those of other
// installations. It follows all pages.
func (d *Directory) ListChannels(ctx context.Context) ([]receiver.Channel, error) {
	const doing = "list subscriptions"
	var list []receiver.Channel
	builder := d.client.subscriptions()
	for range maxSubscriptionPages {
		page, err := d.subscriptionPage(ctx, builder.Get)
		if err != nil {
			return nil, d.client.wrap(doing, err)
		}
		for _, s := range page.GetValue() {
			c, err := d.channel(doing, s, nil)
			if err != nil {
				return nil, err
			}
			list = append(list, c)
		}
		next := text(page.GetOdataNextLink())
		switch {
		case next == "":
			return list, nil
		case !d.client.owns(next):
			return nil, fmt.Errorf("%s: %w", doing, errForeign)
		}
		builder = builder.WithUrl(next)
	}
	return nil, fmt.Errorf("%s: the list does not end", doing)
}

// getSubscriptions is the SDK builder's Get.
type getSubscriptions = func(context.Context, *subscriptions.SubscriptionsRequestBuilderGetRequestConfiguration) (models.SubscriptionCollectionResponseable, error)

// subscriptionPage reads one page within its own timeout.
func (d *Directory) subscriptionPage(ctx context.Context, get getSubscriptions) (models.SubscriptionCollectionResponseable, error) {
	ctx, cancel := d.client.channelContext(ctx, "/subscriptions")
	defer cancel()
	page, err := get(ctx, nil)
	if err == nil && page == nil {
		err = errEmpty
	}
	return page, err
}

// channelContext is for one request about subscriptions.
func (c *client) channelContext(ctx context.Context, route string) (context.Context, context.CancelFunc) {
	return context.WithTimeout(remote.WithRoute(ctx, route), c.timeout)
}

// channel turns what the SDK returned into what the engine knows.
func (d *Directory) channel(doing string, s models.Subscriptionable, err error) (receiver.Channel, error) {
	switch {
	case err != nil:
		return receiver.Channel{}, d.client.wrap(doing, err)
	case s == nil:
		return receiver.Channel{}, fmt.Errorf("%s: %w", doing, errEmpty)
	case text(s.GetId()) == "" || s.GetExpirationDateTime() == nil:
		return receiver.Channel{}, fmt.Errorf("%s: the answer has no id or no expiry", doing)
	}
	return receiver.Channel{
		ID: *s.GetId(), Resource: strings.Trim(text(s.GetResource()), "/"),
		URL: text(s.GetNotificationUrl()), Expires: *s.GetExpirationDateTime(),
	}, nil
}

// gone marks an answer that says that a subscription is not known.
func gone(err error) error {
	var answer *ResponseError
	if errors.As(err, &answer) && answer.Status == http.StatusNotFound {
		answer.means = receiver.ErrChannelGone
	}
	return err
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
