package engine

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

type connected = receiver.Directory

// turns is a tenant's directory for its lane and its keeper: one request at a time, connected with the first. A failure
// to connect is the failure of the request, and the next request tries again.
type turns struct {
	connect func() (connected, error)
	valid   func() bool   // the tenant is still this receiver's
	turn    chan struct{} // holds one token while a request is under way
	inner   connected     // whoever has the turn
}

var _ receiver.Directory = (*turns)(nil)

func newTurns(connect func() (connected, error), valid func() bool) *turns {
	return &turns{connect: connect, valid: valid, turn: make(chan struct{}, 1)}
}

// take makes one request. A panic of the provider over one tenant's data is that request's error.
func take[T any](ctx context.Context, t *turns, call func(connected) (T, error)) (value T, err error) {
	select {
	case <-ctx.Done():
		return value, ctx.Err()
	case t.turn <- struct{}{}:
	}
	defer func() {
		if p := recover(); p != nil {
			err = receiver.OfRequest(fmt.Errorf("panic in a request: %v\n%s", p, debug.Stack()))
		}
		<-t.turn
	}()
	if !t.valid() {
		return value, errLost
	}
	if t.inner == nil {
		inner, err := t.connect()
		if err != nil {
			return value, receiver.OfRequest(err)
		}
		t.inner = inner
	}
	value, err = call(t.inner)
	return value, receiver.OfRequest(err)
}

func (t *turns) Changes(ctx context.Context, feed receiver.Feed, cursor string) (receiver.Page, error) {
	return take(ctx, t, func(d connected) (receiver.Page, error) { return d.Changes(ctx, feed, cursor) })
}

func (t *turns) User(ctx context.Context, id string) (directory.User, error) {
	return take(ctx, t, func(d connected) (directory.User, error) { return d.User(ctx, id) })
}

func (t *turns) Group(ctx context.Context, id string) (directory.Group, error) {
	return take(ctx, t, func(d connected) (directory.Group, error) { return d.Group(ctx, id) })
}

func (t *turns) GroupsAt(ctx context.Context, address string) ([]directory.Group, error) {
	return take(ctx, t, func(d connected) ([]directory.Group, error) { return d.GroupsAt(ctx, address) })
}

func (t *turns) Members(ctx context.Context, group, cursor string) (receiver.Page, error) {
	return take(ctx, t, func(d connected) (receiver.Page, error) { return d.Members(ctx, group, cursor) })
}

func (t *turns) Member(ctx context.Context, group, member string) (directory.Membership, error) {
	return take(ctx, t, func(d connected) (directory.Membership, error) { return d.Member(ctx, group, member) })
}

func (t *turns) CreateChannel(ctx context.Context, c receiver.NewChannel) (receiver.Channel, error) {
	return take(ctx, t, func(d connected) (receiver.Channel, error) { return d.CreateChannel(ctx, c) })
}

func (t *turns) RenewChannel(ctx context.Context, c receiver.Channel, expires time.Time) (receiver.Channel, error) {
	return take(ctx, t, func(d connected) (receiver.Channel, error) { return d.RenewChannel(ctx, c, expires) })
}

func (t *turns) DeleteChannel(ctx context.Context, c receiver.Channel) error {
	_, err := take(ctx, t, func(d connected) (struct{}, error) { return struct{}{}, d.DeleteChannel(ctx, c) })
	return err
}

func (t *turns) ListChannels(ctx context.Context) ([]receiver.Channel, error) {
	return take(ctx, t, func(d connected) ([]receiver.Channel, error) { return d.ListChannels(ctx) })
}

// Resources are none until the first request has connected.
func (t *turns) Resources() []string {
	r, _ := take(context.Background(), t, func(d connected) ([]string, error) { return d.Resources(), nil })
	return r
}

func (t *turns) ChannelLife() time.Duration {
	life, _ := take(context.Background(), t, func(d connected) (time.Duration, error) { return d.ChannelLife(), nil })
	return life
}
