package cli

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/services/internal/receiver/state"
)

func TestListsAreDescribed(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	got := describeLists(map[string]state.List{
		"02": {Began: now.Add(-41 * time.Second), Every: 55 * time.Second, Pages: 1600, Members: 319_984},
		"01": {Began: now.Add(-2 * time.Second), Pages: 1, Members: 25},
	}, 950, now)
	want := `listed group         01
  members            25, pages of them: 1
  last listed        2s ago
listed group         02
  members            319984, pages of them: 1600
  last listed        41s ago, and 55s before that
listed later         950 nested groups more
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
