package state_test

import (
	"sync"
	"testing"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/services/internal/receiver/state"
)

func TestMain(m *testing.M) { bustest.VerifyNoLeaks(m) }

func TestEpochsRiseWhateverTheClockSays(t *testing.T) {
	t.Parallel()
	kv, err := bustest.New(t).KeyValue(t.Context(), bus.BucketOwners)
	if err != nil {
		t.Fatal(err)
	}
	now := time.UnixMilli(1_000_000)
	for i, want := range []int64{1_000_000, 1_000_001, 1_000_002, 2_000_000} {
		at := now.Add(-time.Duration(i) * time.Hour) // the clock goes back
		if i == 3 {
			at = time.UnixMilli(2_000_000)
		}
		owner, err := state.Own(t.Context(), kv, "entra-receiver-p01", at)
		if err != nil || owner.Epoch != want {
			t.Errorf("start %d: epoch %d, %v, want %d", i, owner.Epoch, err, want)
		}
	}
}

func TestOwnersAtTheSameTimeDiffer(t *testing.T) {
	t.Parallel()
	kv, err := bustest.New(t).KeyValue(t.Context(), bus.BucketOwners)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	var epochs sync.Map
	for range 8 {
		group.Go(func() {
			owner, err := state.Own(t.Context(), kv, "entra-receiver-p01", time.UnixMilli(1))
			if _, taken := epochs.LoadOrStore(owner.Epoch, true); err != nil || taken {
				t.Errorf("epoch %d twice, or %v", owner.Epoch, err)
			}
		})
	}
	group.Wait()
}
