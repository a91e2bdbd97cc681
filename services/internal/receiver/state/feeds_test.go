package state_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/state"
)

func TestMain(m *testing.M) { bustest.VerifyNoLeaks(m) }

// What an earlier version stored is read as it was meant.
func TestFeedsOfAnEarlierVersion(t *testing.T) {
	t.Parallel()
	kv, err := bustest.New(t).KeyValue(t.Context(), bus.BucketCursors)
	if err != nil {
		t.Fatal(err)
	}
	stored := `{"connection":"c1","users":"u","groups":"g","members":[{"groups":["g1"],"cursor":"m"}],"addresses":["p@contoso.com"],` +
		`"watched":{"g1":{"addresses":["p@contoso.com"],"cause":"hint-1"}}}`
	if _, err := kv.Put(t.Context(), "contoso.feeds", []byte(stored)); err != nil {
		t.Fatal(err)
	}
	got, _, err := state.New(kv).LoadFeeds(t.Context(), "contoso")
	want := state.Feeds{
		Connection: "c1", Users: "u", Groups: "g", Members: []state.MembersFeed{{Groups: []string{"g1"}, Cursor: "m"}},
		Addresses: []string{"p@contoso.com"}, Watched: map[string]state.Watch{"g1": {Addresses: []string{"p@contoso.com"}, By: "hint-1"}},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v, (-want +got):\n%s", err, diff)
	}
	w := got.Watched["g1"]
	for key, is := range map[string]bool{"g1": true, "p@contoso.com": true, "other@contoso.com": false, "": false} {
		if w.IsNamed("g1", key) != is {
			t.Errorf("named by %q: %t", key, !is)
		}
	}
}
