package apply

import (
	"context"
	"fmt"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

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
	if !s.tenant.Follows() && job.Kind != ledger.JobApply {
		return true, s.tx.DropJob(p.ID, job.Kind) // begun by what was on its way when the tenant was disconnected
	}
	p.dirty = true // what waits for the end of a job is looked at with its last chunk
	after, done, err := s.chunk(p, job)
	if err != nil {
		return false, fmt.Errorf("%s for product %s of %s: %w", job.Kind, p.Name, s.tenant.Name, err)
	}
	if !done {
		return true, s.keepJob(p, job, after)
	}
	if err := s.tx.DropJob(p.ID, job.Kind); err != nil {
		return false, err
	}
	s.log.InfoContext(ctx, "a job is done", "job", job.Kind, "tenant", s.tenant.Name, "product", p.Name, "mode", p.State.Policy.Mode)
	return true, s.finish(p, job)
}

// keepJob stores how far a job has come, unless what it did has ended it or begun it anew.
func (s *session) keepJob(p *product, job ledger.Job, after int64) error {
	now, found, err := s.tx.Job(p.ID, job.Kind)
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
	case ledger.JobAnnounce:
		return s.chunkOfList(job, func(h ledger.Held, lines []ledger.HeldUser) error { return s.tellList(p, h, lines, job.Cause) })
	case ledger.JobClose:
		return s.chunkOfList(job, func(h ledger.Held, lines []ledger.HeldUser) error { return s.closeList(p, h, lines, job.Cause) })
	case ledger.JobSeats:
		more, err := s.fillSome(p, job.Cause, s.cfg.Chunk)
		return 0, !more, err
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
		err = s.decide(p, people, manner{cause: job.Cause, review: true})
	default:
		err = s.decide(p, people, manner{cause: job.Cause, force: true})
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

func (s *session) chunkOfList(job ledger.Job, do func(ledger.Held, []ledger.HeldUser) error) (after int64, done bool, err error) {
	h, found, err := s.tx.Held(job.Held)
	if !found || err != nil {
		return 0, true, err
	}
	lines, err := s.tx.ListedAfter(h.ID, job.After, s.cfg.Chunk)
	if err != nil {
		return 0, false, err
	}
	if len(lines) > 0 {
		after = lines[len(lines)-1].User
		err = do(h, lines)
	}
	return after, len(lines) < s.cfg.Chunk, err
}

// tellList tells a part of the list of a held change, and lets the licenses that it parks stand on that from here on.
func (s *session) tellList(p *product, h ledger.Held, lines []ledger.HeldUser, cause string) error {
	told := make([]event.HeldUser, len(lines))
	for i, line := range lines {
		told[i] = event.HeldUser{User: line.Ref, Listed: true, Licensed: line.Licensed, Reason: line.Reason}
	}
	if err := s.tellLines(p, h, told); err != nil || h.Kind != ledger.HeldRevocations {
		return err
	}
	for _, line := range lines {
		if err := s.keepListed(p, line, cause); err != nil {
			return err
		}
	}
	return nil
}

// keepListed lets the license of somebody on a list stand.
func (s *session) keepListed(p *product, line ledger.HeldUser, cause string) error {
	v, differs, err := s.judgeListed(p, line, true)
	if err != nil || !differs || !v.revokes() {
		return err
	}
	return s.keep(p, v, cause)
}

func (s *session) judgeListed(p *product, line ledger.HeldUser, force bool) (verdict, bool, error) {
	user, err := s.tx.User(line.User)
	if err != nil {
		return verdict{}, false, err
	}
	one, err := s.person(user)
	if err != nil {
		return verdict{}, false, err
	}
	return s.judge(p, one, force)
}

// closeList carries out what was said of a part of the list of a held change.
func (s *session) closeList(p *product, h ledger.Held, lines []ledger.HeldUser, cause string) error {
	people := make([]person, 0, len(lines))
	for _, line := range lines {
		switch {
		case h.State == ledger.HeldApproved:
		case h.Kind == ledger.HeldFreeze: // thawed: decided anew, as if nothing had been parked, by the review behind this
			if err := s.tx.HoldAgainst(p.ID, line.User, ""); err != nil {
				return err
			}
			continue
		case !line.Licensed: // rejected
			if err := s.keepListed(p, line, cause); err != nil {
				return err
			}
			continue
		}
		user, err := s.tx.User(line.User)
		if err != nil {
			return err
		}
		one, err := s.person(user)
		if err != nil {
			return err
		}
		people = append(people, one)
	}
	if err := s.decide(p, people, manner{cause: cause, force: true}); err != nil {
		return err
	}
	h.Applied += len(lines)
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
		return s.reviewed(p, job.Cause)
	case ledger.JobApply, ledger.JobClose:
		return s.carriedOut(p, job)
	default:
		return nil
	}
}

// reviewed ends a review: revocations that are a bulk are announced and wait, fewer take effect.
func (s *session) reviewed(p *product, cause string) error {
	h, err := s.hold(p, ledger.HeldRevocations)
	if h == nil || err != nil || h.State != ledger.HeldListing {
		return err
	}
	if h.Revocations == 0 {
		return s.withdraw(p, h, "")
	}
	others, err := s.tx.RevokedWithin(p.ID, s.now.Add(-window))
	if err != nil {
		return err
	}
	if s.tenant.Hold.Guard.Bulk(h.Revocations, others, p.Used) {
		return s.announce(p, h)
	}
	h.Ref = fmt.Sprintf("revocations-%d", p.Sequence+1)
	if err := s.tx.CountRevocations(p.ID, s.now, s.now.Add(-window), h.Revocations); err != nil {
		return err
	}
	if _, err := s.close(p, h, ledger.HeldApproved, "", cause); err != nil {
		return err
	}
	return s.startJob(p, ledger.JobClose, h.ID, cause)
}

// carriedOut notes that all that was approved is done.
func (s *session) carriedOut(p *product, job ledger.Job) error {
	if job.Held == 0 {
		return nil
	}
	h, found, err := s.tx.Held(job.Held)
	if !found || err != nil {
		return err
	}
	if h.Kind == ledger.HeldFreeze {
		return s.startJob(p, ledger.JobReview, 0, job.Cause)
	}
	if h.State != ledger.HeldApproved {
		return nil
	}
	h.State = ledger.HeldApplied
	return s.tx.SaveHeld(h)
}
