package apply

import (
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// review decides a part of all users. Revocations go on a list until it is known how many they are; what a previewed refresh
// brings goes on the list of that.
func (s *session) review(p *product, people []person, job ledger.Job) error {
	m := manner{cause: job.Cause, review: true}
	if job.Held != 0 {
		h, found, err := s.tx.Held(job.Held)
		if !found || err != nil {
			return err
		}
		m = manner{cause: job.Cause, preview: h.Snapshot}
	}
	return s.decide(p, people, m)
}

// reviewed ends a review: revocations that are a bulk are announced and wait, fewer take effect. What a preview has found is
// told with the end of its refresh.
func (s *session) reviewed(p *product, job ledger.Job) error {
	if job.Held != 0 {
		return nil
	}
	h, err := s.hold(p, ledger.HeldRevocations)
	if h == nil || err != nil || h.State != ledger.HeldListing {
		return err
	}
	if h.Revocations == 0 {
		return s.withdraw(p, h, "")
	}
	bulk, err := s.bulk(p, h.Revocations)
	if err != nil {
		return err
	}
	if bulk {
		return s.announce(p, h)
	}
	if err := s.tx.CountRevocations(p.ID, s.now, s.now.Add(-window), h.Revocations); err != nil {
		return err
	}
	if err := s.closeUnheard(p, h); err != nil {
		return err
	}
	return s.startJob(p, ledger.JobClose, h.ID, h.Cause)
}

// endReview gives up a review: everybody is decided anew in another way.
func (s *session) endReview(p *product) error {
	h, err := s.hold(p, ledger.HeldRevocations)
	if err != nil {
		return err
	}
	if h != nil && h.State == ledger.HeldListing {
		if err := s.withdraw(p, h, ""); err != nil {
			return err
		}
	}
	return s.tx.DropJob(ledger.Job{Product: p.ID, Kind: ledger.JobReview})
}

// bulk reports whether so many revocations are to be held, together with those of the last hour.
func (s *session) bulk(p *product, revocations int) (bool, error) {
	others, err := s.tx.RevokedWithin(p.ID, s.now.Add(-window))
	return s.tenant.Hold.Guard.Bulk(revocations, others, p.Used), err
}

// reviewing reports whether all users are being gone through, so that lists are not what they will be in a moment.
func (s *session) reviewing(p *product) (bool, error) {
	for _, kind := range []ledger.JobKind{ledger.JobSurvey, ledger.JobReview} {
		if _, under, err := s.tx.Job(p.ID, kind); under || err != nil {
			return under, err
		}
	}
	return false, nil
}

// decides reports whether users are decided for a product: once it has a policy, and when the end of its tenant's connection
// takes all licenses.
func (s *session) decides(p *product) bool {
	return p.State.Phase == licensing.InForce || s.tenant.Disconnected == ledger.LicensesEnded
}
