package googlepush

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/googleerror"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

// Owner is who makes or stops a channel.
type Owner struct {
	Tenant  string // directory id
	Client  string // OAuth client
	Subject string // the user on whose behalf; empty when the service account acts for itself
}

const stateSync = "sync"

// Watch makes a channel on a resource: its path and query as in the request, e.g.
// admin/directory/v1/users?customer=my_customer&event=update. It returns what the method answers, once the sync message
// has been sent. Errors are a *googleerror.Error, or the store's.
func (h *Hub) Watch(ctx context.Context, o Owner, resource string, asked Channel) (Channel, error) {
	if err := asked.check(h.AllowLoopbackHTTP); err != nil {
		return Channel{}, err
	}
	now := h.Clock.Now()
	expires, err := asked.expires(now, longest(h.Settings()))
	if err != nil {
		return Channel{}, err
	}
	sub := store.Subscription{
		ID: asked.ID, AppID: o.Client, Subject: o.Subject, Resource: resource, ResourceID: resourceID(o.Tenant, resource),
		URL: asked.Address, ClientState: asked.Token, Payload: bool(asked.Payload) || strings.HasPrefix(resource, "admin/directory"),
		Expires: expires, Created: now.UTC(),
	}
	if err := h.put(o, sub); err != nil {
		return Channel{}, err
	}
	h.sync(ctx, o.Tenant, &sub)
	return Channel{
		Kind: "api#channel", ID: sub.ID, ResourceID: sub.ResourceID, ResourceURI: resourceURI(resource),
		Token: sub.ClientState, Expiration: millis(expires.UnixMilli()),
	}, nil
}

// put stores a channel whose id no other channel of the client has had.
func (h *Hub) put(o Owner, sub store.Subscription) error {
	h.making.Lock()
	defer h.making.Unlock()
	key := name{o.Client, sub.ID}
	h.mu.Lock()
	taken := h.used[key]
	h.mu.Unlock()
	if taken || h.stored(key) {
		return pushError("channelIdNotUnique", "Channel id %s not unique", sub.ID)
	}
	if err := h.Store.DeleteSubscriptions(o.Tenant, h.ended(o.Tenant)...); err != nil {
		return fmt.Errorf("forget ended channels: %w", err)
	}
	if err := h.Store.PutSubscription(o.Tenant, sub, nil); err != nil {
		return fmt.Errorf("store the channel: %w", err)
	}
	h.mu.Lock()
	h.used[key] = true
	h.mu.Unlock()
	return nil
}

// stored reports whether a channel of the client has the id, in any tenant. An id is unique in the client's project.
func (h *Hub) stored(key name) (found bool) {
	for _, t := range h.Store.Tenants() {
		_ = h.Store.View(t.DirectoryID, func(v store.View) error { // a tenant never goes away
			sub := v.Subscription(key.id)
			found = found || t.Workspace() && sub != nil && sub.AppID == key.of
			return nil
		})
	}
	return found
}

// ended lists the ids of a tenant's channels that get no more pushes.
func (h *Hub) ended(tenant string) []string {
	live := h.live(tenant)
	var out []string
	_ = h.Store.View(tenant, func(v store.View) error { // a tenant never goes away
		for _, sub := range v.Subscriptions() {
			if !slices.Contains(live, sub) {
				out = append(out, sub.ID)
			}
		}
		return nil
	})
	return out
}

// sync sends the first message of a channel, before watch answers unless the settings say otherwise.
func (h *Hub) sync(ctx context.Context, tenant string, sub *store.Subscription) {
	h.mu.Lock()
	push := h.push
	h.mu.Unlock()
	d := h.delivery(tenant, sub, 1, stateSync)
	d.name = stateSync
	switch {
	case push.Mode == control.PushOff:
	case push.Mode == control.PushHold, push.SyncLate:
		h.mu.Lock()
		h.ready(d)
		h.mu.Unlock()
		h.rouse()
	default:
		h.send(ctx, d)
	}
}

// Stop ends a channel. api is where it was made, "admin/reports" or "admin/directory". Pushes may go on for a while, and
// stopping again is answered well as long as they do.
//
// A channel that was made on behalf of a user is stopped by the same user and client only; one that a service account
// made for itself, by anyone of its client.
func (h *Hub) Stop(o Owner, api string, asked Channel) error {
	switch {
	case asked.ID == "":
		return googleerror.Required("id")
	case asked.ResourceID == "":
		return googleerror.Required("resourceId")
	}
	h.mu.Lock()
	after := h.push.AfterStop
	h.mu.Unlock()
	now := h.Clock.Now()
	var found *store.Subscription
	_ = h.Store.View(o.Tenant, func(v store.View) error { // a tenant never goes away
		if sub := v.Subscription(asked.ID); sub != nil && alive(sub, now, after) && strings.HasPrefix(sub.Resource, api+"/") {
			found = sub
		}
		return nil
	})
	if found == nil || found.ResourceID != asked.ResourceID || found.AppID != o.Client || found.Subject != "" && found.Subject != o.Subject {
		return &googleerror.Error{
			Status: http.StatusNotFound, Reason: "notFound",
			Message: fmt.Sprintf("Channel '%.80s' not found for project '%.80s'", asked.ID, o.Client),
		}
	}
	if after == 0 {
		return h.Store.DeleteSubscriptions(o.Tenant, found.ID)
	}
	if !found.Stopped.IsZero() {
		return nil
	}
	stopped := *found
	stopped.Stopped = now.UTC()
	return h.Store.PutSubscription(o.Tenant, stopped, nil)
}

// Channels lists a tenant's channels that pushes go to, oldest first, without their tokens.
func (h *Hub) Channels(tenant string) []store.Subscription {
	out := []store.Subscription{}
	for _, sub := range h.live(tenant) {
		shown := *sub
		shown.ClientState = ""
		out = append(out, shown)
	}
	return out
}

// resourceID is Google's opaque id of a resource: the same for every channel on it.
func resourceID(tenant, resource string) string {
	sum := sha256.Sum256([]byte(tenant + "\n" + resource))
	return base64.RawURLEncoding.EncodeToString(sum[:20])
}

// resourceURI is the address of a resource, with alt=json behind whatever else was asked.
func resourceURI(resource string) string {
	if strings.Contains(resource, "?") {
		return origin + resource + "&alt=json"
	}
	return origin + resource + "?alt=json"
}
