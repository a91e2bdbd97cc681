package license_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/license"
)

// However often and in whatever order events come, the fold is what the highest sequences say.
func TestFoldIsIndependentOfOrderAndRepeats(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(0, 30).Draw(r, "events")
		var events []license.Event
		want := map[license.Key]license.State{}
		for sequence := uint64(1); sequence <= uint64(n); sequence++ {
			user := fmt.Sprintf("u-%d", rapid.IntRange(1, 4).Draw(r, "user"))
			licensed := rapid.Bool().Draw(r, "licensed")
			events = append(events, license.Event{
				// The type lies half of the time: only the data counts.
				Type:   rapid.SampledFrom([]string{event.TypeLicenseGranted, event.TypeLicenseRevoked}).Draw(r, "type"),
				Tenant: "t", Product: "p", User: user, Sequence: sequence,
				Entitlement: &event.Entitlement{Licensed: licensed, Reason: "r"},
			})
			want[license.Key{Tenant: "t", Product: "p", User: user}] = license.State{Licensed: licensed, Reason: "r", Sequence: sequence}
		}
		var fold license.Fold
		doubled := rapid.Permutation(append(events, events...)).Draw(r, "order")
		for _, e := range doubled {
			fold.Apply(e)
			fold.Apply(license.Event{Tenant: "t", Product: "p", User: e.User, Sequence: 1000, Policy: &event.PolicyChanged{}})
		}
		got := fold.State()
		if len(want) == 0 {
			want = got
		}
		if diff := cmp.Diff(want, got); diff != "" {
			r.Fatal(diff)
		}
		for key, state := range want {
			if fold.Licensed(key) != state.Licensed {
				r.Fatalf("%v", key)
			}
		}
	})
}

// The two ways to the present state agree: the record from its beginning, and the bucket that the server keeps.
func TestRecordAndEntitlementsFoldAlike(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.grant(t, "contoso", "secure-share", 1, 20)
	var record license.Fold
	var last license.Event
	if err := b.client.Replay(t.Context(), license.Options{}, func(_ context.Context, e license.Event) error {
		record.Apply(e)
		last = e
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	kv, err := b.bus.KeyValue(t.Context(), bus.BucketEntitlements)
	if err != nil {
		t.Fatal(err)
	}
	watch, err := kv.WatchAll(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = watch.Stop() }()
	var bucket license.Fold
	for bucket.State()[license.Key{Tenant: "contoso", Product: "secure-share", User: last.User}].Sequence != last.Sequence {
		entry := receive(t, watch.Updates())
		if entry == nil {
			continue // the marker of what was there when watching began
		}
		e, err := license.Decode(entry.Value())
		if err != nil {
			t.Fatal(err)
		}
		bucket.Apply(e)
	}
	if diff := cmp.Diff(record.State(), bucket.State()); diff != "" {
		t.Error(diff)
	}
}
