package googlepush

import (
	"context"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/outbound"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

// How pushes are delivered. Google documents neither the number of retries nor their time.
const (
	answer      = 10 * time.Second // for the other side to acknowledge
	giveUpAfter = 4 * time.Hour
	longestWait = 30 * time.Minute // between retries

	slots   = 8       // POSTs at a time to an address
	backlog = 100_000 // deliveries that may wait for an address
)

// origin is where resource URIs begin, whatever name a caller knows the service by.
const origin = "https://admin.googleapis.com/"

// delivery is one message on its way to one channel.
type delivery struct {
	tenant, channel, address, token string
	resource, resourceID            string
	expires                         time.Time
	number                          uint64
	state                           string
	body                            func() ([]byte, error) // nil without one
	contentType                     string

	seq     uint64 // the order in which deliveries came up
	version uint64
	name    string
	attempt int
	began   time.Time // the first attempt
}

func (h *Hub) delivery(tenant string, sub *store.Subscription, number uint64, state string) *delivery {
	return &delivery{
		tenant: tenant, channel: sub.ID, address: sub.URL, token: sub.ClientState, resource: sub.Resource,
		resourceID: sub.ResourceID, expires: sub.Expires, number: number, state: state,
	}
}

// endpoint is one address. The hub's lock guards it.
type endpoint struct {
	pending []*delivery
	held    []*late // until they are overtaken
	busy    int
}

func (e *endpoint) take(anyOrder bool, random *rand.Rand) *delivery {
	i := 0
	if anyOrder {
		i = random.IntN(len(e.pending))
	}
	d := e.pending[i]
	e.pending = slices.Delete(e.pending, i, i+1)
	return d
}

// endpoint is that of an address. The caller holds the lock.
func (h *Hub) endpoint(address string) *endpoint {
	e := h.endpoints[address]
	if e == nil {
		e = &endpoint{}
		h.endpoints[address] = e
	}
	return e
}

// ready hands a delivery to its endpoint. The caller holds the lock.
func (h *Hub) ready(d *delivery) {
	e := h.endpoint(d.address)
	if len(e.pending) >= backlog {
		h.Logger.Warn("a push was dropped: its address is too far behind")
		return
	}
	e.pending = append(e.pending, d)
}

// post sends a delivery and gives the endpoint's slot back.
func (h *Hub) post(ctx context.Context, d *delivery, e *endpoint) {
	h.send(ctx, d)
	h.mu.Lock()
	h.overtake(e, d)
	e.busy--
	h.mu.Unlock()
	h.rouse()
}

// send makes one POST, and asks for another one later when the answer is one of the four that Google tries again after.
func (h *Hub) send(ctx context.Context, d *delivery) {
	now := h.Clock.Now()
	if !d.expires.After(now) {
		return // the channel has died while this waited
	}
	if d.attempt++; d.attempt == 1 {
		d.began = now
	}
	post := outbound.Post{URL: d.address, Header: d.header(), Answer: answer}
	if d.body != nil {
		var err error
		if post.Body, err = d.body(); err != nil {
			h.Logger.Error("encode a push", "error", err)
			return
		}
		post.Header.Set("Content-Type", d.contentType)
	}
	switch h.out.Send(ctx, post, d.about()) {
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
	default: // 200, 201, 202, 204 and 102 acknowledge, everything else is a failure for good
		return
	}
	wait := min(h.RetryBase<<min(d.attempt-1, 20), longestWait)
	h.mu.Lock()
	defer h.mu.Unlock()
	if due := h.Clock.Now().Add(wait); h.push.Mode != control.PushOff && due.Sub(d.began) <= giveUpAfter {
		h.queue.Add(due, d)
		h.rouse()
	}
}

// header writes the names as Google does, which http.Header.Set would not.
func (d *delivery) header() http.Header {
	out := http.Header{
		"User-Agent":                {"APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)"},
		"Accept":                    {"*/*"},
		"X-Goog-Channel-ID":         {d.channel},
		"X-Goog-Message-Number":     {strconv.FormatUint(d.number, 10)},
		"X-Goog-Resource-ID":        {d.resourceID},
		"X-Goog-Resource-State":     {d.state},
		"X-Goog-Resource-URI":       {resourceURI(d.resource)},
		"X-Goog-Channel-Expiration": {d.expires.UTC().Format(http.TimeFormat)},
	}
	if d.token != "" {
		out["X-Goog-Channel-Token"] = []string{d.token}
	}
	return out
}

func (d *delivery) about() control.Delivery {
	return control.Delivery{
		Tenants: []string{d.tenant}, Subscriptions: []string{d.channel}, Resources: []string{d.name},
		Lifecycle: d.state == stateSync, Version: d.version, Attempt: d.attempt,
	}
}
