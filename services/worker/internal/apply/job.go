package apply

import (
	"context"
	"fmt"

	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// rowsOfUser is about how many rows are written where one user is decided: what erases writes as much at a time.
const rowsOfUser = 5

// startJob begins a job on all users of a product, or begins it anew.
func (s *session) startJob(p *product, kind ledger.JobKind, held int64, cause string) error {
	s.result.Timers, s.told = true, true
	return s.tx.PutJob(ledger.Job{Product: p.ID, Kind: kind, Cause: cause, Held: held})
}

// work does the next chunk of the job that is least advanced. Messages are applied between chunks, so a single change never
// waits for a bulk.
func (s *session) work(ctx context.Context, part int) (bool, error) {
	job, tenant, found, err := s.tx.NextJob(part)
	if !found || err != nil {
		return false, err
	}
	if err := s.enterByID(tenant); err != nil {
		return false, err
	}
	p, err := s.product(job.Product)
	if err != nil {
		return false, err
	}
	s.origin.cause = job.Cause
	p.dirty = true // what waits for the end of a job is looked at with its last chunk
	after, done, err := s.chunk(p, job)
	if err != nil {
		return false, fmt.Errorf("%s for product %s of %s: %w", job.Kind, p.Name, s.tenant.Name, err)
	}
	if !done {
		return true, s.keepJob(job, after)
	}
	if err := s.tx.DropJob(job); err != nil {
		return false, err
	}
	s.log.InfoContext(ctx, "a job is done", "job", job.Kind, "tenant", s.tenant.Name, "product", p.Name, "mode", p.State.Policy.Mode)
	return true, s.finish(p, job)
}

// keepJob stores how far a job has come, unless what it did has ended it or begun it anew.
func (s *session) keepJob(job ledger.Job, after int64) error {
	now, found, err := s.tx.JobOn(job.Product, job.Kind, job.Held)
	if err != nil || !found || now != job {
		return err
	}
	job.After = after
	return s.tx.PutJob(job)
}

func (s *session) chunk(p *product, job ledger.Job) (after int64, done bool, err error) {
	switch job.Kind {
	case ledger.JobApply, ledger.JobReview, ledger.JobSurvey:
		return s.chunkOfUsers(p, job)
	case ledger.JobAnnounce, ledger.JobClose:
		return s.chunkOfList(p, job)
	case ledger.JobSeats:
		more, err := s.fillSome(p, job.Cause, s.cfg.Chunk)
		return 0, !more, err
	case ledger.JobErase:
		more, err := s.tx.Erase(s.tenant.ID, rowsOfUser*s.cfg.Chunk)
		return job.After + int64(s.cfg.Chunk), !more, err // so that others have their turns
	default:
		return 0, true, nil // of a version to come, or gone
	}
}

func (s *session) chunkOfUsers(p *product, job ledger.Job) (after int64, done bool, err error) {
	users, err := s.tx.UsersAfter(s.tenant.ID, job.After, s.cfg.Chunk)
	if err != nil {
		return 0, false, err
	}
	people := make([]person, 0, len(users))
	for _, u := range users {
		one, err := s.person(u)
		if err != nil {
			return 0, false, err
		}
		people = append(people, one)
		after = u.ID
	}
	switch job.Kind {
	case ledger.JobSurvey:
		err = s.relist(p, people)
	case ledger.JobReview:
		err = s.review(p, people, job)
	default:
		err = s.decide(p, people, manner{cause: job.Cause})
		if err == nil && job.Held != 0 {
			err = s.progress(job.Held, len(people))
		}
	}
	return after, len(users) < s.cfg.Chunk, err
}

// progress counts users who are decided since a held change was approved.
func (s *session) progress(held int64, n int) error {
	h, found, err := s.tx.Held(held)
	if !found || err != nil {
		return err
	}
	h.Applied += n
	return s.tx.SaveHeld(h)
}

// finish does what follows the last chunk of a job.
func (s *session) finish(p *product, job ledger.Job) error {
	switch job.Kind {
	case ledger.JobSurvey:
		flip, err := s.hold(p, ledger.HeldFlip)
		if flip == nil || err != nil {
			return err
		}
		return s.surveyed(p, flip)
	case ledger.JobReview:
		return s.reviewed(p, job)
	case ledger.JobApply, ledger.JobClose:
		return s.carriedOut(job)
	case ledger.JobErase:
		return s.erased()
	default:
		return nil
	}
}

// carriedOut notes that all that was approved is done.
func (s *session) carriedOut(job ledger.Job) error {
	if job.Held == 0 {
		return nil
	}
	h, found, err := s.tx.Held(job.Held)
	if !found || err != nil || h.State != ledger.HeldApproved {
		return err
	}
	h.State = ledger.HeldApplied
	return s.tx.SaveHeld(h)
}
