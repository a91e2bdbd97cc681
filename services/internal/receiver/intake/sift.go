package intake

import (
	"context"
	"crypto/rand"
	"log/slog"
	"regexp"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/channel"
)

// reason says why an item counts for nothing. The values are metric labels.
type reason string

const (
	good          reason = ""
	malformed     reason = "malformed"
	forged        reason = "forged"
	unknownTenant reason = "unknown-tenant"
	foreignTenant reason = "foreign-tenant"
	// foreignChannel: the push names another channel than its secret proves.
	foreignChannel reason = "foreign-channel"
	// foreignResource: the push says that its channel watches something else than we know it does.
	foreignResource reason = "foreign-resource"

	// Proved items that tell of no change:
	opened  reason = "opened"  // a provider's first message on a channel
	retired reason = "retired" // the channel that it came through has ended or is to: another has followed it, or the tenant is disconnected
)

// ignored reports whether an item is good and tells of no change.
func (r reason) ignored() bool { return r == opened || r == retired }

// maxHints bounds the hints of one tenant in one push. One alone makes sync read every feed, so that nothing is lost with
// the rest.
const maxHints = 64

// sift proves each item by itself and returns one hint for each thing that changed. What is refused is counted, and told
// in one line that shows nothing of what was sent.
func (h *Handler) sift(ctx context.Context, items []receiver.Notification) []event.Event {
	refused, ignored := map[reason]int{}, map[reason]int{}
	accepted := 0
	seen, ofTenant := map[hintKey]bool{}, map[string]int{}
	var hints []event.Event
	for _, item := range items {
		tenantID, data, why := h.prove(item)
		switch {
		case why == opened: // of no change, and yet it is kept: it shows that the channel pushes
			ignored[why]++
		case why.ignored():
			ignored[why]++
			continue
		case why != good:
			refused[why]++
			continue
		default:
			accepted++
		}
		key := hintKey{tenantID, data.SubscriptionID, data.Resource, data.ID, data.Lifecycle}
		if seen[key] || (ofTenant[tenantID] >= maxHints && data.Lifecycle == "") {
			continue
		}
		seen[key] = true
		ofTenant[tenantID]++
		hint, err := h.hint(tenantID, data)
		if err != nil {
			refused[malformed]++
			if why == good {
				accepted--
			}
			continue
		}
		hints = append(hints, hint)
	}
	h.metrics.items(accepted, ignored, refused)
	if len(refused) > 0 {
		attrs := []any{"items", len(items)}
		for why, n := range refused {
			attrs = append(attrs, slog.Int(string(why), n))
		}
		h.deps.Logger.WarnContext(ctx, "push holds items that are refused", attrs...)
	}
	return hints
}

// hintKey is what makes two items of one push the same news.
type hintKey struct{ tenant, subscription, resource, id, lifecycle string }

// prove returns whose item it is and what may be kept of it.
func (h *Handler) prove(item receiver.Notification) (string, event.NotificationReceived, reason) {
	none := event.NotificationReceived{}
	if item.Fault != nil {
		return "", none, malformed
	}
	proof, err := h.deps.Keys.Verify(h.deps.Provider.Name(), item.Secret)
	if err != nil {
		return "", none, forged
	}
	t, known := h.deps.Tenants.Tenant(proof.Tenant)
	if !known {
		return "", none, unknownTenant
	}
	if item.DirectoryID != "" && item.DirectoryID != t.DirectoryID {
		return "", none, foreignTenant
	}
	if t.Disconnected { // its channels are ended, or about to be
		return "", none, retired
	}
	if why := h.channel(t.ID, proof.Channel, item); why != good {
		return "", none, why
	}
	data := event.NotificationReceived{
		Provider: string(h.deps.Provider.Name()), SubscriptionID: item.ChannelID, Channel: proof.Channel, Change: letters(item.Change),
	}
	switch item.Resource {
	case receiver.UserResource, receiver.GroupResource, receiver.ActivityResource:
		data.Resource, data.ID = string(item.Resource), item.ID
	}
	switch item.News {
	case receiver.ChannelExpires, receiver.ChannelRemoved, receiver.PushesMissed:
		data.Lifecycle = string(item.News)
	case receiver.ChannelOpened:
		data.Lifecycle, data.Resource, data.ID = string(item.News), "", ""
	}
	switch {
	case !event.ValidToken(data.SubscriptionID), data.ID != "" && !event.ValidToken(data.ID):
		return "", none, malformed
	case item.News == receiver.ChannelOpened:
		return t.ID, data, opened
	case data.Resource == "" && data.Lifecycle == "":
		return "", none, malformed
	}
	return t.ID, data, good
}

// channel judges what a push says of the channel that it came through by what is known of it.
func (h *Handler) channel(tenantID, name string, item receiver.Notification) reason {
	if h.named && item.ChannelID != name {
		return foreignChannel
	}
	known, ok := h.deps.Channels.Find(tenantID, name)
	switch {
	case !ok: // its record may be on its way, and the secret proves itself
		return good
	case known.ResourceID != "" && item.ResourceID != "" && known.ResourceID != item.ResourceID:
		return foreignResource
	case known.State == channel.Retired, known.State == channel.Ended:
		return retired
	}
	return good
}

var word = regexp.MustCompile(`^[A-Za-z_]{1,64}$`)

// letters keeps a provider's word where it is one.
func letters(s string) string {
	if word.MatchString(s) {
		return s
	}
	return ""
}

func (h *Handler) hint(tenantID string, data event.NotificationReceived) (event.Event, error) {
	return event.New(event.TypeNotificationReceived, event.Meta{
		ID: rand.Text(), Source: event.NotificationSource(tenantID), Time: h.deps.Clock.Now(), Tenant: tenantID,
	}, data)
}
