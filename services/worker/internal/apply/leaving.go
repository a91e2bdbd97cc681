package apply

import (
	"context"
	"slices"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// atMost is how many times Config.AskAgain the license of somebody who leaves a nest stands at most, a quarter of an hour: a
// receiver that is away, or a group that may not be read, puts nobody's end off for ever.
const atMost = 15

// putsOff lets the license of somebody stand whom no group of the nest has any more, by what was read so far: another one may, by
// what is read next. It stands until a round that begins from here on has shown all that is true now. Where none comes it ends all
// the same.
func (s *session) putsOff(p *product, v verdict, m manner) (bool, error) {
	if !v.revokes() || v.next.Reason != licensing.NotAMember || !m.torn && !m.review {
		return false, nil
	}
	stand, err := s.oldMembersStand(p)
	if err != nil {
		return false, err
	}
	if stand {
		s.told = true
		return true, s.leaveLater(p, m.cause, v.user.ID)
	}
	if m.review {
		return s.tx.AllLeaving(p.ID)
	}
	n, err := s.nestOf(p.State.Policy.Group)
	if err != nil || len(n.Groups()) <= 1 && len(v.before.Path) <= 1 {
		return false, err
	}
	if err := s.waitForTheRest(); err != nil {
		return false, err
	}
	return true, s.putLeaving(p, v.user.ID, m.cause)
}

// putOffAll does so for all who may have left with a group that many are in. They are found by a review, then; one that is under
// way until then leaves them to it.
func (s *session) putOffAll(p *product) error {
	if err := s.waitForTheRest(); err != nil {
		return err
	}
	return s.putLeaving(p, ledger.AllUsers, s.origin.cause)
}

func (s *session) putLeaving(p *product, user int64, cause string) error {
	return s.tx.PutLeaving(ledger.Leaving{
		Product: p.ID, User: user, SeenAt: s.origin.at, Cause: cause, DecideAt: s.now.Add(atMost * s.cfg.AskAgain),
	})
}

// waitForTheRest asks for a round unless somebody waits for one already.
func (s *session) waitForTheRest() error {
	s.told, s.result.Timers = true, true
	if s.waiting {
		return nil
	}
	s.waiting = true
	before, err := s.tx.AwaitsRound(s.tenant.ID, s.now)
	if before || err != nil {
		return err
	}
	return s.askForTheRest()
}

// askForTheRest asks for a round because of what the session acts upon.
func (s *session) askForTheRest() error {
	return s.command(event.TypeReadRequested, "read", s.origin.cause+".rest", s.origin.cause, event.ReadRequested{})
}

// restShown has those decided about who were seen to leave before a round began that has shown all groups but the open ones.
// Where others leave it asks for another, if it is news that the round has ended.
func (s *session) restShown(began time.Time, open []string, fresh bool) error {
	some, err := s.tx.AwaitsRound(s.tenant.ID, s.now)
	if !some || err != nil {
		return err
	}
	more := false
	for _, p := range s.products {
		n, err := s.nestOf(p.State.Policy.Group)
		if err != nil {
			return err
		}
		if n.any(open) || slices.Contains(open, p.State.Policy.Group) {
			continue // the next round is the one, or its time runs out
		}
		others, err := s.tx.Left(p.ID, began, s.now)
		if err != nil {
			return err
		}
		more = more || others
	}
	s.result.Timers = true
	if !more || !fresh {
		return nil
	}
	return s.askForTheRest()
}

// leavingDue decides about those who were seen to leave by one event, as if it had come now: those whom it concerns are a bulk
// together, or none.
func (s *session) leavingDue(_ context.Context, part int) (bool, error) {
	due, tenant, found, err := s.tx.DueLeaving(part, s.now)
	if !found || err != nil {
		return false, err
	}
	if err := s.enterByID(tenant); err != nil {
		return false, err
	}
	p, err := s.product(due.Product)
	if err != nil {
		return false, err
	}
	s.origin.cause = due.Cause
	users, err := s.tx.TakeLeaving(p.ID, due.Cause, s.now)
	if err != nil || !s.tenant.Decides() { // all users are gone through when it does again
		return true, err
	}
	stand, err := s.oldMembersStand(p)
	if err != nil {
		return false, err
	}
	if stand {
		return true, s.leaveLater(p, due.Cause, users...)
	}
	if len(users) > 0 && users[0] == ledger.AllUsers {
		if users = users[1:]; s.decides(p) {
			err = s.startJob(p, ledger.JobReview, 0, due.Cause)
		}
	}
	if err != nil {
		return false, err
	}
	if users, err = s.certain(p, users, due.Cause); err != nil {
		return false, err
	}
	people, err := s.people(users)
	if err != nil {
		return false, err
	}
	return true, s.decide(p, people, manner{cause: due.Cause})
}

// certain returns those of whom no read says that they are members after all. The others wait until it is known whether that read
// was of a replica that lags.
func (s *session) certain(p *product, users []int64, cause string) (certain []int64, err error) {
	for _, user := range users {
		doubtful, err := s.tx.InDoubt(s.tenant.ID, user)
		if err != nil {
			return nil, err
		}
		if !doubtful {
			certain = append(certain, user)
			continue
		}
		if err := s.leaveLater(p, cause, user); err != nil {
			return nil, err
		}
	}
	return certain, nil
}

// oldMembersStand reports whether the group in force is gone, or may be, as a read that says so is in doubt, and what comes in its
// place has not taken effect: nobody can leave what is not there, and who was in it when it went may have been in it by a way that
// no read has shown. What somebody has rejected does not take effect: then each counts who leaves.
func (s *session) oldMembersStand(p *product) (bool, error) {
	if p.State.Policy.Group == "" || p.State.Change != nil && p.State.Change.Stage == licensing.Rejected {
		return false, nil
	}
	group, _, err := s.tx.Group(s.tenant.ID, p.State.Policy.Group)
	return group.Deleted || group.Doubted, err
}

// someLeave reports whether anybody is leaving a product, and may do so.
func (s *session) someLeave(p *product) (bool, error) {
	some, err := s.tx.Leaving(p.ID)
	if !some || err != nil {
		return false, err
	}
	stand, err := s.oldMembersStand(p)
	return !stand, err
}

// leaveLater looks at users again in a while: no round tells sooner.
func (s *session) leaveLater(p *product, cause string, users ...int64) error {
	at := s.now.Add(s.cfg.AskAgain)
	for _, user := range users {
		if err := s.tx.PutLeaving(ledger.Leaving{Product: p.ID, User: user, SeenAt: at, Cause: cause, DecideAt: at}); err != nil {
			return err
		}
	}
	s.result.Timers = true
	return nil
}
