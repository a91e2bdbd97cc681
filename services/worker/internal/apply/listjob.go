package apply

import (
	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// chunkOfList goes through a part of the list of a held change.
func (s *session) chunkOfList(p *product, job ledger.Job) (after int64, done bool, err error) {
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
		if job.Kind == ledger.JobAnnounce {
			err = s.tellList(p, h, lines, job.Cause)
		} else {
			err = s.closeList(p, h, lines, job.Cause)
		}
	}
	return after, len(lines) < s.cfg.Chunk, err
}

// tellList tells a part of the list of a held change, and lets the licenses that it parks stand on that from here on.
func (s *session) tellList(p *product, h ledger.Held, lines []ledger.HeldUser, cause string) error {
	told := make([]event.HeldUser, len(lines))
	for i, line := range lines {
		told[i] = heldUser(line)
	}
	if err := s.tellLines(p, h, told, cause); err != nil || h.Kind != ledger.HeldRevocations {
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
	one, err := s.listed(line)
	if err != nil {
		return err
	}
	v, differs, err := s.judge(p, one)
	if err != nil || !differs || !v.revokes() {
		return err
	}
	return s.keep(p, v, cause)
}

func (s *session) listed(line ledger.HeldUser) (person, error) {
	user, err := s.tx.User(line.User)
	if err != nil {
		return person{}, err
	}
	return s.person(user)
}

// closeList decides about a part of the list of a held change that is closed, see foreseen.
func (s *session) closeList(p *product, h ledger.Held, lines []ledger.HeldUser, cause string) error {
	people := make([]person, 0, len(lines))
	for _, line := range lines {
		one, err := s.listed(line)
		if err != nil {
			return err
		}
		people = append(people, one)
	}
	if err := s.decide(p, people, manner{cause: cause}); err != nil {
		return err
	}
	h.Applied += len(lines)
	return s.tx.SaveHeld(h)
}
