package apply_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rollcall-hq/rollcall/pkg/bus"
	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/event/eventtest"
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
	records   map[string]*record
	addresses map[string]string
	stamp     uint64
	snapshots int
	delivered []bus.Message
}

// Whatever is observed, however old, in whatever order, with redeliveries and restarts between: the ledger and what was
// told are what a plain recomputation gives; what was told are exactly the transitions, without a gap.
func TestRandomHistoriesFollowTheModel(t *testing.T) {
	t.Parallel()
	valid := eventtest.Shared(t)
	dir := quickDir(t)
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		path := filepath.Join(dir, fmt.Sprintf("%d.db", runs))
		tn, addresses := twoProducts()
		s := &scenario{
			harness: newHarnessAt(rt, path, valid, tn), t: rt, model: newModel(addresses),
			records: map[string]*record{}, addresses: addresses, stamp: 10,
		}
		defer func() {
			s.close()
			for _, suffix := range []string{"", "-wal", "-shm"} {
				_ = os.Remove(path + suffix)
			}
		}()
		for id := range addresses {
			s.records[id] = &record{users: map[string]event.Entitlement{}}
		}
		for range rapid.IntRange(5, 40).Draw(rt, "steps") {
			s.step()
		}
		s.check()
	})
}

// quickDir is a folder in memory where the system has one: these ledgers are many, and none has to survive the power.
func quickDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "rollcall-test-") //nolint:usetesting // t.TempDir is on the disk
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
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
	for _, ev := range s.drain() {
		if !strings.HasPrefix(ev.Source(), "urn:rollcall:license:") {
			continue
		}
		product := ev.Source()[strings.LastIndex(ev.Source(), ":")+1:]
		if err := s.records[product].fold(ev); err != nil {
			s.t.Fatal(err)
		}
	}
	state, err := s.ledger.Reader().Tenant(context.Background(), "contoso")
	if err != nil && len(s.delivered) > 0 {
		s.t.Fatal(err)
	}
	for _, p := range state.Products {
		if diff := cmp.Diff(s.model.policies[p.ID], p.State); diff != "" {
			s.t.Fatalf("policy of %s (-model +ledger):\n%s", p.ID, diff)
		}
		want, told := s.model.licensed(p.ID), s.records[p.ID]
		if diff := cmp.Diff(want, told.licensed()); diff != "" {
			s.t.Fatalf("told of %s (-model +events):\n%s", p.ID, diff)
		}
		if p.Licensed != len(want) || p.Sequence != told.sequence || p.State.Policy != told.policy {
			s.t.Fatalf("ledger of %s: %+v, told %d of %d", p.ID, p, told.sequence, len(want))
		}
		s.checkHistory(p.ID, told)
	}
}

// checkHistory compares the stored entitlements and periods with what was told.
func (s *scenario) checkHistory(product string, told *record) {
	s.t.Helper()
	ctx, reader := context.Background(), s.ledger.Reader()
	for id, e := range told.users {
		user, err := reader.FindUser(ctx, "contoso", id)
		if err != nil {
			s.t.Fatal(err)
		}
		all, err := reader.Entitlements(ctx, user)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, stored := range all {
			if stored.Product == product && (stored.Licensed != e.Licensed || stored.Reason != e.Reason ||
				!slices.Equal(stored.Path, e.Path) || !stored.Since.Equal(e.Since)) {
				s.t.Fatalf("stored %+v, told %+v", stored, e)
			}
		}
		periods, err := reader.History(ctx, user, product)
		if err != nil || len(periods) == 0 {
			s.t.Fatalf("history of %s: %v, %v", id, periods, err)
		}
		for i, p := range periods[1:] {
			if !p.From.Equal(periods[i].To) || p.Cause == "" {
				s.t.Fatalf("history of %s has a hole: %+v", id, periods)
			}
		}
		if last := periods[len(periods)-1]; !last.To.IsZero() || last.Licensed != e.Licensed || last.Reason != e.Reason {
			s.t.Fatalf("history of %s ends with %+v, told %+v", id, last, e)
		}
	}
}
