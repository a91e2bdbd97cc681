package apply

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// Resume makes an owner the one of its partition and returns the sequence behind which it goes on. A position that cannot be of the stream as it
// is (it was made anew, or has lost its end) starts at its first message, and every tenant of the partition is read in
// full: what the lost messages said is not known. Older observations that come again do no harm, by their stamps.
func (a *Applier) Resume(ctx context.Context, owner Owner, stream string, created time.Time, last uint64) (after uint64, err error) {
	err = a.update(ctx, origin{cause: ""}, func(s *session) error {
		here := ledger.Position{Stream: stream, Part: owner.Part, Created: created, Epoch: owner.Epoch}
		known, found, err := s.tx.Position(stream, owner.Part)
		if err != nil {
			return err
		}
		if err := fenced(known, owner); err != nil {
			return err
		}
		switch {
		case found && known.Of(created) && known.Sequence <= last:
			after, here.Sequence = known.Sequence, known.Sequence
		case found:
			if err := a.rereadPartition(s, owner.Part); err != nil {
				return err
			}
		}
		return s.tx.SavePosition(here)
	})
	if err != nil {
		return 0, fmt.Errorf("find the position in partition %d of %s: %w", owner.Part, stream, err)
	}
	return after, nil
}

// advance moves the position to a message and reports whether it is one that was not applied yet.
func (a *Applier) advance(s *session, to ledger.Position) (fresh bool, err error) {
	known, found, err := s.tx.Position(to.Stream, to.Part)
	if err != nil {
		return false, err
	}
	if err := fenced(known, Owner{Part: to.Part, Epoch: to.Epoch}); err != nil {
		return false, err
	}
	switch {
	case found && known.Of(to.Created) && to.Sequence <= known.Sequence:
		return false, nil
	case found && !known.Of(to.Created):
		if err := a.rereadPartition(s, to.Part); err != nil {
			return false, err
		}
	}
	return true, s.tx.SavePosition(to)
}

// rereadPartition orders a full read of every tenant of a partition.
func (a *Applier) rereadPartition(s *session, partition int) error {
	names, err := s.tx.TenantNames()
	if err != nil {
		return err
	}
	for _, name := range names {
		if a.deps.Partition(name) != partition {
			continue
		}
		other := &session{tx: s.tx, cfg: s.cfg, log: s.log, origin: s.origin, now: s.now, cache: s.cache}
		if other.tenant, err = s.tx.Tenant(name); err != nil {
			return err
		}
		if err := other.orderReread(); err != nil {
			return err
		}
		if err := s.tx.SaveTenant(other.tenant); err != nil {
			return err
		}
		s.result.Part, s.result.Timers = partition, s.result.Timers || other.result.Timers
	}
	return nil
}
