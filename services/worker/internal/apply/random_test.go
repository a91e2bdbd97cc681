package apply_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/event/eventtest"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/worker/internal/apply"
)

// twoProducts is a tenant whose second product has another group.
func twoProducts() (t tenant.Tenant, addresses map[string]string) {
	t = contoso()
	second := tenant.SecureShare()
	second.ID, second.Group = "mail-gate", "mail-gate-users"
	t.Products = append(t.Products, second)
	addresses = map[string]string{}
	for _, p := range t.Products {
		addresses[p.ID] = t.GroupAddress(p)
	}
	return t, addresses
}

// scenario is one random history, played to the worker and to the model.
type scenario struct {
	*harness
	t         *rapid.T
	model     *model
	addresses map[string]string
	stamp     uint64
	snapshots int
	delivered []bus.Message
}

// Whatever is observed, however old, in whatever order, with redeliveries and restarts between: the ledger and what was
// told are what a plain recomputation gives; what was told are exactly the transitions, without a gap.
func TestRandomHistoriesFollowTheModel(t *testing.T) {
	t.Parallel()
	dir := ledgertest.Folder(t)
	randomHistories(t, math.MaxInt, func(run int) (string, func()) {
		path := filepath.Join(dir, fmt.Sprintf("%d.db", run))
		return path, func() {
			for _, suffix := range []string{"", "-wal", "-shm"} {
				_ = os.Remove(path + suffix)
			}
		}
	})
}

func TestRandomHistoriesFollowTheModelOnPostgres(t *testing.T) {
	t.Parallel()
	randomHistories(t, 25, func(int) (string, func()) { return ledgertest.Postgres(t), func() {} })
}

// randomHistories plays at most so many histories, each on a ledger of its own; one that fails is played until it is short.
func randomHistories(t *testing.T, most int, newLedger func(run int) (address string, drop func())) {
	t.Helper()
	valid := eventtest.Shared(t)
	runs, failed := 0, false
	rapid.Check(t, func(rt *rapid.T) {
		if runs++; runs > most && !failed {
			return
		}
		well := false
		defer func() { failed = failed || !well }()
		address, drop := newLedger(runs)
		defer drop()
		tn, addresses := twoProducts()
		s := &scenario{
			harness: newHarnessAt(rt, address, valid, tn), t: rt, model: newModel(addresses),
			addresses: addresses, stamp: 10,
		}
		defer s.close()
		for range rapid.IntRange(5, 40).Draw(rt, "steps") {
			s.step()
		}
		s.check()
		well = true
	})
}

func (s *scenario) step() {
	switch rapid.SampledFrom([]string{
		"page", "page", "page", "page", "snapshot", "round", "round", "wait", "tick", "redeliver", "restart", "check",
	}).Draw(s.t, "step") {
	case "page":
		s.randomPage()
	case "snapshot":
		s.randomSnapshot()
	case "round":
		at := s.clock.Now().Add(-time.Duration(rapid.IntRange(0, 2).Draw(s.t, "minutes ago")) * time.Minute)
		s.send(event.TypeRoundEnded, event.RoundEnded{Began: at})
		s.model.roundEnded(at)
	case "wait":
		s.clock.Advance(time.Duration(rapid.IntRange(1, 12).Draw(s.t, "minutes")) * time.Minute)
	case "tick":
		if _, _, err := s.applier.Tick(context.Background(), apply.Owner{}); err != nil {
			s.t.Fatal(err)
		}
		s.follow()
	case "redeliver":
		if len(s.delivered) > 0 {
			from := rapid.IntRange(0, len(s.delivered)-1).Draw(s.t, "from")
			for _, m := range s.delivered[from:] {
				if err := s.deliver(m); err != nil {
					s.t.Fatal(err)
				}
			}
		}
	case "restart":
		s.restart()
	case "check":
		s.check()
	}
}

func (s *scenario) send(eventType string, data any) {
	m := s.message("contoso", eventType, data)
	s.delivered = append(s.delivered, m)
	if err := s.deliver(m); err != nil {
		s.t.Fatal(err)
	}
}

func (s *scenario) randomPage() {
	s.stamp++
	at := s.stamp
	if rapid.IntRange(0, 3).Draw(s.t, "late") == 0 {
		at -= uint64(rapid.IntRange(0, 9).Draw(s.t, "by"))
	}
	observations := s.randomObservations()
	s.send(event.TypeDirectoryObserved, event.DirectoryObserved{
		Stamp: event.Stamp{Epoch: 1, Counter: at}, Observations: event.FromObservations(observations),
	})
	s.model.page(s.clock.Now(), at, observations)
}

func (s *scenario) randomObservations() (observations []directory.Observation) {
	named := map[string]bool{} // a request shows a thing once
	for range rapid.IntRange(1, 4).Draw(s.t, "observations") {
		o, key := s.randomObservation()
		if !named[key] {
			observations = append(observations, o)
		}
		named[key] = true
	}
	return observations
}

func (s *scenario) randomObservation() (o directory.Observation, key string) {
	groupID := rapid.SampledFrom([]string{"g", "h"}).Draw(s.t, "group")
	userID := rapid.SampledFrom([]string{"ann", "bob", "cid", "dan"}).Draw(s.t, "user")
	switch rapid.IntRange(0, 3).Draw(s.t, "kind") {
	case 0:
		status := rapid.SampledFrom([]directory.Status{
			directory.Active, directory.Active, directory.Suspended, directory.Archived, directory.Deleted,
		}).Draw(s.t, "status")
		o = personAs(userID, status)
		o.User.Guest = rapid.IntRange(0, 5).Draw(s.t, "guest") == 0
		if status == directory.Deleted {
			o.User = &directory.User{ID: userID, Status: directory.Deleted}
		}
		return o, userID
	case 1:
		at := rapid.SampledFrom([]string{
			s.addresses["secure-share"], s.addresses["secure-share"], s.addresses["mail-gate"], "staff@contoso.com", "",
		}).Draw(s.t, "address")
		if at == "" {
			return noGroup(groupID), groupID
		}
		return group(groupID, "own-"+groupID+"@contoso.com", at), groupID
	default:
		return member(groupID, userID, rapid.IntRange(0, 2).Draw(s.t, "present") > 0), groupID + "/" + userID
	}
}

func (s *scenario) randomSnapshot() {
	s.snapshots++
	id := fmt.Sprintf("s%d", s.snapshots)
	s.stamp++
	first := s.stamp
	observations := s.randomObservations()
	s.send(event.TypeDirectoryObserved, event.DirectoryObserved{
		Stamp: event.Stamp{Epoch: 1, Counter: first}, Snapshot: id, Observations: event.FromObservations(observations),
	})
	s.model.page(s.clock.Now(), first, observations)
	members := rapid.SampledFrom([][]string{{}, {"g"}, {"g", "h"}}).Draw(s.t, "complete")
	s.send(event.TypeSnapshotEnded, event.SnapshotEnded{
		Snapshot: id, Began: event.Stamp{Epoch: 1, Counter: first}, Users: true, Groups: true, Members: members, Pages: 1,
	})
	s.model.snapshotEnded(s.clock.Now(), first, members)
}

// follow tells the model of policies that the worker has put in force.
func (s *scenario) follow() {
	s.t.Helper()
	state, err := s.ledger.Reader().Tenant(context.Background(), "contoso")
	if err != nil && len(s.delivered) > 0 {
		s.t.Fatal(err)
	}
	for _, p := range state.Products {
		if err := s.model.follow(p.ID, p.State.Policy); err != nil {
			s.t.Fatal(err)
		}
	}
}

// check lets the worker finish and compares.
func (s *scenario) check() {
	s.t.Helper()
	s.tick()
	s.follow()
	s.drain()
	state, err := s.ledger.Reader().Tenant(context.Background(), "contoso")
	if err != nil && len(s.delivered) > 0 {
		s.t.Fatal(err)
	}
	for _, p := range state.Products {
		if diff := cmp.Diff(s.model.policies[p.ID], p.State); diff != "" {
			s.t.Fatalf("policy of %s (-model +ledger):\n%s", p.ID, diff)
		}
		want, told := s.model.licensed(p.ID), s.told(p.ID)
		if diff := cmp.Diff(want, told.licensed()); diff != "" {
			s.t.Fatalf("told of %s (-model +events):\n%s", p.ID, diff)
		}
		if p.Licensed != len(want) || p.Sequence != told.sequence || p.State.Policy != told.policy {
			s.t.Fatalf("ledger of %s: %+v, told %d of %d", p.ID, p, told.sequence, len(want))
		}
	}
	s.verify()
}

// told is what was told of a product.
func (s *scenario) told(product string) *record {
	if r := s.records[event.LicenseSource("contoso", product)]; r != nil {
		return r
	}
	return newRecord()
}
