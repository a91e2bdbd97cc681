package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/state"
)

const (
	// A message may come before the registry's own news of its tenant. After this many tries there is no such tenant.
	maxStrange = 20
	strange    = 250 * time.Millisecond
)

var (
	errUnknownTenant = errors.New("the tenant is not known")
	errDisconnected  = errors.New("the tenant is disconnected")
	errReplaced      = errors.New("the tenant's lane was started anew meanwhile")
)

func (e *Engine) notifications(partition int) bus.Consumer {
	return bus.Consumer{
		Stream:  bus.Notifications,
		Durable: bus.DurableName(e.role+"-notifications", partition),
		Filters: []string{bus.NotificationFilter(partition, e.deps.Provider.Name())},
		// One process follows a partition, so what the one before had in hand at its end is nobody's: it comes at once.
		Exclusive: true, Grace: grace,
	}
}

func (e *Engine) commands(partition int) bus.Consumer {
	return bus.Consumer{
		Stream:    bus.LedgerIn,
		Durable:   bus.DurableName(e.role, partition),
		Filters:   []string{bus.CommandFilter(partition, "refresh"), bus.CommandFilter(partition, "read")},
		Exclusive: true, Grace: grace,
	}
}

// onNotification makes a hint the tenant's mark. It is acknowledged when the mark is durable.
func (e *Engine) onNotification(ctx context.Context, m bus.Message) error {
	if m.Event.Type() != event.TypeNotificationReceived {
		return bus.Reject(fmt.Errorf("%s is no notification", m.Event.Type()))
	}
	data, err := event.Data[event.NotificationReceived](m.Event)
	if err != nil {
		return bus.Reject(err)
	}
	t, err := e.addressee(m, 3)
	if t == nil || t.lane == nil {
		return err
	}
	if data.Lifecycle == string(receiver.ChannelOpened) {
		if t.watch != nil {
			t.watch.Opened(data.Channel)
		}
		return nil
	}
	if data.Lifecycle != "" {
		if err := t.news(ctx, m, data); err != nil {
			return err
		}
	}
	if data.Lifecycle == "" && t.watch != nil {
		t.watch.Pushed(receiver.Resource(data.Resource))
	}
	err = t.lane.Hint(ctx, state.Mark{Cause: m.Event.ID(), At: e.deps.Clock.Now(), Resource: data.Resource, ID: data.ID})
	if err != nil {
		return err
	}
	return e.handed(t)
}

// news acts on what the provider says of a channel. The hint's round follows in any case.
func (m *member) news(ctx context.Context, msg bus.Message, data event.NotificationReceived) error {
	said := receiver.News(data.Lifecycle)
	if m.keeper != nil {
		if said == receiver.ChannelExpires {
			m.keeper.Renew(data.Channel)
		} else {
			m.keeper.Look()
		}
	}
	if said != receiver.ChannelRemoved && said != receiver.PushesMissed {
		return nil
	}
	return m.lane.Command(ctx, state.Command{Sequence: msg.Sequence, ID: msg.Event.ID(), ForNews: true})
}

// onCommand hands a command over to the tenant's lane. It is acknowledged when the lane's copy is durable, however many
// wait there: one that waited in the stream would hold up every other tenant of the partition.
func (e *Engine) onCommand(ctx context.Context, m bus.Message) error {
	c := state.Command{Sequence: m.Sequence, ID: m.Event.ID()}
	switch m.Event.Type() {
	case event.TypeRefreshRequested:
	case event.TypeReadRequested:
		data, err := event.Data[event.ReadRequested](m.Event)
		if err != nil {
			return bus.Reject(err)
		}
		c.Read = &data
	default:
		return bus.Reject(fmt.Errorf("%s is no command to read", m.Event.Type()))
	}
	t, err := e.addressee(m, 2)
	switch {
	case t == nil:
		return err
	case t.lane == nil && c.Read == nil && m.Deliveries < maxStrange/4: // it may just have been connected again
		return bus.RetryAfter(strange, errDisconnected)
	case t.lane == nil:
		return nil
	}
	if err := t.lane.Command(ctx, c); err != nil {
		return err
	}
	return e.handed(t)
}

// handed returns nil when the member is still the tenant's, and the tenant this receiver's, after something was stored for its lane. The lane of one that
// was replaced ends, and the one after it may have loaded what is stored before: the message comes again, for that one.
func (e *Engine) handed(t *member) error {
	if now, _ := e.roster.find(t.tenant.ID); now != t || !t.partition.Valid() {
		return bus.RetryAfter(strange, errReplaced)
	}
	return nil
}

// addressee returns the member that a message is for, which is the tenant named by that token of its subject; without one,
// what to answer. An event of one tenant on the subject of another is nobody's.
func (e *Engine) addressee(m bus.Message, token int) (*member, error) {
	id := event.Tenant(m.Event)
	if tokens := strings.Split(m.Subject, "."); len(tokens) <= token || tokens[token] != id {
		return nil, bus.Reject(fmt.Errorf("the event is of tenant %q, its subject is not", id))
	}
	t, other := e.roster.find(id)
	_, known := e.roster.Tenant(id)
	switch {
	case t != nil, other:
		return t, nil
	case known, m.Deliveries < maxStrange: // a known one's partition is lost just now
		return nil, bus.RetryAfter(strange, errUnknownTenant)
	}
	return nil, nil // a tenant that is gone
}
