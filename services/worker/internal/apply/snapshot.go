package apply

import (
	"fmt"
	"slices"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

func (s *session) countPage(ref string) error {
	snapshot, err := s.tx.Snapshot(s.tenant, ref)
	if err != nil {
		return err
	}
	snapshot.Pages++
	return s.tx.SaveSnapshot(snapshot)
}

// snapshotEnded takes the end of a full read: what it did not show is to be proved gone, and the products of a tenant
// that was just connected start.
func (s *session) snapshotEnded(data event.SnapshotEnded) error {
	snapshot, err := s.tx.Snapshot(s.tenant, data.Snapshot)
	if err != nil {
		return err
	}
	if snapshot.Pages < data.Pages {
		return s.incomplete(snapshot, data)
	}
	snapshot.Ended = true
	if err := s.tx.SaveSnapshot(snapshot); err != nil {
		return err
	}
	if err := s.tx.DropAbandoned(s.tenant); err != nil {
		return err
	}
	began := data.Began.Directory()
	if err := s.askForProof(snapshot, data, began); err != nil {
		return err
	}
	if !data.Users || !data.Groups || !s.tenant.Follows() {
		return nil
	}
	if began.Compare(s.tenant.Snapshot) > 0 {
		s.tenant.Snapshot, s.tenant.SnapshotAt = began, s.origin.at
	}
	if began.Compare(s.tenant.Stale) > 0 { // whatever was lost before it began, it has shown again
		s.tenant.StaleSince, s.tenant.RereadDue = time.Time{}, time.Time{}
	}
	if err := s.completePreview(snapshot.Ref); err != nil {
		return err
	}
	if s.tenant.Restoring {
		if err := s.restored(); err != nil {
			return err
		}
	}
	return s.rewatching(func() error { return s.startProducts(data.Members) })
}

// startProducts gives the products that have none yet their first policy.
func (s *session) startProducts(complete []string) error {
	for _, p := range s.products {
		if p.State.Phase == licensing.InForce {
			continue
		}
		seen, err := s.seen(p)
		if err != nil {
			return err
		}
		whole, err := s.whole(seen, complete)
		if err != nil {
			return err
		}
		if err := s.adopt(p, licensing.Start(seen, whole, s.origin.at), s.origin.cause); err != nil {
			return err
		}
	}
	return nil
}

// whole reports whether the members of the only group, and of all that is nested in it, were read completely.
func (s *session) whole(seen licensing.Seen, complete []string) (bool, error) {
	if len(seen.Groups) != 1 {
		return false, nil
	}
	candidate, err := s.nestOf(seen.Groups[0])
	if err != nil {
		return false, err
	}
	for _, ref := range candidate.refs {
		if !slices.Contains(complete, ref) {
			return false, nil
		}
	}
	return true, nil
}

// incomplete ends a full read of which pages are missing: they were given up as dead letters. It proves nothing, and
// another one is ordered.
func (s *session) incomplete(snapshot ledger.Snapshot, data event.SnapshotEnded) error {
	if err := s.tx.DropSnapshot(snapshot); err != nil {
		return err
	}
	if err := s.giveUpPreview(snapshot.Ref); err != nil {
		return err
	}
	if err := s.orderReread(); err != nil {
		return err
	}
	return s.refreshCompleted(snapshot, fmt.Sprintf("%d of %d pages arrived", snapshot.Pages, data.Pages))
}

// candidatesRead takes the answer to a request for proof. What was proved has come as observations before it.
func (s *session) candidatesRead(data event.CandidatesRead) error {
	if data.Snapshot == "" {
		return s.doubtsRead(data)
	}
	awaited, err := s.tx.ProofCame(s.tenant.ID, data.Request)
	if !awaited || err != nil {
		return err
	}
	if err := s.tx.DropGone(s.tenant.ID, data.Request); err != nil {
		return err
	}
	snapshot, err := s.tx.Snapshot(s.tenant, data.Snapshot)
	if err != nil {
		return err
	}
	snapshot.Unproven += data.Unproven
	return s.tx.SaveSnapshot(snapshot)
}

// finishSnapshots announces the full reads that have had all their effects: every proof is in, and every user is decided.
func (s *session) finishSnapshots() error {
	done, err := s.tx.DoneSnapshots(s.tenant)
	if err != nil || len(done) == 0 {
		return err
	}
	if busy, err := s.tx.Busy(s.tenant.ID); err != nil || busy {
		return err
	}
	for _, p := range s.products {
		if leaving, err := s.someLeave(p); err != nil || leaving {
			return err
		}
	}
	for _, snapshot := range done {
		if err := s.tx.DropSnapshot(snapshot); err != nil {
			return err
		}
		if err := s.refreshCompleted(snapshot, ""); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) refreshCompleted(snapshot ledger.Snapshot, fault string) error {
	users, groups, err := s.tx.Live(s.tenant.ID)
	if err != nil {
		return err
	}
	holds, err := s.previewed(snapshot.Ref)
	if err != nil {
		return err
	}
	return s.command(event.TypeRefreshCompleted, "refreshed", snapshot.Ref+".completed", snapshot.Ref, event.RefreshCompleted{
		Snapshot: snapshot.Ref, Users: users, Groups: groups, Unproven: snapshot.Unproven, Error: fault,
		Granted: int(s.tenant.Granted - snapshot.GrantedUntil), Revoked: int(s.tenant.Revoked - snapshot.RevokedUntil),
		Removed: int(s.tenant.Removed - snapshot.RemovedUntil), Holds: holds,
	})
}

// orderReread notes that something was lost of what was said of the tenant, and has the directory read in full.
func (s *session) orderReread() error {
	if s.tenant.StaleSince.IsZero() {
		s.tenant.StaleSince = s.now
	}
	s.tenant.Stale = s.tenant.Seen
	return s.askReread()
}

// askReread asks for a full read, at once or, where the worker did so a short while ago, later: the read that was asked for
// then may have begun before what was lost now.
func (s *session) askReread() error {
	if again := s.tenant.RereadAt.Add(s.cfg.Reread); !s.tenant.RereadAt.IsZero() && s.now.Before(again) {
		s.tenant.RereadDue, s.result.Timers = again, true
		return nil
	}
	s.tenant.RereadAt, s.tenant.RereadDue = s.now, time.Time{}
	id := fmt.Sprintf("%s.reread.%d", s.tenant.Name, s.now.UnixMicro())
	return s.command(event.TypeRefreshRequested, "refresh", id, s.origin.cause, event.RefreshRequested{RequestedBy: "worker"})
}
