package googlepush

import (
	"net/url"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

// Message is something that happened, for whoever watches it.
type Message struct {
	Version uint64    // of the change, for the log of deliveries
	Name    string    // for that log: no address
	Due     time.Time // channels that live then are told then; zero means at once
	// State is the resource state that a channel is told, false when it does not watch this.
	State func(Watched) (string, bool)
	// Body is the JSON that goes with it. It is called when the message is sent, from any goroutine.
	Body func() ([]byte, error)
}

// Watched is what a channel watches.
type Watched struct {
	Path  string // of the resource, without the leading slash, e.g. admin/directory/v1/users
	Query url.Values
}

// Source makes messages of the changes of one mutation. It must not wait, and keep nothing of the view.
type Source func(v store.View, changes []store.Change) []Message

// watched reads what a stored channel watches.
func watched(sub *store.Subscription) Watched {
	path, query, _ := strings.Cut(sub.Resource, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		values = url.Values{}
	}
	return Watched{Path: path, Query: values}
}
