package cli

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/state"
)

func TestFreshnessIsDescribed(t *testing.T) {
	t.Parallel()
	kv, err := bustest.New(t).KeyValue(t.Context(), bus.BucketCursors)
	if err != nil {
		t.Fatal(err)
	}
	store, now := state.New(kv), time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	for id, c := range map[string]struct {
		round, complete time.Duration // ago; 0: none
		want            string
	}{
		"read":      {32 * time.Second, 3 * time.Hour, "freshness            32s\nsnapshot age         3h0m0s\n"},
		"just-read": {time.Hour, time.Minute, "freshness            1m0s\nsnapshot age         1m0s\n"}, // no round since
		"ahead":     {-time.Minute, time.Hour, "freshness            0s\nsnapshot age         1h0m0s\n"},
		"anew":      {time.Hour, 0, "freshness            not read completely yet\n"},
		"new":       {0, 0, "freshness            not read completely yet\n"},
	} {
		if c.round != 0 {
			if err := store.SaveFresh(t.Context(), id, state.Fresh{Began: now.Add(-c.round)}); err != nil {
				t.Fatal(err)
			}
		}
		if c.complete != 0 {
			if _, err := store.SaveFeeds(t.Context(), id, state.Feeds{FullAt: now.Add(-c.complete)}, 0); err != nil {
				t.Fatal(err)
			}
		}
		k, err := knownOf(t.Context(), store, id)
		if diff := cmp.Diff(c.want, k.describe(now)); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", id, err, diff)
		}
	}
}
