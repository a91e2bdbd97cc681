package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/services/internal/answer"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/state"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// shownTenant is a tenant, where it stands as far as the ledger is at hand, since when its directory is known and, where its
// provider has no feed of members, how current the lists of its provisioning groups and of those nested in them are, by group
// id; of many, the oldest, and how many others there are.
type shownTenant struct {
	tenant.Tenant
	Credential *tenant.Credential    `json:"credential,omitempty"` // nil: the server that was asked tells none
	Standing   *answer.Standing      `json:"standing,omitempty"`
	Known      *known                `json:"known,omitempty"` // nil: it is not followed
	Lists      map[string]state.List `json:"lists,omitempty"`
	Others     int                   `json:"other_lists,omitempty"`
}

func (a *app) shownTenant(ctx context.Context, b *bus.Bus, id string) (shownTenant, error) {
	registry, err := a.tenants(ctx, b)
	if err != nil {
		return shownTenant{}, err
	}
	t, err := registry.Get(ctx, id)
	if err != nil {
		return shownTenant{}, err
	}
	cursors, err := b.KeyValue(ctx, bus.BucketCursors)
	if err != nil {
		return shownTenant{}, err
	}
	store := state.New(cursors)
	lists, err := store.LoadLists(ctx, id)
	if err != nil {
		return shownTenant{}, err
	}
	shown := shownTenant{Tenant: t, Credential: &t.Credential, Lists: lists.Groups, Others: lists.Others}
	if !t.Disconnected {
		k, err := knownOf(ctx, store, id)
		if err != nil {
			return shownTenant{}, err
		}
		shown.Known = &k
	}
	return shown, nil
}

func describeLists(lists map[string]state.List, others int, now time.Time) string {
	var b strings.Builder
	for _, id := range slices.Sorted(maps.Keys(lists)) {
		l := lists[id]
		writeLine(&b, "listed group", id)
		writeLine(&b, "  members", fmt.Sprintf("%d, pages of them: %d", l.Members, l.Pages))
		said := now.Sub(l.Began).Round(time.Second).String() + " ago"
		if l.Every > 0 {
			said += ", and " + l.Every.Round(time.Second).String() + " before that"
		}
		writeLine(&b, "  last listed", said)
	}
	if others > 0 {
		writeLine(&b, "listed later", fmt.Sprintf("%d nested groups more", others))
	}
	return b.String()
}
