package receivertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// Provider has a Directory for each tenant, by id. Its pushes are JSON arrays of Item.
type Provider struct {
	Directories map[string]*Directory
	// Follow are its traits; by default those of feeds of up to 50 groups' members.
	Follow *receiver.Traits
}

// Item is one item of a push.
type Item struct {
	Directory, Subscription, Secret, Resource, ID, Change, Lifecycle string
	Broken                                                           bool
}

// Body is a push of items.
func Body(items ...Item) []byte {
	body, err := json.Marshal(items)
	if err != nil {
		panic(err) // they are strings
	}
	return body
}

// Name implements receiver.Provider.
func (p *Provider) Name() directory.Provider { return directory.Entra }

// Handshake implements receiver.Provider: it echoes ?handshake=.
func (p *Provider) Handshake(w http.ResponseWriter, r *http.Request) bool {
	echo := r.URL.Query().Get("handshake")
	if echo == "" {
		return false
	}
	w.Header().Set("Content-Type", "text/plain")
	_, _ = w.Write([]byte(echo))
	return true
}

// Parse implements receiver.Provider.
func (p *Provider) Parse(_ http.Header, body []byte) ([]receiver.Notification, error) {
	var items []Item
	if err := json.Unmarshal(body, &items); err != nil {
		return nil, fmt.Errorf("read a push: %w", err)
	}
	list := make([]receiver.Notification, len(items))
	for i, item := range items {
		list[i] = receiver.Notification{
			DirectoryID: item.Directory, ChannelID: item.Subscription, Secret: item.Secret, Resource: receiver.Resource(item.Resource),
			ID: item.ID, Change: item.Change, News: receiver.News(item.Lifecycle),
		}
		if item.Broken {
			list[i].Fault = errors.New("broken")
		}
	}
	return list, nil
}

// Traits implements receiver.Provider.
func (p *Provider) Traits() receiver.Traits {
	if p.Follow != nil {
		return *p.Follow
	}
	return receiver.Traits{MemberFeeds: true, MaxFeedGroups: 50}
}

// Verify implements receiver.Provider: there is nothing that could be wrong.
func (p *Provider) Verify(context.Context, tenant.Tenant) ([]receiver.Finding, error) {
	return nil, nil
}

// CredentialEnd implements receiver.Provider: as the tenant's record says.
func (p *Provider) CredentialEnd(t tenant.Tenant) (receiver.CredentialEnd, error) {
	return receiver.EndAsTold(t, "The credential", "Make another one."), nil
}

// Connect implements receiver.Provider.
func (p *Provider) Connect(t tenant.Tenant) (receiver.Directory, error) {
	if d := p.Directories[t.ID]; d != nil {
		return d, nil
	}
	return nil, fmt.Errorf("no directory of %s", t.ID)
}
