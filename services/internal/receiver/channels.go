package receiver

import (
	"context"
	"errors"
	"time"
)

// Channels keeps a tenant's push channels at the provider.
type Channels interface {
	// Resources are what needs a channel of its own, e.g. "users" and "groups".
	Resources() []string
	// CreateChannel asks the provider to push to c.URL and to echo c.Secret. ErrRefused and ErrThrottled when the provider
	// has answered that it made none; any other error leaves open whether it did.
	CreateChannel(ctx context.Context, c NewChannel) (Channel, error)
	// RenewChannel moves the expiry. ErrChannelGone when the provider has forgotten the channel, errors.ErrUnsupported
	// where channels cannot be renewed: the next one is then made before this one ends.
	RenewChannel(ctx context.Context, c Channel, expires time.Time) (Channel, error)
	// DeleteChannel ends a channel; one that is gone already is no error.
	DeleteChannel(ctx context.Context, c Channel) error
	// ListChannels returns those that the provider holds for us in this tenant, errors.ErrUnsupported where it does not
	// tell.
	ListChannels(ctx context.Context) ([]Channel, error)
	// ChannelLife is how long a new or renewed channel is asked to live.
	ChannelLife() time.Duration
}

// NewChannel is what a channel is asked for with.
type NewChannel struct {
	Name     string // our own id, [A-Z2-7]{26}; providers that let the client name a channel use it as the channel's ID
	Resource string
	URL      string // for changes
	Secret   string
	Expires  time.Time
}

// Channel is one subscription that the provider holds.
type Channel struct {
	ID         string
	Resource   string
	ResourceID string // the provider's id of what is watched, where it has one: needed to end the channel
	URL        string
	Expires    time.Time // as the provider granted it
}

// ErrChannelGone says that the provider does not know the channel any more.
var ErrChannelGone = errors.New("the provider no longer knows the channel")

// ErrRefused says that the provider has answered and has not done what it was asked to.
var ErrRefused = errors.New("the provider refuses")
