package intake

import (
	"context"
	"crypto/rand"
	"log/slog"
	"regexp"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
)

// reason says why an item counts for nothing. The values are metric labels.
type reason string

const (
	good          reason = ""
	malformed     reason = "malformed"
	forged        reason = "forged"
	unknownTenant reason = "unknown-tenant"
	foreignTenant reason = "foreign-tenant"
)

// maxHints bounds the hints of one tenant in one push. One alone makes sync read every feed, so that nothing is lost with
// the rest.
const maxHints = 64

// sift proves each item by itself and returns one hint for each thing that changed. What is refused is counted, and told
// in one line that shows nothing of what was sent.
func (h *Handler) sift(ctx context.Context, items []receiver.Notification) []event.Event {
	refused := map[reason]int{}
	accepted := 0
	seen, ofTenant := map[hintKey]bool{}, map[string]int{}
	var hints []event.Event
	for _, item := range items {
		tenantID, data, why := h.prove(item)
		if why != good {
			refused[why]++
			continue
		}
		accepted++
		key := hintKey{tenantID, data.SubscriptionID, data.Resource, data.ID, data.Lifecycle}
		if seen[key] || (ofTenant[tenantID] >= maxHints && data.Lifecycle == "") {
			continue
		}
		seen[key] = true
		ofTenant[tenantID]++
		hint, err := h.hint(tenantID, data)
		if err != nil {
			refused[malformed]++
			accepted--
			continue
		}
		hints = append(hints, hint)
	}
	h.metrics.items(accepted, refused)
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
	if item.DirectoryID != t.DirectoryID {
		return "", none, foreignTenant
	}
	data := event.NotificationReceived{
		Provider: string(h.deps.Provider.Name()), SubscriptionID: item.SubscriptionID, Channel: proof.Channel,
		Resource: item.Resource, ID: item.ID, Change: letters(item.Change), Lifecycle: letters(item.Lifecycle),
	}
	if data.Resource != "user" && data.Resource != "group" {
		data.Resource, data.ID = "", ""
	}
	switch {
	case !event.ValidToken(data.SubscriptionID), data.ID != "" && !event.ValidToken(data.ID), data.Resource == "" && data.Lifecycle == "":
		return "", none, malformed
	}
	return t.ID, data, good
}

var word = regexp.MustCompile(`^[A-Za-z]{1,64}$`)

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
