package cli

import (
	"context"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/receiver/state"
)

// known is since when a directory is known: when its last good round began, as far as that is stored, and its last complete
// read. Its receiver stores the first every ten seconds at most, and the metrics have it exactly.
type known struct {
	Round    time.Time `json:"round_began,omitzero"`
	Complete time.Time `json:"complete_read_began,omitzero"`
	// Ended is when that read ended: a server tells that, and not when it began.
	Ended time.Time `json:"complete_read_ended,omitzero"`
}

func knownOf(ctx context.Context, store *state.Store, tenant string) (known, error) {
	fresh, err := store.LoadFresh(ctx, tenant)
	if err != nil {
		return known{}, err
	}
	feeds, _, err := store.LoadFeeds(ctx, tenant)
	if err != nil {
		return known{}, err
	}
	k := known{Round: fresh.Began, Complete: feeds.FullAt}
	switch {
	case k.Complete.IsZero(): // a round of another connection says nothing of this one
		k.Round = time.Time{}
	case k.Round.Before(k.Complete): // which is as good as a round
		k.Round = k.Complete
	}
	return k, nil
}

func (k *known) describe(now time.Time) string {
	if k == nil {
		return ""
	}
	var b strings.Builder
	age := func(began time.Time) string { return max(0, now.Sub(began)).Round(time.Second).String() }
	complete := k.Complete
	if complete.IsZero() {
		complete = k.Ended
	}
	if complete.IsZero() {
		writeLine(&b, "freshness", "not read completely yet")
		return b.String()
	}
	writeLine(&b, "freshness", age(k.Round))
	writeLine(&b, "snapshot age", age(complete))
	return b.String()
}
