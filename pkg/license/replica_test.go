package license_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/license"
)

// replica makes one and runs it beside the test.
func (b *bundle) replica(t *testing.T, o license.Options) (r *license.Replica, stop func() error) {
	t.Helper()
	r, err := b.client.Replica(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	return r, func() error {
		cancel()
		return <-done
	}
}

// awaitState waits until the replica has an event of at least that sequence of the user.
func awaitState(t *testing.T, r *license.Replica, key license.Key, sequence uint64) license.State {
	t.Helper()
	for {
		s, _, changed := r.Watch(key)
		if s.Sequence >= sequence {
			return s
		}
		receive(t, changed)
	}
}

func TestReplica(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.grant(t, "contoso", "secure-share", 1, 7)
	b.grant(t, "fabrikam", "secure-share", 1, 3)
	r, stop := b.replica(t, license.Options{Tenant: "contoso"})
	key := func(user string) license.Key {
		return license.Key{Tenant: "contoso", Product: "secure-share", User: user}
	}
	if s := awaitState(t, r, key("u-1"), 7); !s.Licensed || !r.Licensed(key("u-1")) {
		t.Errorf("u-1 is %+v", s)
	}
	if s := awaitState(t, r, key("u-0"), 6); s.Licensed || r.Licensed(key("u-0")) {
		t.Errorf("u-0 is %+v", s)
	}
	if s, known := r.State(key("nobody")); known || r.Licensed(key("nobody")) {
		t.Errorf("nobody is %+v", s)
	}
	if s, known := r.State(license.Key{Tenant: "fabrikam", Product: "secure-share", User: "u-0"}); known {
		t.Errorf("what was not asked for is there: %+v", s)
	}
	_, _, changed := r.Watch(key("u-2"))
	_, _, silent := r.Watch(key("nobody"))
	b.grant(t, "contoso", "secure-share", 8, 8)
	receive(t, changed)
	if s := awaitState(t, r, key("u-2"), 8); s.Licensed {
		t.Errorf("u-2 is %+v", s)
	}
	select {
	case <-silent:
		t.Error("another one's change was told")
	default:
	}
	if err := stop(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if _, err := b.client.Replica(t.Context(), license.Options{Tenant: "*"}); err == nil {
		t.Error("a tenant with a wildcard is taken")
	}
}

// What LICENSES has forgotten is in the snapshot, and in what follows it.
func TestReplicaKnowsWhatHasExpired(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.grant(t, "contoso", "secure-share", 1, 3)
	before, stopBefore := b.replica(t, license.Options{})
	key := license.Key{Tenant: "contoso", Product: "secure-share", User: "u-0"}
	awaitState(t, before, key, 3) // so the bucket, or the stream, was read
	b.expireAll(t)
	b.grant(t, "contoso", "secure-share", 4, 4)
	after, stopAfter := b.replica(t, license.Options{})
	for name, r := range map[string]*license.Replica{"before": before, "after": after} {
		if s := awaitState(t, r, key, 3); !s.Licensed {
			t.Errorf("%s: u-0 is %+v", name, s)
		}
		awaitState(t, r, license.Key{Tenant: "contoso", Product: "secure-share", User: "u-1"}, 4)
	}
	if err := errors.Join(stopBefore(), stopAfter()); err != nil {
		t.Error(err)
	}
}

// A replica that events are missing in says so, and does not go on as if nothing had happened.
func TestReplicaSeesAGap(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r, err := b.client.Replica(t.Context(), license.Options{Tenant: "contoso"})
	if err != nil {
		t.Fatal(err)
	}
	b.grant(t, "contoso", "secure-share", 1, 1)
	b.grant(t, "contoso", "secure-share", 3, 3)
	if err := r.Run(t.Context()); !errors.Is(err, license.ErrGap) {
		t.Errorf("it ended with %v", err)
	}
}

// A replica that begins anywhere in a history comes to the state that the whole of it folds to.
func TestReplicasAgreeWithTheRecord(t *testing.T) {
	t.Parallel()
	b := setup(t)
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 1))
	sequences := map[string]uint64{}
	var replicas []*license.Replica
	latest := map[license.Key]uint64{}
	for i := range 120 {
		if i%30 == 0 {
			r, stop := b.replica(t, license.Options{})
			replicas = append(replicas, r)
			t.Cleanup(func() { _ = stop() })
		}
		key := license.Key{
			Tenant: fmt.Sprintf("t-%d", random.IntN(2)), Product: fmt.Sprintf("p-%d", random.IntN(2)), User: fmt.Sprintf("u-%d", random.IntN(4)),
		}
		of := key.Tenant + "." + key.Product
		sequences[of]++
		latest[key] = sequences[of]
		b.publish(t, event.TypeLicenseGranted, event.LicenseSubject(key.Tenant, key.Product, key.User), key.User, key.Tenant, key.Product, sequences[of],
			event.Entitlement{Tenant: key.Tenant, Product: key.Product, User: key.User, Licensed: random.IntN(2) == 1, Reason: "group-member"})
	}
	var record license.Fold
	err := b.client.Replay(t.Context(), license.Options{}, func(_ context.Context, e license.Event) error {
		record.Apply(e)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range replicas {
		got := map[license.Key]license.State{}
		for key, sequence := range latest {
			got[key] = awaitState(t, r, key, sequence)
		}
		if diff := cmp.Diff(record.State(), got); diff != "" {
			t.Errorf("seed %d: replica %d differs from the record (-record +replica):\n%s", seed, i, diff)
		}
	}
}
