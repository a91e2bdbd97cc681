package push

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/outbound"
)

// How notifications are delivered. Source: learn.microsoft.com/graph/change-notifications-delivery-webhooks.
const (
	firstAnswer = 3 * time.Second  // to acknowledge
	retryAnswer = 10 * time.Second // to acknowledge a retry
	giveUpAfter = 4 * time.Hour
	longestWait = 30 * time.Minute // between retries

	slots     = 8       // POSTs at a time to an endpoint
	batchSize = 100     // items in a POST
	backlog   = 100_000 // items that may wait at an endpoint
)

// endpoint is one notification URL. The hub's lock guards it.
type endpoint struct {
	pending []item
	held    []*late // until they are overtaken
	busy    int
}

// add appends an item, or joins it with one that waits for the same group and subscription.
func (e *endpoint) add(it item) bool {
	if n := len(e.pending); n > 0 && it.resource == "groups" && len(it.members) > 0 {
		last := &e.pending[n-1]
		if last.subscription == it.subscription && last.id == it.id && len(last.members) > 0 && last.absorb(it) {
			return true
		}
	}
	if len(e.pending) >= backlog {
		return false
	}
	e.pending = append(e.pending, it)
	return true
}

func (e *endpoint) take() []item {
	n := min(batchSize, len(e.pending))
	items := slices.Clone(e.pending[:n])
	e.pending = e.pending[n:]
	return items
}

// post delivers items, trying again until somebody acknowledges them. Only while it speaks does it hold a slot.
func (h *Hub) post(ctx context.Context, url string, e *endpoint, items []item) {
	raw, err := json.Marshal(body(items))
	if err != nil {
		h.release(e)
		h.Logger.Error("encode notifications", "error", err)
		return
	}
	began := h.Clock.Now()
	for attempt := 1; ; attempt++ {
		answer := firstAnswer
		if attempt > 1 {
			answer = retryAnswer
		}
		delivered := h.send(ctx, url, raw, answer, describe(items, attempt))
		h.overtake(e, items)
		h.release(e)
		wait := min(h.RetryBase<<min(attempt-1, 20), longestWait)
		if delivered || ctx.Err() != nil || h.Clock.Now().Add(wait).Sub(began) > giveUpAfter {
			return
		}
		select {
		case <-h.Clock.After(wait):
		case <-ctx.Done():
			return
		}
		if !h.claim(e) {
			return
		}
	}
}

// release gives an endpoint's slot back.
func (h *Hub) release(e *endpoint) {
	h.mu.Lock()
	e.busy--
	h.mu.Unlock()
	h.rouse()
}

// claim takes a slot for a retry, which goes before what is new. It reports false when push is off.
func (h *Hub) claim(e *endpoint) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.push.Mode == control.PushOff {
		return false
	}
	e.busy++
	return true
}

// send does one POST and reports whether it was acknowledged.
func (h *Hub) send(ctx context.Context, url string, raw []byte, answer time.Duration, d control.Delivery) bool {
	header := http.Header{"Content-Type": {"application/json; charset=utf-8"}}
	return h.out.Send(ctx, outbound.Post{URL: url, Header: header, Body: raw, Answer: answer}, d)/100 == 2
}

// describe is the log entry of a POST before it is sent.
func describe(items []item, attempt int) control.Delivery {
	d := control.Delivery{Attempt: attempt, Subscriptions: []string{}, Resources: []string{}}
	for _, it := range items {
		if !slices.Contains(d.Subscriptions, it.subscription) {
			d.Subscriptions = append(d.Subscriptions, it.subscription)
		}
		if it.lifecycle != "" {
			d.Lifecycle = true
			continue
		}
		d.Resources = append(d.Resources, it.path())
		d.Version = max(d.Version, it.version)
	}
	d.Tenants = tenants(items)
	return d
}

func tenants(items []item) []string {
	var out []string
	for _, it := range items {
		if !slices.Contains(out, it.tenant) {
			out = append(out, it.tenant)
		}
	}
	return out
}
